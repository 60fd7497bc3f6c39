//! Variant: binds an exchange of its own with the headers, and its queue to that one.

use std::{env, error::Error, process::ExitCode};

use futures_lite::StreamExt;
use lapin::{
    Connection, ConnectionProperties, ExchangeKind,
    options::{
        BasicConsumeOptions, ExchangeBindOptions, ExchangeDeclareOptions, QueueBindOptions,
        QueueDeclareOptions,
    },
    types::{AMQPValue, FieldTable},
};
use tokio::signal::ctrl_c;

#[tokio::main]
pub(crate) async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let Some(binding) = binding(&arguments) else {
        eprintln!("Usage: receive_logs_headers all|any KEY=VALUE…");
        return ExitCode::FAILURE;
    };
    match receive(binding).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The arguments of the binding; `None` when the program's arguments are not as they ought to be.
fn binding(arguments: &[String]) -> Option<FieldTable> {
    let (how, pairs) = arguments.split_first()?;
    if how != "all" && how != "any" {
        return None;
    }
    let mut binding = FieldTable::default();
    for pair in pairs {
        let (name, value) = pair.split_once('=')?;
        binding.insert(name.into(), typed(value));
    }
    binding.insert("x-match".into(), AMQPValue::LongString(how.as_str().into()));
    Some(binding)
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

async fn receive(binding: FieldTable) -> Result<(), Box<dyn Error>> {
    let address = env::var("AMQP_ADDR").unwrap_or_else(|_| "amqp://127.0.0.1:5672/%2f".into());
    let connection = Connection::connect(&address, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;

    // We cannot know which program runs first, so both declare.
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

    let queue = channel
        .queue_declare(
            "".into(),
            QueueDeclareOptions::exclusive(),
            FieldTable::default(),
        )
        .await?;
    let queue = queue.name().clone();

    // The queue takes from an exchange of our own, and that takes from the one for everybody.
    let own = format!("header_logs.{}", queue.as_str());
    channel
        .exchange_declare(
            own.as_str().into(),
            ExchangeKind::Fanout,
            ExchangeDeclareOptions {
                auto_delete: true,
                ..ExchangeDeclareOptions::default()
            },
            FieldTable::default(),
        )
        .await?;
    channel
        .queue_bind(
            queue.clone(),
            own.as_str().into(),
            "".into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        )
        .await?;
    channel
        .exchange_bind(
            own.as_str().into(),
            "header_logs".into(),
            "".into(),
            ExchangeBindOptions::default(),
            binding,
        )
        .await?;

    let mut consumer = channel
        .basic_consume(
            queue,
            "".into(),
            BasicConsumeOptions {
                no_ack: true,
                ..BasicConsumeOptions::default()
            },
            FieldTable::default(),
        )
        .await?;
    println!("Waiting for logs. To exit press CTRL+C");

    tokio::pin! {
        let interrupt = ctrl_c();
    }
    loop {
        tokio::select! {
            delivery = consumer.next() => {
                let delivery = delivery.ok_or("the broker ended the subscription")??;
                println!("Received '{}'", String::from_utf8_lossy(&delivery.data));
            }
            result = &mut interrupt => break result?,
        }
    }

    connection.close(200, "done".into()).await?;
    Ok(())
}
