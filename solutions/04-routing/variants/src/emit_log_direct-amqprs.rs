//! Variant: with another client, amqprs.

use std::{env, error::Error};

use amqprs::{
    BasicProperties,
    channel::{BasicPublishArguments, ExchangeDeclareArguments},
    connection::{Connection, OpenConnectionArguments},
};

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (severity, words) = match arguments.split_first() {
        Some((severity, words)) => (severity.as_str(), words.join(" ")),
        None => ("info", String::new()),
    };
    let body = match words.as_str() {
        "" => "Hello World!",
        words => words,
    };

    let host = env::var("RABBITMQ_HOST").unwrap_or_else(|_| "127.0.0.1".into());
    let port = env::var("RABBITMQ_PORT").unwrap_or_else(|_| "5672".into());
    let address = OpenConnectionArguments::new(&host, port.parse()?, "guest", "guest");
    let connection = Connection::open(&address).await?;
    let channel = connection.open_channel(None).await?;
    let exchange = ExchangeDeclareArguments::new("direct_logs", "direct")
        .durable(true)
        .finish();
    channel.exchange_declare(exchange).await?;
    channel
        .basic_publish(
            BasicProperties::default(),
            body.as_bytes().to_vec(),
            BasicPublishArguments::new("direct_logs", severity),
        )
        .await?;
    println!(" [x] Sent '{severity}': {body:?}");
    channel.close().await?;
    connection.close().await?;
    Ok(())
}
