//! Variant: binds an exchange of its own to `direct_logs` with each severity, and its queue to that one.

use std::{env, error::Error, process::ExitCode};

use futures_lite::StreamExt;
use lapin::{
    Connection, ConnectionProperties, ExchangeKind,
    options::{
        BasicConsumeOptions, ExchangeBindOptions, ExchangeDeclareOptions, QueueBindOptions,
        QueueDeclareOptions,
    },
    types::{FieldTable, ShortString},
};
use tokio::signal::ctrl_c;

#[tokio::main]
pub(crate) async fn main() -> ExitCode {
    let severities: Vec<String> = env::args().skip(1).collect();
    if severities.is_empty() {
        eprintln!("Usage: receive_logs_direct SEVERITY…");
        return ExitCode::FAILURE;
    }
    match receive(&severities).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn receive(severities: &[String]) -> Result<(), Box<dyn Error>> {
    let address = env::var("AMQP_ADDR").unwrap_or_else(|_| "amqp://127.0.0.1:5672/%2f".into());
    let connection = Connection::connect(&address, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;

    // We cannot know which program runs first, so both declare.
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

    let queue = channel
        .queue_declare(
            "".into(),
            QueueDeclareOptions::exclusive(),
            FieldTable::default(),
        )
        .await?;
    let queue = queue.name().clone();

    let own: ShortString = format!("lines.{queue}").into();
    channel
        .exchange_declare(
            own.clone(),
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
            own.clone(),
            "".into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        )
        .await?;
    for severity in severities {
        channel
            .exchange_bind(
                own.clone(),
                "direct_logs".into(),
                severity.as_str().into(),
                ExchangeBindOptions::default(),
                FieldTable::default(),
            )
            .await?;
    }

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
                let severity = &delivery.routing_key;
                let body = String::from_utf8_lossy(&delivery.data);
                println!("Received '{severity}:{body}'");
            }
            result = &mut interrupt => break result?,
        }
    }

    connection.close(200, "done".into()).await?;
    Ok(())
}
