//! Mistake: asks for messages again and again, and never consumes.
//!
//! Finding: polls

use std::{env, error::Error, time::Duration};

use lapin::{
    Connection, ConnectionProperties,
    options::{BasicGetOptions, QueueDeclareOptions},
    types::FieldTable,
};
use tokio::{signal::ctrl_c, time::timeout};

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let address = env::var("AMQP_ADDR").unwrap_or_else(|_| "amqp://127.0.0.1:5672/%2f".into());
    let connection = Connection::connect(&address, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;

    // We cannot know whether `send` or `receive` runs first, so both declare.
    channel
        .queue_declare(
            "hello".into(),
            QueueDeclareOptions::durable(),
            FieldTable::default(),
        )
        .await?;

    println!("Waiting for messages. To exit press CTRL+C");

    tokio::pin! {
        let interrupt = ctrl_c();
    }
    loop {
        let options = BasicGetOptions { no_ack: true };
        match channel.basic_get("hello".into(), options).await? {
            Some(message) => {
                let body = String::from_utf8_lossy(&message.delivery.data);
                println!("Received '{body}'");
            }
            None => {
                if let Ok(result) = timeout(Duration::from_millis(20), &mut interrupt).await {
                    break result?;
                }
            }
        }
    }

    connection.close(200, "done".into()).await?;
    Ok(())
}
