//! Variant: asks whether the queue is there, and declares it only when it is not.

use std::{env, error::Error};

use futures_lite::StreamExt;
use lapin::{
    Connection, ConnectionProperties,
    options::{BasicConsumeOptions, QueueDeclareOptions},
    types::FieldTable,
};
use tokio::signal::ctrl_c;

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let address = env::var("AMQP_ADDR").unwrap_or_else(|_| "amqp://127.0.0.1:5672/%2f".into());
    let connection = Connection::connect(&address, ConnectionProperties::default()).await?;
    let mut channel = connection.create_channel().await?;

    // Asks whether the queue is there; when it is not, the broker closes the channel (404).
    let passive = QueueDeclareOptions {
        passive: true,
        ..QueueDeclareOptions::default()
    };
    let asked = channel
        .queue_declare("hello".into(), passive, FieldTable::default())
        .await;
    if asked.is_err() {
        channel = connection.create_channel().await?;
        let durable = QueueDeclareOptions::durable();
        channel
            .queue_declare("hello".into(), durable, FieldTable::default())
            .await?;
    }

    // Subscribe. With `no_ack` the broker forgets a message once it is sent.
    let mut consumer = channel
        .basic_consume(
            "hello".into(),
            "".into(),
            BasicConsumeOptions {
                no_ack: true,
                ..BasicConsumeOptions::default()
            },
            FieldTable::default(),
        )
        .await?;
    println!("Waiting for messages. To exit press CTRL+C");

    tokio::pin! {
        // One future for the whole loop: a new one for each turn could miss
        // a Ctrl-C that comes between two turns.
        let interrupt = ctrl_c();
    }
    loop {
        tokio::select! {
            delivery = consumer.next() => {
                let delivery = delivery.ok_or("the broker ended the subscription")??;
                // A body is bytes; what is not UTF-8 is shown as �.
                println!("Received '{}'", String::from_utf8_lossy(&delivery.data));
            }
            result = &mut interrupt => break result?,
        }
    }

    connection.close(200, "done".into()).await?;
    Ok(())
}
