//! Mistake: takes an empty queue for the end.
//!
//! Finding: stopped-early

use std::{env, error::Error};

use lapin::{
    Connection, ConnectionProperties,
    options::{BasicGetOptions, QueueDeclareOptions},
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
    println!("Waiting for messages. To exit press CTRL+C");
    let options = BasicGetOptions { no_ack: true };
    while let Some(message) = channel.basic_get("hello".into(), options).await? {
        let body = String::from_utf8_lossy(&message.delivery.data);
        println!("Received '{body}'");
    }

    connection.close(200, "done".into()).await?;
    Ok(())
}
