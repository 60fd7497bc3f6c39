//! Variant: with another client, amqprs.

use std::{env, error::Error};

use amqprs::{
    BasicProperties, DELIVERY_MODE_PERSISTENT,
    channel::{BasicPublishArguments, QueueDeclareArguments},
    connection::{Connection, OpenConnectionArguments},
};

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = env::args().skip(1).collect();
    let task = if words.is_empty() {
        "Hello World!".to_owned()
    } else {
        words.join(" ")
    };

    let host = env::var("RABBITMQ_HOST").unwrap_or_else(|_| "127.0.0.1".into());
    let port = env::var("RABBITMQ_PORT").unwrap_or_else(|_| "5672".into());
    let address = OpenConnectionArguments::new(&host, port.parse()?, "guest", "guest");
    let connection = Connection::open(&address).await?;
    let channel = connection.open_channel(None).await?;
    channel
        .queue_declare(QueueDeclareArguments::durable_client_named("task_queue"))
        .await?;
    let mut properties = BasicProperties::default();
    properties.with_delivery_mode(DELIVERY_MODE_PERSISTENT);
    channel
        .basic_publish(
            properties,
            task.as_bytes().to_vec(),
            BasicPublishArguments::new("", "task_queue"),
        )
        .await?;
    println!(" [x] Sent {task:?}");
    channel.close().await?;
    connection.close().await?;
    Ok(())
}
