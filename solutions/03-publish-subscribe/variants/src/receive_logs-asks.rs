//! Variant: asks whether the exchange is there, and declares it only when it is not.

use std::{env, error::Error};

use futures_lite::StreamExt;
use lapin::{
    Connection, ConnectionProperties, ExchangeKind,
    options::{BasicConsumeOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::FieldTable,
};
use tokio::signal::ctrl_c;

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let address = env::var("AMQP_ADDR").unwrap_or_else(|_| "amqp://127.0.0.1:5672/%2f".into());
    let connection = Connection::connect(&address, ConnectionProperties::default()).await?;
    let mut channel = connection.create_channel().await?;

    // Asks whether the exchange is there; when it is not, the broker closes the channel (404).
    let passive = ExchangeDeclareOptions {
        passive: true,
        ..ExchangeDeclareOptions::default()
    };
    let none = FieldTable::default();
    let asked = channel.exchange_declare("logs".into(), ExchangeKind::Fanout, passive, none).await;
    if asked.is_err() {
        channel = connection.create_channel().await?;
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
    }

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

    let mut consumer = channel
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
    println!("Waiting for logs. To exit press CTRL+C");

    tokio::pin! {
        let interrupt = ctrl_c();
    }
    loop {
        tokio::select! {
            delivery = consumer.next() => {
                let delivery = delivery.ok_or("the broker ended the subscription")??;
                println!("Received '{}'", String::from_utf8_lossy(&delivery.data));
            }
            result = &mut interrupt => break result?,
        }
    }

    connection.close(200, "done".into()).await?;
    Ok(())
}
