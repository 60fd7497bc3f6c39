//! Variant: with another client, amqprs.

use std::{env, error::Error, time::Duration};

use amqprs::{
    channel::{
        BasicAckArguments, BasicConsumeArguments, BasicQosArguments, QueueDeclareArguments,
    },
    connection::{Connection, OpenConnectionArguments},
};
use tokio::{signal::ctrl_c, time::sleep};

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let unit: u64 = env::var("TASK_UNIT_MS").map_or(Ok(1000), |millis| millis.parse())?;
    let host = env::var("RABBITMQ_HOST").unwrap_or_else(|_| "127.0.0.1".into());
    let port = env::var("RABBITMQ_PORT").unwrap_or_else(|_| "5672".into());
    let address = OpenConnectionArguments::new(&host, port.parse()?, "guest", "guest");
    let connection = Connection::open(&address).await?;
    let channel = connection.open_channel(None).await?;
    channel
        .queue_declare(QueueDeclareArguments::durable_client_named("task_queue"))
        .await?;
    channel
        .basic_qos(BasicQosArguments::new(0, 1, false))
        .await?;
    let consume = BasicConsumeArguments::new("task_queue", "");
    let (_tag, mut tasks) = channel.basic_consume_rx(consume).await?;
    println!(" [*] Waiting for messages. To exit press CTRL+C");

    tokio::pin! {
        let interrupt = ctrl_c();
    }
    loop {
        let task = tokio::select! {
            task = tasks.recv() => task.ok_or("the subscription ended")?,
            result = &mut interrupt => break result?,
        };
        let body = task.content.unwrap_or_default();
        println!(" [x] Received {:?}", String::from_utf8_lossy(&body));
        let dots = body.iter().filter(|byte| **byte == b'.').count() as u64;
        tokio::select! {
            () = sleep(Duration::from_millis(unit * dots)) => (),
            result = &mut interrupt => break result?,
        }
        println!(" [x] Done");
        let tag = task.deliver.ok_or("no tag")?.delivery_tag();
        channel
            .basic_ack(BasicAckArguments::new(tag, false))
            .await?;
    }
    connection.close().await?;
    Ok(())
}
