//! Mistake: asks for tasks again and again, and never consumes.
//!
//! Finding: polls

use std::{env, error::Error, time::Duration};

use lapin::{
    Connection, ConnectionProperties,
    options::{BasicAckOptions, BasicGetOptions, QueueDeclareOptions},
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

    println!("Waiting for messages. To exit press CTRL+C");

    let unit = match env::var("TASK_UNIT_MS") {
        Ok(millis) => Duration::from_millis(millis.parse()?),
        Err(_) => Duration::from_secs(1),
    };

    tokio::pin! {
        let interrupt = ctrl_c();
    }
    loop {
        let options = BasicGetOptions::default();
        let Some(message) = channel.basic_get("task_queue".into(), options).await? else {
            tokio::select! {
                () = sleep(Duration::from_millis(20)) => continue,
                result = &mut interrupt => break result?,
            }
        };
        let delivery = message.delivery;
        let body = String::from_utf8_lossy(&delivery.data);
        println!("Received '{body}'");

        let dots = body.matches('.').count();
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
