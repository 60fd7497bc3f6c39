//! Variant: asks whether the queue is there, and declares it only when it is not.

use std::{env, error::Error};

use lapin::{
    BasicProperties, Connection, ConnectionProperties,
    options::{BasicPublishOptions, QueueDeclareOptions},
    types::FieldTable,
};

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    // Connect to the broker, and open a channel on the connection.
    let address = env::var("AMQP_ADDR").unwrap_or_else(|_| "amqp://127.0.0.1:5672/%2f".into());
    let connection = Connection::connect(&address, ConnectionProperties::default()).await?;
    let mut channel = connection.create_channel().await?;

    // Asks whether the queue is there; when it is not, the broker closes the channel (404).
    let passive = QueueDeclareOptions {
        passive: true,
        ..QueueDeclareOptions::default()
    };
    let asked = channel
        .queue_declare("hello".into(), passive, FieldTable::default())
        .await;
    if asked.is_err() {
        channel = connection.create_channel().await?;
        let durable = QueueDeclareOptions::durable();
        channel
            .queue_declare("hello".into(), durable, FieldTable::default())
            .await?;
    }

    // Publish through the default exchange (the empty name), which hands a
    // message to the queue that is named by its routing key.
    channel
        .basic_publish(
            "".into(),
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
