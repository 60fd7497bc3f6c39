//! Mistake: asks for lines again and again, and never consumes.
//!
//! Finding: polls

use std::{env, error::Error, time::Duration};

use lapin::{
    Connection, ConnectionProperties, ExchangeKind,
    options::{BasicGetOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::FieldTable,
};
use tokio::{signal::ctrl_c, time::timeout};

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
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

    println!("Waiting for logs. To exit press CTRL+C");

    tokio::pin! {
        let interrupt = ctrl_c();
    }
    loop {
        let options = BasicGetOptions { no_ack: true };
        match channel.basic_get(queue.clone(), options).await? {
            Some(message) => {
                let delivery = message.delivery;
                println!("Received '{}'", String::from_utf8_lossy(&delivery.data));
            }
            None => {
                if let Ok(result) = timeout(Duration::from_millis(20), &mut interrupt).await {
                    break result?;
                }
            }
        }
    }

    connection.close(200, "done".into()).await?;
    Ok(())
}
