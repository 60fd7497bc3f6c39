//! `new_task WORDS…`: puts one task into the queue `task_queue`.

use std::{env, error::Error};

use lapin::{
    BasicProperties, Connection, ConnectionProperties,
    options::{BasicPublishOptions, QueueDeclareOptions},
    types::FieldTable,
};

// ANCHOR: new_task
#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // ANCHOR: words
    let words: Vec<String> = env::args().skip(1).collect();
    let task = if words.is_empty() {
        "Hello World!".to_owned()
    } else {
        words.join(" ")
    };
    // ANCHOR_END: words

    let address = env::var("AMQP_ADDR").unwrap_or_else(|_| "amqp://127.0.0.1:5672/%2f".into());
    let connection = Connection::connect(&address, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;

    // ANCHOR: declare
    // Durable: the queue is still there after a restart of the broker.
    channel
        .queue_declare(
            "task_queue".into(),
            QueueDeclareOptions::durable(),
            FieldTable::default(),
        )
        .await?;
    // ANCHOR_END: declare

    // ANCHOR: publish
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
    // ANCHOR_END: publish

    connection.close(200, "sent".into()).await?;
    Ok(())
}
// ANCHOR_END: new_task
