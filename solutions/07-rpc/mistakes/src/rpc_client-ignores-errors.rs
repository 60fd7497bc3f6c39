//! Mistake: takes an error reply for a result.
//! Finding: none: nobody but the check knows of the header
//! Told: the server replied with an error

use std::{
    env,
    error::Error,
    process,
    time::{SystemTime, UNIX_EPOCH},
};

use futures_lite::StreamExt;
use lapin::{
    BasicProperties, Connection, ConnectionProperties,
    options::{BasicConsumeOptions, BasicPublishOptions, QueueDeclareOptions},
    types::FieldTable,
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

    let id = fresh_id()?;
    println!("Requesting fib({n})");
    channel
        .basic_publish(
            "".into(),
            "rpc_queue".into(),
            BasicPublishOptions::default(),
            n.as_bytes(),
            BasicProperties::default()
                .with_correlation_id(id.clone().into())
                .with_reply_to(replies),
        )
        .await?;

    let reply = loop {
        let reply = consumer
            .next()
            .await
            .ok_or("the broker ended the subscription")??;
        let its_id = reply.properties.correlation_id().as_ref();
        if its_id.is_some_and(|its_id| its_id.as_str() == id) {
            break reply;
        }
        // Not for this call: ignored.
    };

    connection.close(200, "done".into()).await?;
    let text = String::from_utf8_lossy(&reply.data);
    println!("Got {text}");
    Ok(())
}

/// An id that no other call has: this process, at this moment.
fn fresh_id() -> Result<String, Box<dyn Error>> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(format!("{}-{}", process::id(), now.as_nanos()))
}
