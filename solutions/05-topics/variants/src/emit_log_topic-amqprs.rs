//! Variant: with another client, amqprs.

use std::{env, error::Error};

use amqprs::{
    BasicProperties,
    channel::{BasicPublishArguments, ExchangeDeclareArguments},
    connection::{Connection, OpenConnectionArguments},
};

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let mut words: Vec<String> = env::args().skip(1).collect();
    let key = match words.is_empty() {
        true => "anonymous.info".to_owned(),
        false => words.remove(0),
    };
    if words.is_empty() {
        words.push("Hello World!".to_owned());
    }
    let body = words.join(" ");

    let host = env::var("RABBITMQ_HOST").unwrap_or_else(|_| "127.0.0.1".into());
    let port = env::var("RABBITMQ_PORT").unwrap_or_else(|_| "5672".into());
    let address = OpenConnectionArguments::new(&host, port.parse()?, "guest", "guest");
    let connection = Connection::open(&address).await?;
    let channel = connection.open_channel(None).await?;
    let mut exchange = ExchangeDeclareArguments::new("topic_logs", "topic");
    exchange.durable(true);
    channel.exchange_declare(exchange).await?;
    channel
        .basic_publish(
            BasicProperties::default(),
            body.clone().into_bytes(),
            BasicPublishArguments::new("topic_logs", &key),
        )
        .await?;
    println!("Sent '{key}':'{body}'");
    channel.close().await?;
    connection.close().await?;
    Ok(())
}
