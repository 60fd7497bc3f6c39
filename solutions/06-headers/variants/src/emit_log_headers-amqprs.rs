//! Variant: with another client, amqprs.

use std::{collections::BTreeMap, env, error::Error};

use amqprs::{
    BasicProperties, FieldTable, FieldValue,
    channel::{BasicPublishArguments, ExchangeDeclareArguments},
    connection::{Connection, OpenConnectionArguments},
};

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    // A key that is inserted twice counts twice in a table of amqprs 2.1, and the broker then closes the connection.
    let mut last = BTreeMap::new();
    for pair in arguments.by_ref().take_while(|argument| argument != "--") {
        let Some((name, value)) = pair.split_once('=') else {
            return Err("usage: emit_log_headers KEY=VALUE... -- WORDS...".into());
        };
        last.insert(name.to_owned(), typed(value)?);
    }
    let mut headers = FieldTable::new();
    for (name, value) in last {
        headers.insert(name.try_into()?, value);
    }
    let words: Vec<String> = arguments.collect();
    let body = match words.join(" ") {
        words if words.is_empty() => "Hello World!".to_owned(),
        words => words,
    };

    let connection = connect().await?;
    let channel = connection.open_channel(None).await?;
    let exchange = ExchangeDeclareArguments::new("header_logs", "headers")
        .durable(true)
        .finish();
    channel.exchange_declare(exchange).await?;
    channel
        .basic_publish(
            BasicProperties::default().with_headers(headers).finish(),
            body.clone().into_bytes(),
            BasicPublishArguments::new("header_logs", ""),
        )
        .await?;
    println!(" [x] Sent {body:?}");
    channel.close().await?;
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
