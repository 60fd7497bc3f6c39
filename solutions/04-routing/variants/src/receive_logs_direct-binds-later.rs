//! Variant: names its queue itself, consumes before it binds, binds each severity once and on another channel, and acknowledges by hand.

use std::{collections::BTreeSet, env, error::Error, process::ExitCode};

use futures_lite::StreamExt;
use lapin::{
    Connection, ConnectionProperties, ExchangeKind,
    options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::FieldTable,
};
use tokio::signal::ctrl_c;

#[tokio::main]
pub(crate) async fn main() -> ExitCode {
    let severities: Vec<String> = env::args().skip(1).collect();
    if severities.is_empty() {
        eprintln!("usage: receive_logs_direct [info] [warning] [error]");
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

    let queue = format!("direct_logs-{}", std::process::id());
    channel
        .queue_declare(
            queue.as_str().into(),
            QueueDeclareOptions {
                auto_delete: true,
                ..QueueDeclareOptions::exclusive()
            },
            FieldTable::default(),
        )
        .await?;
    channel.basic_qos(5, BasicQosOptions::default()).await?;
    let mut consumer = channel
        .basic_consume(
            queue.as_str().into(),
            "".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        )
        .await?;

    let other = connection.create_channel().await?;
    let severities: BTreeSet<&String> = severities.iter().collect();
    for severity in severities {
        other
            .queue_bind(
                queue.as_str().into(),
                "direct_logs".into(),
                severity.as_str().into(),
                QueueBindOptions::default(),
                FieldTable::default(),
            )
            .await?;
    }
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
                println!(" [x] Received '{severity}':'{body}'");
                delivery.ack(BasicAckOptions::default()).await?;
            }
            result = &mut interrupt => break result?,
        }
    }

    connection.close(200, "done".into()).await?;
    Ok(())
}
