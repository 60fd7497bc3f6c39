//! `emit_log`: publishes one log line to everybody who listens.

use std::{env, error::Error};

use lapin::{
    BasicProperties, Connection, ConnectionProperties, ExchangeKind,
    options::{BasicPublishOptions, ExchangeDeclareOptions},
    types::FieldTable,
};

// ANCHOR: emit_log
#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // ANCHOR: words
    let words: Vec<String> = env::args().skip(1).collect();
    let body = match words.is_empty() {
        true => "info: Hello World!".to_owned(),
        false => words.join(" "),
    };
    // ANCHOR_END: words

    let address = env::var("AMQP_ADDR").unwrap_or_else(|_| "amqp://127.0.0.1:5672/%2f".into());
    let connection = Connection::connect(&address, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;

    // ANCHOR: exchange
    // A fanout exchange copies each message to every queue that is bound to it.
    // `receive_logs` declares it too, with the same options.
    channel
        .exchange_declare(
            "logs".into(),
            ExchangeKind::Fanout,
            ExchangeDeclareOptions {
                durable: true,
                ..ExchangeDeclareOptions::default()
            },
            FieldTable::default(),
        )
        .await?;
    // ANCHOR_END: exchange

    // ANCHOR: publish
    // No queue is named here: the publisher does not know who listens.
    channel
        .basic_publish(
            "logs".into(),
            "".into(),
            BasicPublishOptions::default(),
            body.as_bytes(),
            BasicProperties::default(),
        )
        .await?;
    println!("Sent '{body}'");
    // ANCHOR_END: publish

    connection.close(200, "sent".into()).await?;
    Ok(())
}
// ANCHOR_END: emit_log
