//! Mistake: binds the queue to an exchange, and publishes to that.
//!
//! Finding: left-behind

use std::{env, error::Error};

use lapin::{
    BasicProperties, Connection, ConnectionProperties,
    options::{BasicPublishOptions, QueueBindOptions, QueueDeclareOptions},
    types::FieldTable,
};

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    // Connect to the broker, and open a channel on the connection.
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

    channel
        .queue_bind(
            "hello".into(),
            "amq.direct".into(),
            "hello".into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        )
        .await?;

    channel
        .basic_publish(
            "amq.direct".into(),
            "hello".into(),
            BasicPublishOptions::default(),
            b"Hello World!",
            BasicProperties::default(),
        )
        .await?;
    println!("Sent 'Hello World!'");

    // Close properly: everything that was written before reaches the broker.
    connection.close(200, "sent".into()).await?;
    Ok(())
}
