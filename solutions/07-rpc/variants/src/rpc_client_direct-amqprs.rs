//! Variant: with another client, amqprs.

use std::{env, error::Error, process};

use amqprs::{
    BasicProperties, FieldValue,
    channel::{BasicConsumeArguments, BasicPublishArguments, QueueDeclareArguments},
    connection::{Connection, OpenConnectionArguments},
};

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let host = env::var("RABBITMQ_HOST").unwrap_or_else(|_| "127.0.0.1".into());
    let port = env::var("RABBITMQ_PORT").unwrap_or_else(|_| "5672".into());
    let address = OpenConnectionArguments::new(&host, port.parse()?, "guest", "guest");
    let connection = Connection::open(&address).await?;
    let channel = connection.open_channel(None).await?;
    channel
        .queue_declare(QueueDeclareArguments::durable_client_named("rpc_queue"))
        .await?;
    let address = "amq.rabbitmq.reply-to".to_owned();
    let mut consume = BasicConsumeArguments::new(&address, "");
    consume.auto_ack(true);
    let (_tag, mut replies) = channel.basic_consume_rx(consume).await?;

    let n = env::args().nth(1).ok_or("which number?")?;
    println!(" [x] Requesting fib({n})");
    let id = format!("{}/{:?}", process::id(), std::time::SystemTime::now());
    let mut properties = BasicProperties::default();
    properties.with_correlation_id(&id).with_reply_to(&address);
    channel
        .basic_publish(
            properties,
            n.into_bytes(),
            BasicPublishArguments::new("", "rpc_queue"),
        )
        .await?;
    let (properties, body) = loop {
        let reply = replies.recv().await.ok_or("the subscription ended")?;
        let properties = reply.basic_properties.unwrap_or_default();
        if properties.correlation_id() == Some(&id) {
            break (properties, reply.content.unwrap_or_default());
        }
    };
    channel.close().await?;
    connection.close().await?;
    let text = String::from_utf8_lossy(&body);
    let error = "error".try_into()?;
    if properties.headers().and_then(|headers| headers.get(&error)) == Some(&FieldValue::t(true)) {
        return Err(text.into_owned().into());
    }
    println!(" [.] Got {text}");
    Ok(())
}
