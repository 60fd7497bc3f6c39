//! `worker`: takes tasks from the queue `task_queue`, one at a time, and works on them.

use std::{env, error::Error, time::Duration};

use futures_lite::StreamExt;
use lapin::{
    Connection, ConnectionProperties,
    options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions, QueueDeclareOptions},
    types::FieldTable,
};
use tokio::{signal::ctrl_c, time::sleep};

// ANCHOR: worker
#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
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

    // ANCHOR: qos
    // At most one delivery that is not acknowledged yet. It holds for the
    // consumers that come after it, so it comes first.
    channel.basic_qos(1, BasicQosOptions::default()).await?;
    // ANCHOR_END: qos

    // ANCHOR: consume
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
    // ANCHOR_END: consume

    // ANCHOR: unit
    let unit = match env::var("TASK_UNIT_MS") {
        Ok(millis) => Duration::from_millis(millis.parse()?),
        Err(_) => Duration::from_secs(1),
    };
    // ANCHOR_END: unit

    tokio::pin! {
        let interrupt = ctrl_c();
    }
    // ANCHOR: loop
    loop {
        let delivery = tokio::select! {
            delivery = consumer.next() => delivery.ok_or("the broker ended the subscription")??,
            result = &mut interrupt => break result?,
        };
        let body = String::from_utf8_lossy(&delivery.data);
        println!("Received '{body}'");

        // ANCHOR: work
        let dots = body.matches('.').count();
        tokio::select! {
            () = sleep(unit * u32::try_from(dots)?) => (),
            // A task that is not done is not acknowledged: it goes back.
            result = &mut interrupt => break result?,
        }
        println!("Done");
        // ANCHOR_END: work

        // ANCHOR: ack
        delivery.ack(BasicAckOptions::default()).await?;
        // ANCHOR_END: ack
    }
    // ANCHOR_END: loop

    connection.close(200, "done".into()).await?;
    Ok(())
}
// ANCHOR_END: worker
