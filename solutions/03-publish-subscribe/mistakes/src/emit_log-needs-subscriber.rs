//! Mistake: takes it for an error that nobody listens.
//!
//! Finding: none: it is no fault of AMQP that nobody listens
//! Told: it exited with code 1

use std::{env, error::Error};

use lapin::{
    BasicProperties, Connection, ConnectionProperties, ExchangeKind,
    options::{BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions},
    types::FieldTable,
};

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = env::args().skip(1).collect();
    let body = match words.is_empty() {
        true => "info: Hello World!".to_owned(),
        false => words.join(" "),
    };

    let address = env::var("AMQP_ADDR").unwrap_or_else(|_| "amqp://127.0.0.1:5672/%2f".into());
    let connection = Connection::connect(&address, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;

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

    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await?;
    let confirmation = channel
        .basic_publish(
            "logs".into(),
            "".into(),
            BasicPublishOptions {
                mandatory: true,
                ..BasicPublishOptions::default()
            },
            body.as_bytes(),
            BasicProperties::default(),
        )
        .await?
        .await?;
    if confirmation.take_message().is_some() {
        connection.close(200, "returned".into()).await?;
        return Err("nobody listens".into());
    }
    println!("Sent '{body}'");

    connection.close(200, "sent".into()).await?;
    Ok(())
}
