//! Mistake: takes one message and ends.
//!
//! Finding: stopped-early
//! May show: work-lost

use std::{env, error::Error};

use futures_lite::StreamExt;
use lapin::{
    Connection, ConnectionProperties,
    options::{BasicConsumeOptions, QueueDeclareOptions},
    types::FieldTable,
};
#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let address = env::var("AMQP_ADDR").unwrap_or_else(|_| "amqp://127.0.0.1:5672/%2f".into());
    let connection = Connection::connect(&address, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel
        .queue_declare(
            "hello".into(),
            QueueDeclareOptions::durable(),
            FieldTable::default(),
        )
        .await?;
    let mut consumer = channel
        .basic_consume(
            "hello".into(),
            "".into(),
            BasicConsumeOptions {
                no_ack: true,
                ..BasicConsumeOptions::default()
            },
            FieldTable::default(),
        )
        .await?;
    println!("Waiting for messages. To exit press CTRL+C");
    let delivery = consumer
        .next()
        .await
        .ok_or("the broker ended the subscription")??;
    println!("Received '{}'", String::from_utf8_lossy(&delivery.data));

    connection.close(200, "done".into()).await?;
    Ok(())
}
