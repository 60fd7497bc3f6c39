//! Mistake: writes the severity into the body and leaves the routing key empty; exchanges do not look into bodies.
//!
//! Finding: other-routing-key
//! May show: other-body

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
        true => "Hello World!".to_owned(),
        false => words.join(" "),
    };

    let address = env::var("AMQP_ADDR").unwrap_or_else(|_| "amqp://127.0.0.1:5672/%2f".into());
    let connection = Connection::connect(&address, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;

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

    channel
        .basic_publish(
            "direct_logs".into(),
            "".into(),
            BasicPublishOptions::default(),
            format!("{severity}: {body}").as_bytes(),
            BasicProperties::default(),
        )
        .await?;
    println!("Sent '{severity}:{body}'");

    connection.close(200, "sent".into()).await?;
    Ok(())
}
