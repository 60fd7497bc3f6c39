//! Variant: with another client, amqprs.

use std::{collections::BTreeMap, env, error::Error};

use amqprs::{
    FieldTable, FieldValue,
    channel::{
        BasicConsumeArguments, ExchangeDeclareArguments, QueueBindArguments, QueueDeclareArguments,
    },
    connection::{Connection, OpenConnectionArguments},
};
use tokio::signal::ctrl_c;

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let usage = "usage: receive_logs_headers all|any KEY=VALUE...";
    // A key that is inserted twice counts twice in a table of amqprs 2.1, and the broker then closes the connection.
    let mut last = BTreeMap::new();
    match arguments.first().map(String::as_str) {
        Some(how @ ("all" | "any")) => {
            last.insert("x-match", FieldValue::S(how.try_into()?));
        }
        _ => return Err(usage.into()),
    }
    for pair in &arguments[1..] {
        let Some((name, value)) = pair.split_once('=') else {
            return Err(usage.into());
        };
        last.insert(name, typed(value)?);
    }
    let mut binding = FieldTable::new();
    for (name, value) in last {
        binding.insert(name.try_into()?, value);
    }

    let connection = connect().await?;
    let channel = connection.open_channel(None).await?;
    let exchange = ExchangeDeclareArguments::new("header_logs", "headers")
        .durable(true)
        .finish();
    channel.exchange_declare(exchange).await?;
    let declare = QueueDeclareArguments::exclusive_server_named();
    let (queue, _, _) = channel
        .queue_declare(declare)
        .await?
        .ok_or("the broker did not answer")?;
    let bind = QueueBindArguments::new(&queue, "header_logs", "")
        .arguments(binding)
        .finish();
    channel.queue_bind(bind).await?;
    let mut consume = BasicConsumeArguments::new(&queue, "");
    consume.auto_ack(true);
    let (_tag, mut deliveries) = channel.basic_consume_rx(consume).await?;
    println!(" [*] Waiting for logs. To exit press CTRL+C");
    loop {
        tokio::select! {
            delivery = deliveries.recv() => {
                let body = delivery.ok_or("the subscription ended")?.content.unwrap_or_default();
                println!(" [x] {:?}", String::from_utf8_lossy(&body));
            }
            result = ctrl_c() => break result?,
        }
    }
    connection.close().await?;
    Ok(())
}

/// Up to 18 digits are an integer, and everything else is a text.
fn typed(value: &str) -> Result<FieldValue, Box<dyn Error>> {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let is_integer =
        (1..=18).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    Ok(match value.parse() {
        Ok(number) if is_integer => FieldValue::l(number),
        _ => FieldValue::S(value.try_into()?),
    })
}

async fn connect() -> Result<Connection, Box<dyn Error>> {
    let host = env::var("RABBITMQ_HOST").unwrap_or_else(|_| "127.0.0.1".into());
    let port = env::var("RABBITMQ_PORT").unwrap_or_else(|_| "5672".into());
    let address = OpenConnectionArguments::new(&host, port.parse()?, "guest", "guest");
    Ok(Connection::open(&address).await?)
}
