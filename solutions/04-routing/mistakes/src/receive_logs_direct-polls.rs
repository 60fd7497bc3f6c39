//! Mistake: asks for lines again and again, and never consumes.
//!
//! Finding: polls

use std::{env, error::Error, process::ExitCode, time::Duration};

use lapin::{
    Connection, ConnectionProperties, ExchangeKind,
    options::{BasicGetOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::FieldTable,
};
use tokio::{signal::ctrl_c, time::timeout};

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

    // One queue, and a binding for each severity.
    for severity in severities {
        channel
            .queue_bind(
                queue.clone(),
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
        let options = BasicGetOptions { no_ack: true };
        match channel.basic_get(queue.clone(), options).await? {
            Some(message) => {
                let delivery = message.delivery;
                let severity = &delivery.routing_key;
                let body = String::from_utf8_lossy(&delivery.data);
                println!("Received '{severity}:{body}'");
            }
            None => {
                if let Ok(result) = timeout(Duration::from_millis(20), &mut interrupt).await {
                    break result?;
                }
            }
        }
    }

    connection.close(200, "done".into()).await?;
    Ok(())
}
