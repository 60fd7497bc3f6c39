//! Mistake: sends only its first word.
//!
//! Finding: none; what was expected and observed says it
//! Told: it printed the line: Sent 'First'

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
        words[0].clone()
    };

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
