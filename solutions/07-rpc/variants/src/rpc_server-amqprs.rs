//! Variant: with another client, amqprs.

use std::{env, error::Error};

use amqprs::{
    BasicProperties, FieldTable, FieldValue,
    channel::{
        BasicAckArguments, BasicConsumeArguments, BasicPublishArguments, BasicQosArguments,
        QueueDeclareArguments,
    },
    connection::{Connection, OpenConnectionArguments},
};
use tokio::signal::ctrl_c;

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
    channel
        .basic_qos(BasicQosArguments::new(0, 1, false))
        .await?;
    let consume = BasicConsumeArguments::new("rpc_queue", "");
    let (_tag, mut requests) = channel.basic_consume_rx(consume).await?;
    println!(" [x] Awaiting RPC requests");
    loop {
        let request = tokio::select! {
            request = requests.recv() => request.ok_or("the subscription ended")?,
            result = ctrl_c() => break result?,
        };
        let body = request.content.unwrap_or_default();
        let asked = request.basic_properties.unwrap_or_default();
        let mut properties = BasicProperties::default();
        if let Some(id) = asked.correlation_id() {
            properties.with_correlation_id(id);
        }
        let reply = match String::from_utf8_lossy(&body).parse() {
            Ok(n @ 0..=90_u8) => {
                println!(" [.] fib({n})");
                let (fib, _) = (0..n).fold((0_u64, 1), |(this, next), _| (next, this + next));
                fib.to_string()
            }
            _ => {
                let mut headers = FieldTable::new();
                headers.insert("error".try_into()?, FieldValue::t(true));
                properties.with_headers(headers);
                "a number from 0 to 90, please".to_owned()
            }
        };
        if let Some(address) = asked.reply_to() {
            let publish = BasicPublishArguments::new("", address);
            channel
                .basic_publish(properties, reply.into_bytes(), publish)
                .await?;
        }
        let tag = request.deliver.ok_or("no tag")?.delivery_tag();
        channel
            .basic_ack(BasicAckArguments::new(tag, false))
            .await?;
    }
    connection.close().await?;
    Ok(())
}
