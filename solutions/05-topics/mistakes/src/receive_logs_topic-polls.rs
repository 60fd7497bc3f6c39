//! Mistake: asks for each message, again and again, instead of consuming.
//! Finding: polls

use std::{env, error::Error, process::ExitCode, time::Duration};

use lapin::{
    Channel, Connection, ConnectionProperties, ExchangeKind,
    message::Delivery,
    options::{BasicGetOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{FieldTable, ShortString},
};
use tokio::signal::ctrl_c;

#[tokio::main]
pub(crate) async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let patterns: Vec<String> = env::args().skip(1).collect();
    if patterns.is_empty() {
        eprintln!("Usage: receive_logs_topic PATTERN…");
        return Ok(ExitCode::FAILURE);
    }

    let address = env::var("AMQP_ADDR").unwrap_or_else(|_| "amqp://127.0.0.1:5672/%2f".into());
    let connection = Connection::connect(&address, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;

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

    let queue = channel
        .queue_declare(
            "".into(),
            QueueDeclareOptions::exclusive(),
            FieldTable::default(),
        )
        .await?;
    let queue = queue.name().clone();

    // One queue, and a binding for each pattern.
    for pattern in &patterns {
        channel
            .queue_bind(
                queue.clone(),
                "topic_logs".into(),
                pattern.as_str().into(),
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
            message = ask(&channel, &queue) => {
                let delivery = message?;
                let body = String::from_utf8_lossy(&delivery.data);
                println!("Received '{}:{body}'", delivery.routing_key);
            }
            result = &mut interrupt => break result?,
        }
    }

    connection.close(200, "done".into()).await?;
    Ok(ExitCode::SUCCESS)
}

/// Asks for the next message until there is one.
#[expect(clippy::disallowed_methods, reason = "that is the mistake")]
async fn ask(channel: &Channel, queue: &ShortString) -> lapin::Result<Delivery> {
    loop {
        let options = BasicGetOptions { no_ack: true };
        if let Some(message) = channel.basic_get(queue.clone(), options).await? {
            return Ok(message.delivery);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
