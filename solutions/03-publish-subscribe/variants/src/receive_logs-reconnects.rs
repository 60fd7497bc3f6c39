//! Variant: connects again when the connection is lost, and binds a new queue.

use std::{env, error::Error};

use futures_lite::StreamExt;
use lapin::{
    Connection, ConnectionProperties, Consumer, ExchangeKind,
    options::{BasicConsumeOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::FieldTable,
};
use tokio::signal::ctrl_c;

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    println!("Waiting for logs. To exit press CTRL+C");
    tokio::pin! {
        let interrupt = ctrl_c();
    }
    // Without a broker at the start there is nothing to wait for: that is an error.
    let (mut connection, mut consumer) = subscribe().await?;
    loop {
        tokio::select! {
            delivery = consumer.next() => match delivery {
                Some(Ok(delivery)) => {
                    println!("Received '{}'", String::from_utf8_lossy(&delivery.data));
                }
                lost => {
                    eprintln!("lost the connection: {:?}", lost.map(|it| it.map(|_| ())));
                    (connection, consumer) = subscribe().await?;
                }
            },
            result = &mut interrupt => break result?,
        }
    }

    connection.close(200, "done".into()).await?;
    Ok(())
}

async fn subscribe() -> Result<(Connection, Consumer), Box<dyn Error>> {
    let address = env::var("AMQP_ADDR").unwrap_or_else(|_| "amqp://127.0.0.1:5672/%2f".into());
    let connection = Connection::connect(&address, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;

    // We cannot know whether `emit_log` or `receive_logs` runs first, so both declare.
    channel
        .exchange_declare(
            "logs".into(),
            ExchangeKind::Fanout,
            ExchangeDeclareOptions {
                durable: true,
                ..ExchangeDeclareOptions::default()
            },
            FieldTable::default(),
        )
        .await?;

    // An empty name asks the broker to choose one. An exclusive queue belongs
    // to this connection, and goes when the connection goes.
    let queue = channel
        .queue_declare(
            "".into(),
            QueueDeclareOptions::exclusive(),
            FieldTable::default(),
        )
        .await?;
    let queue = queue.name().clone();

    // From now on the exchange puts a copy of each message into our queue.
    channel
        .queue_bind(
            queue.clone(),
            "logs".into(),
            "".into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        )
        .await?;

    let consumer = channel
        .basic_consume(
            queue,
            "".into(),
            BasicConsumeOptions {
                no_ack: true,
                ..BasicConsumeOptions::default()
            },
            FieldTable::default(),
        )
        .await?;
    Ok((connection, consumer))
}
