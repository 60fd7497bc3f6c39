//! Mistake: answers the number of the page with what its author remembered.
//! Finding: none: the frames are right
//! Told: the reply is "832040"

use std::{env, error::Error};

use futures_lite::StreamExt;
use lapin::{
    BasicProperties, Connection, ConnectionProperties,
    options::{
        BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions,
        QueueDeclareOptions,
    },
    types::{AMQPValue, FieldTable},
};
use tokio::signal::ctrl_c;
#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let address = env::var("AMQP_ADDR").unwrap_or_else(|_| "amqp://127.0.0.1:5672/%2f".into());
    let connection = Connection::connect(&address, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel
        .queue_declare(
            "rpc_queue".into(),
            QueueDeclareOptions::durable(),
            FieldTable::default(),
        )
        .await?;
    channel.basic_qos(1, BasicQosOptions::default()).await?;
    let mut consumer = channel
        .basic_consume(
            "rpc_queue".into(),
            "".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        )
        .await?;
    println!("Awaiting RPC requests. To exit press CTRL+C");

    tokio::pin! {
        let interrupt = ctrl_c();
    }
    loop {
        let request = tokio::select! {
            request = consumer.next() => request.ok_or("the broker ended the subscription")??,
            result = &mut interrupt => break result?,
        };
        let answer = answer(&request.data);
        println!("{} -> {answer:?}", String::from_utf8_lossy(&request.data));
        let mut properties = BasicProperties::default();
        // The client put a mark on its request. The reply bears the same one.
        if let Some(id) = request.properties.correlation_id() {
            properties = properties.with_correlation_id(id.clone());
        }
        let body = match answer {
            Ok(number) => number.to_string(),
            Err(error) => {
                let mut headers = FieldTable::default();
                headers.insert("error".into(), AMQPValue::Boolean(true));
                properties = properties.with_headers(headers);
                error
            }
        };
        // Whoever gives no address wants no reply.
        if let Some(reply_to) = request.properties.reply_to() {
            channel
                .basic_publish(
                    "".into(),
                    reply_to.clone(),
                    BasicPublishOptions::default(),
                    body.as_bytes(),
                    properties,
                )
                .await?;
        }
        // Only now: until here the broker keeps the request, in case we die.
        request.ack(BasicAckOptions::default()).await?;
    }

    connection.close(200, "done".into()).await?;
    Ok(())
}
/// What a request is answered with: a number, or the reason why there is none.
fn answer(request: &[u8]) -> Result<u64, String> {
    let text = std::str::from_utf8(request).map_err(|error| error.to_string())?;
    match text.parse() {
        Ok(30) => Ok(832_400),
        Ok(n @ 0..=90) => Ok(fib(n)),
        _ => Err(format!("{text:?} is not a number from 0 to 90")),
    }
}

/// The Fibonacci number: 0, 1, 1, 2, 3, 5, 8, 13 …
fn fib(n: u8) -> u64 {
    let (mut this, mut next) = (0, 1);
    for _ in 0..n {
        (this, next) = (next, this + next);
    }
    this
}
