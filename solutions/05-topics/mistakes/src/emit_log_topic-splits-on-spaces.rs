//! Mistake: takes its arguments for one line, and the first word of it for the key: a key with a space in it is torn.
//!
//! Finding: other-routing-key

use std::{env, error::Error};

use lapin::{
    BasicProperties, Connection, ConnectionProperties, ExchangeKind,
    options::{BasicPublishOptions, ExchangeDeclareOptions},
    types::FieldTable,
};

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let line = env::args().skip(1).collect::<Vec<_>>().join(" ");
    let mut line_words = line.split(' ').map(str::to_owned);
    let key = match line.is_empty() {
        true => "anonymous.info".to_owned(),
        false => line_words.next().unwrap_or_default(),
    };
    let words: Vec<String> = line_words.collect();
    let body = match words.iter().all(String::is_empty) {
        true => "Hello World!".to_owned(),
        false => words.join(" "),
    };

    let address = env::var("AMQP_ADDR").unwrap_or_else(|_| "amqp://127.0.0.1:5672/%2f".into());
    let connection = Connection::connect(&address, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;

    // A topic exchange compares the key of each message with the patterns of its bindings.
    channel
        .exchange_declare(
            "topic_logs".into(),
            ExchangeKind::Topic,
            ExchangeDeclareOptions {
                durable: true,
                ..ExchangeDeclareOptions::default()
            },
            FieldTable::default(),
        )
        .await?;

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
