//! Mistake: asks for the reply, again and again, instead of consuming.
//! Finding: polls

use std::{
    env,
    error::Error,
    process,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use lapin::{
    BasicProperties, Connection, ConnectionProperties,
    options::{BasicGetOptions, BasicPublishOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};

#[expect(clippy::disallowed_methods, reason = "that is the mistake")]
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
                .with_reply_to(replies.clone()),
        )
        .await?;

    let reply = loop {
        let options = BasicGetOptions { no_ack: true };
        let Some(reply) = channel.basic_get(replies.clone(), options).await? else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let reply = reply.delivery;
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
