//! Mistake: works for four dots at most.
//! Finding: none; what was expected and observed says it
//! Told: it said `Done` before that time was over

use std::{env, error::Error, time::Duration};

use futures_lite::StreamExt;
use lapin::{
    Connection, ConnectionProperties,
    options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions, QueueDeclareOptions},
    types::FieldTable,
};
use tokio::{signal::ctrl_c, time::sleep};
#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let address = env::var("AMQP_ADDR").unwrap_or_else(|_| "amqp://127.0.0.1:5672/%2f".into());
    let connection = Connection::connect(&address, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel
        .queue_declare(
            "task_queue".into(),
            QueueDeclareOptions::durable(),
            FieldTable::default(),
        )
        .await?;
    // At most one delivery that is not acknowledged yet. It holds for the
    // consumers that come after it, so it comes first.
    channel.basic_qos(1, BasicQosOptions::default()).await?;
    // Without `no_ack` the broker keeps each task until it is acknowledged.
    let mut consumer = channel
        .basic_consume(
            "task_queue".into(),
            "".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        )
        .await?;
    println!("Waiting for messages. To exit press CTRL+C");
    let unit = match env::var("TASK_UNIT_MS") {
        Ok(millis) => Duration::from_millis(millis.parse()?),
        Err(_) => Duration::from_secs(1),
    };

    tokio::pin! {
        let interrupt = ctrl_c();
    }
    loop {
        let delivery = tokio::select! {
            delivery = consumer.next() => delivery.ok_or("the broker ended the subscription")??,
            result = &mut interrupt => break result?,
        };
        let body = String::from_utf8_lossy(&delivery.data);
        println!("Received '{body}'");
        let dots = body.matches('.').count().min(4);
        tokio::select! {
            () = sleep(unit * u32::try_from(dots)?) => (),
            // A task that is not done is not acknowledged: it goes back.
            result = &mut interrupt => break result?,
        }
        println!("Done");
        delivery.ack(BasicAckOptions::default()).await?;
    }

    connection.close(200, "done".into()).await?;
    Ok(())
}
