//! Variant: with another client, amqprs.

use std::{env, error::Error};

use amqprs::{
    BasicProperties,
    channel::{BasicPublishArguments, ExchangeDeclareArguments},
    connection::{Connection, OpenConnectionArguments},
};

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = env::args().skip(1).collect();
    let body = match words.is_empty() {
        true => "info: Hello World!".to_owned(),
        false => words.join(" "),
    };

    let host = env::var("RABBITMQ_HOST").unwrap_or_else(|_| "127.0.0.1".into());
    let port = env::var("RABBITMQ_PORT").unwrap_or_else(|_| "5672".into());
    let address = OpenConnectionArguments::new(&host, port.parse()?, "guest", "guest");
    let connection = Connection::open(&address).await?;
    let channel = connection.open_channel(None).await?;
    let exchange = ExchangeDeclareArguments::new("logs", "fanout")
        .durable(true)
        .finish();
    channel.exchange_declare(exchange).await?;
    channel
        .basic_publish(
            BasicProperties::default(),
            body.as_bytes().to_vec(),
            BasicPublishArguments::new("logs", ""),
        )
        .await?;
    println!(" [x] Sent {body:?}");
    channel.close().await?;
    connection.close().await?;
    Ok(())
}
