//! Mistake: asks without a correlation id.
//! Finding: reused-correlation-id
//! May show: foreign-reply

use std::{env, error::Error};

use futures_lite::StreamExt;
use lapin::{
    BasicProperties, Connection, ConnectionProperties,
    options::{BasicConsumeOptions, BasicPublishOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let n = env::args().nth(1).ok_or("usage: rpc_client N")?;
    let address = env::var("AMQP_ADDR").unwrap_or_else(|_| "amqp://127.0.0.1:5672/%2f".into());
    let connection = Connection::connect(&address, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;

    // We cannot know whether the server or the client runs first, so both declare.
    channel
        .queue_declare(
            "rpc_queue".into(),
            QueueDeclareOptions::durable(),
            FieldTable::default(),
        )
        .await?;

    // Replies come into a queue that only this client can read.
    let replies = channel
        .queue_declare(
            "".into(),
            QueueDeclareOptions::exclusive(),
            FieldTable::default(),
        )
        .await?;
    let replies = replies.name().clone();
    let mut consumer = channel
        .basic_consume(
            replies.clone(),
            "".into(),
            BasicConsumeOptions {
                no_ack: true,
                ..BasicConsumeOptions::default()
            },
            FieldTable::default(),
        )
        .await?;

    println!("Requesting fib({n})");
    channel
        .basic_publish(
            "".into(),
            "rpc_queue".into(),
            BasicPublishOptions::default(),
            n.as_bytes(),
            BasicProperties::default().with_reply_to(replies),
        )
        .await?;

    let reply = consumer
        .next()
        .await
        .ok_or("the broker ended the subscription")??;

    connection.close(200, "done".into()).await?;
    let text = String::from_utf8_lossy(&reply.data);
    let headers = reply.properties.headers().as_ref();
    let error = headers.and_then(|headers| headers.inner().get("error"));
    if error == Some(&AMQPValue::Boolean(true)) {
        return Err(format!("the server says: {text}").into());
    }
    println!("Got {text}");
    Ok(())
}
