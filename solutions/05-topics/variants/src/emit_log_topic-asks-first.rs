//! Variant: asks whether the exchange is there before it declares it.

use std::{env, error::Error};

use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties, ExchangeKind,
    options::{BasicPublishOptions, ExchangeDeclareOptions},
    types::FieldTable,
};

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let key = arguments.next().unwrap_or("anonymous.info".to_owned());
    let words: Vec<String> = arguments.collect();
    let body = match words.is_empty() {
        true => "Hello World!".to_owned(),
        false => words.join(" "),
    };

    let address = env::var("AMQP_ADDR").unwrap_or_else(|_| "amqp://127.0.0.1:5672/%2f".into());
    let connection = Connection::connect(&address, ConnectionProperties::default()).await?;
    let channel = exchange(&connection).await?;

    channel
        .basic_publish(
            "topic_logs".into(),
            key.as_str().into(),
            BasicPublishOptions::default(),
            body.as_bytes(),
            BasicProperties::default(),
        )
        .await?;
    println!("Sent '{key}:{body}'");

    connection.close(200, "sent".into()).await?;
    Ok(())
}

/// Asks whether the exchange is there, and declares it only when it is not: the answer 404 costs a channel.
async fn exchange(connection: &Connection) -> lapin::Result<Channel> {
    let channel = connection.create_channel().await?;
    let options = ExchangeDeclareOptions {
        durable: true,
        ..ExchangeDeclareOptions::default()
    };
    let passive = ExchangeDeclareOptions {
        passive: true,
        ..options
    };
    let kind = ExchangeKind::Topic;
    let asked = channel.exchange_declare(
        "topic_logs".into(),
        kind.clone(),
        passive,
        FieldTable::default(),
    );
    if asked.await.is_ok() {
        return Ok(channel);
    }
    let channel = connection.create_channel().await?;
    channel
        .exchange_declare("topic_logs".into(), kind, options, FieldTable::default())
        .await?;
    Ok(channel)
}
