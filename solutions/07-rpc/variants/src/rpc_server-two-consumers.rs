//! Variant: two consumers, each on a channel of its own: they need not reply in the order of the requests. Who gives
//! no address is answered to the empty one, where nobody is.

use std::{env, error::Error};

use futures_lite::StreamExt;
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties, Consumer,
    message::Delivery,
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
    let one = consume(&connection).await?;
    let other = consume(&connection).await?;
    println!("Awaiting RPC requests. To exit press CTRL+C");
    tokio::select! {
        ended = serve(one) => ended?,
        ended = serve(other) => ended?,
        result = ctrl_c() => result?,
    }
    connection.close(200, "done".into()).await?;
    Ok(())
}

/// A channel of its own, with a consumer.
async fn consume(connection: &Connection) -> lapin::Result<(Channel, Consumer)> {
    let channel = connection.create_channel().await?;
    channel
        .queue_declare(
            "rpc_queue".into(),
            QueueDeclareOptions::durable(),
            FieldTable::default(),
        )
        .await?;
    channel.basic_qos(1, BasicQosOptions::default()).await?;
    let consumer = channel
        .basic_consume(
            "rpc_queue".into(),
            "".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        )
        .await?;
    Ok((channel, consumer))
}

async fn serve((channel, mut consumer): (Channel, Consumer)) -> Result<(), Box<dyn Error>> {
    loop {
        let request = consumer.next().await;
        reply(
            &channel,
            request.ok_or("the broker ended the subscription")??,
        )
        .await?;
    }
}

async fn reply(channel: &Channel, request: Delivery) -> lapin::Result<()> {
    let mut properties = BasicProperties::default();
    if let Some(id) = request.properties.correlation_id() {
        properties = properties.with_correlation_id(id.clone());
    }
    let body = match answer(&request.data) {
        Ok(number) => number.to_string(),
        Err(error) => {
            let mut headers = FieldTable::default();
            headers.insert("error".into(), AMQPValue::Boolean(true));
            properties = properties.with_headers(headers);
            error
        }
    };
    let reply_to = request.properties.reply_to().clone();
    channel
        .basic_publish(
            "".into(),
            reply_to.unwrap_or_default(),
            BasicPublishOptions::default(),
            body.as_bytes(),
            properties,
        )
        .await?;
    request.ack(BasicAckOptions::default()).await?;
    Ok(())
}

/// What a request is answered with: a number, or the reason why there is none.
fn answer(request: &[u8]) -> Result<u64, String> {
    let text = std::str::from_utf8(request).map_err(|error| error.to_string())?;
    match text.parse() {
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
