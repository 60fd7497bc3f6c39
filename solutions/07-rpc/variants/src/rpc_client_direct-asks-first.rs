//! Variant: asks whether the queue is there before it declares it.

use std::{
    env,
    error::Error,
    process,
    time::{SystemTime, UNIX_EPOCH},
};

use futures_lite::StreamExt;
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties,
    options::{BasicConsumeOptions, BasicPublishOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let n = env::args().nth(1).ok_or("usage: rpc_client_direct N")?;
    let address = env::var("AMQP_ADDR").unwrap_or_else(|_| "amqp://127.0.0.1:5672/%2f".into());
    let connection = Connection::connect(&address, ConnectionProperties::default()).await?;
    let channel = queue(&connection).await?;

    // Not a queue, although it looks like one: replies come straight to this
    // channel. It must consume before it asks, and without acknowledgements.
    let mut consumer = channel
        .basic_consume(
            "amq.rabbitmq.reply-to".into(),
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
                .with_reply_to("amq.rabbitmq.reply-to".into()),
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
    let headers = reply.properties.headers().as_ref();
    let error = headers.and_then(|headers| headers.inner().get("error"));
    if error == Some(&AMQPValue::Boolean(true)) {
        return Err(format!("the server says: {text}").into());
    }
    println!("Got {text}");
    Ok(())
}

/// An id that no other call has: this process, at this moment.
fn fresh_id() -> Result<String, Box<dyn Error>> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(format!("{}-{}", process::id(), now.as_nanos()))
}

/// Asks whether the queue is there, and declares it only when it is not: the answer 404 costs a channel.
async fn queue(connection: &Connection) -> lapin::Result<Channel> {
    let channel = connection.create_channel().await?;
    let options = QueueDeclareOptions::durable();
    let passive = QueueDeclareOptions {
        passive: true,
        ..options
    };
    let asked = channel.queue_declare("rpc_queue".into(), passive, FieldTable::default());
    if asked.await.is_ok() {
        return Ok(channel);
    }
    let channel = connection.create_channel().await?;
    channel
        .queue_declare("rpc_queue".into(), options, FieldTable::default())
        .await?;
    Ok(channel)
}
