//! Variant: with another client, amqprs.

use std::{env, error::Error, process::ExitCode};

use amqprs::{
    channel::{
        BasicConsumeArguments, ExchangeDeclareArguments, QueueBindArguments, QueueDeclareArguments,
    },
    connection::{Connection, OpenConnectionArguments},
};
use tokio::signal::ctrl_c;

#[tokio::main]
pub(crate) async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let patterns: Vec<String> = env::args().skip(1).collect();
    if patterns.is_empty() {
        eprintln!("usage: receive_logs_topic [pattern]...");
        return Ok(ExitCode::FAILURE);
    }

    let host = env::var("RABBITMQ_HOST").unwrap_or_else(|_| "127.0.0.1".into());
    let port = env::var("RABBITMQ_PORT").unwrap_or_else(|_| "5672".into());
    let address = OpenConnectionArguments::new(&host, port.parse()?, "guest", "guest");
    let connection = Connection::open(&address).await?;
    let channel = connection.open_channel(None).await?;
    let mut exchange = ExchangeDeclareArguments::new("topic_logs", "topic");
    exchange.durable(true);
    channel.exchange_declare(exchange).await?;

    let declared = channel
        .queue_declare(QueueDeclareArguments::exclusive_server_named())
        .await?;
    let (queue, ..) = declared.ok_or("the broker did not answer")?;
    for pattern in &patterns {
        channel
            .queue_bind(QueueBindArguments::new(&queue, "topic_logs", pattern))
            .await?;
    }

    let mut consume = BasicConsumeArguments::new(&queue, "");
    consume.auto_ack(true);
    let (_tag, mut deliveries) = channel.basic_consume_rx(consume).await?;
    println!(" [*] Waiting for logs. To exit press CTRL+C");
    loop {
        tokio::select! {
            delivery = deliveries.recv() => {
                let delivery = delivery.ok_or("the subscription ended")?;
                let deliver = delivery.deliver.ok_or("a delivery without its method")?;
                let body = delivery.content.unwrap_or_default();
                println!("Received {}: {}", deliver.routing_key(), String::from_utf8_lossy(&body));
            }
            result = ctrl_c() => break result?,
        }
    }
    connection.close().await?;
    Ok(ExitCode::SUCCESS)
}
