//! Variant: with another client, amqprs.

use std::{env, error::Error};

use amqprs::{
    BasicProperties,
    channel::{BasicPublishArguments, QueueDeclareArguments},
    connection::{Connection, OpenConnectionArguments},
};

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let host = env::var("RABBITMQ_HOST").unwrap_or_else(|_| "127.0.0.1".into());
    let port = env::var("RABBITMQ_PORT").unwrap_or_else(|_| "5672".into());
    let address = OpenConnectionArguments::new(&host, port.parse()?, "guest", "guest");
    let connection = Connection::open(&address).await?;
    let channel = connection.open_channel(None).await?;
    channel
        .queue_declare(QueueDeclareArguments::durable_client_named("hello"))
        .await?;
    channel
        .basic_publish(
            BasicProperties::default(),
            b"Hello World!".to_vec(),
            BasicPublishArguments::new("", "hello"),
        )
        .await?;
    println!("Sent 'Hello World!'");
    channel.close().await?;
    connection.close().await?;
    Ok(())
}
