//! Mistake: with a severity and no words the line is empty.
//!
//! Finding: none: what it was to send is on no tape
//! Told: it got ""

use std::{env, error::Error};

use lapin::{
    BasicProperties, Connection, ConnectionProperties, ExchangeKind,
    options::{BasicPublishOptions, ExchangeDeclareOptions},
    types::FieldTable,
};

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let severity = arguments.next().unwrap_or_else(|| "info".to_owned());
    let words: Vec<String> = arguments.collect();
    let body = match words.is_empty() {
        true if env::args().len() < 2 => "Hello World!".to_owned(),
        _ => words.join(" "),
    };

    let address = env::var("AMQP_ADDR").unwrap_or_else(|_| "amqp://127.0.0.1:5672/%2f".into());
    let connection = Connection::connect(&address, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;

    // A direct exchange compares the routing key with the key of each binding.
    // `receive_logs_direct` declares it too, with the same options.
    channel
        .exchange_declare(
            "direct_logs".into(),
            ExchangeKind::Direct,
            ExchangeDeclareOptions {
                durable: true,
                ..ExchangeDeclareOptions::default()
            },
            FieldTable::default(),
        )
        .await?;

    // The severity is not part of the body: exchanges do not look into bodies.
    channel
        .basic_publish(
            "direct_logs".into(),
            severity.as_str().into(),
            BasicPublishOptions::default(),
            body.as_bytes(),
            BasicProperties::default(),
        )
        .await?;
    println!("Sent '{severity}:{body}'");

    connection.close(200, "sent".into()).await?;
    Ok(())
}
