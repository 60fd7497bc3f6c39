//! Mistake: sends its headers rightly, and all of its arguments as the body.
//!
//! Finding: none: the tape does not tell what the arguments were meant to be
//! Told: it published "format=pdf pages=3 -- report is ready"

use std::{env, error::Error, process::ExitCode};

use lapin::{
    BasicProperties, Connection, ConnectionProperties, ExchangeKind,
    options::{BasicPublishOptions, ExchangeDeclareOptions},
    types::{AMQPValue, FieldTable},
};

#[tokio::main]
pub(crate) async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let mut parts = arguments.splitn(2, |argument| argument == "--");
    let pairs = parts.next().unwrap_or_default();
    let body = match parts.next() {
        Some(words) if !words.is_empty() => arguments.join(" "),
        _ => "Hello World!".to_owned(),
    };

    let Some(headers) = headers(pairs) else {
        eprintln!("Usage: emit_log_headers KEY=VALUE… -- WORDS…");
        return ExitCode::FAILURE;
    };
    match emit(headers, &body).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The headers that the arguments name; `None` when one of them has no `=`.
fn headers(pairs: &[String]) -> Option<FieldTable> {
    let mut headers = FieldTable::default();
    for pair in pairs {
        let (name, value) = pair.split_once('=')?;
        headers.insert(name.into(), typed(value));
    }
    Some(headers)
}

/// Up to 18 digits are an integer, and everything else is a text.
fn typed(value: &str) -> AMQPValue {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let is_integer =
        (1..=18).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    match value.parse() {
        Ok(number) if is_integer => AMQPValue::LongLongInt(number),
        _ => AMQPValue::LongString(value.into()),
    }
}

async fn emit(headers: FieldTable, body: &str) -> Result<(), Box<dyn Error>> {
    let address = env::var("AMQP_ADDR").unwrap_or_else(|_| "amqp://127.0.0.1:5672/%2f".into());
    let connection = Connection::connect(&address, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;

    channel
        .exchange_declare(
            "header_logs".into(),
            ExchangeKind::Headers,
            ExchangeDeclareOptions {
                durable: true,
                ..ExchangeDeclareOptions::default()
            },
            FieldTable::default(),
        )
        .await?;

    channel
        .basic_publish(
            "header_logs".into(),
            "".into(),
            BasicPublishOptions::default(),
            body.as_bytes(),
            BasicProperties::default().with_headers(headers),
        )
        .await?;
    println!("Sent '{body}'");

    connection.close(200, "sent".into()).await?;
    Ok(())
}
