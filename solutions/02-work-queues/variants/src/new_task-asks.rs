//! Variant: asks whether the queue is there, and declares it only when it is not.

use std::{env, error::Error};

use lapin::{
    BasicProperties, Connection, ConnectionProperties,
    options::{BasicPublishOptions, QueueDeclareOptions},
    types::FieldTable,
};

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = env::args().skip(1).collect();
    let task = if words.is_empty() {
        "Hello World!".to_owned()
    } else {
        words.join(" ")
    };

    let address = env::var("AMQP_ADDR").unwrap_or_else(|_| "amqp://127.0.0.1:5672/%2f".into());
    let connection = Connection::connect(&address, ConnectionProperties::default()).await?;
    let mut channel = connection.create_channel().await?;

    // Asks whether the queue is there; when it is not, the broker closes the channel (404).
    let passive = QueueDeclareOptions {
        passive: true,
        ..QueueDeclareOptions::default()
    };
    let asked = channel
        .queue_declare("task_queue".into(), passive, FieldTable::default())
        .await;
    if asked.is_err() {
        channel = connection.create_channel().await?;
        let durable = QueueDeclareOptions::durable();
        channel
            .queue_declare("task_queue".into(), durable, FieldTable::default())
            .await?;
    }

    // Persistent: so is the message.
    let persistent = BasicProperties::default().with_delivery_mode(2);
    channel
        .basic_publish(
            "".into(),
            "task_queue".into(),
            BasicPublishOptions::default(),
            task.as_bytes(),
            persistent,
        )
        .await?;
    println!("Sent '{task}'");

    connection.close(200, "sent".into()).await?;
    Ok(())
}
