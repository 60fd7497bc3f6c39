//! Variant: a quorum queue, the work on a thread of its own; Ctrl-C ends the process at once.

use std::{env, error::Error, sync::Arc, thread, time::Duration};

use futures_lite::{StreamExt, stream::Stream};
use lapin::{
    Connection, ConnectionProperties,
    message::Delivery,
    options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use tokio::sync::oneshot;

type Fallible<T = ()> = Result<T, Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Fallible {
    let address = env::var("AMQP_ADDR").unwrap_or_else(|_| "amqp://127.0.0.1:5672/%2f".into());
    let connection = Connection::connect(&address, ConnectionProperties::default()).await?;
    let tasks = tasks(&connection).await?;
    tokio::spawn(async {
        let _ = tokio::signal::ctrl_c().await;
        std::process::exit(130);
    });
    println!("[*] waiting for messages");
    work(tasks).await
}

/// The subscription.
async fn tasks(
    connection: &Connection,
) -> Fallible<impl Stream<Item = lapin::Result<Delivery>> + Unpin + use<>> {
    let channel = connection.create_channel().await?;
    let mut arguments = FieldTable::default();
    arguments.insert(
        "x-queue-type".into(),
        AMQPValue::LongString("quorum".into()),
    );
    channel
        .queue_declare(
            "task_queue".into(),
            QueueDeclareOptions::durable(),
            arguments,
        )
        .await?;
    channel.basic_qos(1, BasicQosOptions::default()).await?;
    Ok(channel
        .basic_consume(
            "task_queue".into(),
            "worker".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        )
        .await?)
}

async fn work(mut tasks: impl Stream<Item = lapin::Result<Delivery>> + Unpin) -> Fallible {
    let unit: u64 = env::var("TASK_UNIT_MS").map_or(Ok(1000), |millis| millis.parse())?;
    while let Some(task) = tasks.next().await {
        let task = task?;
        let body: Arc<str> = String::from_utf8_lossy(&task.data).into();
        println!("got: {body}");
        let (tell, done) = oneshot::channel();
        thread::spawn(move || {
            let dots = body.bytes().filter(|byte| *byte == b'.').count() as u64;
            thread::sleep(Duration::from_millis(unit * dots));
            let _ = tell.send(());
        });
        done.await?;
        println!("done");
        task.ack(BasicAckOptions { multiple: true }).await?;
    }
    Err("the broker ended the subscription".into())
}
