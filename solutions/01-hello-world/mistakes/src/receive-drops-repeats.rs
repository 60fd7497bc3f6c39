//! Mistake: takes a message that says the same as the one before for the same message.
//!
//! Finding: none: the tape shows that it got both
//! Told: the 3rd body, "twice"

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
    let channel = connection.create_channel().await?;

    // We cannot know whether `send` or `receive` runs first, so both declare.
    channel
        .queue_declare(
            "hello".into(),
            QueueDeclareOptions::durable(),
            FieldTable::default(),
        )
        .await?;

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

    let mut last = None;
    tokio::pin! {
        // One future for the whole loop: a new one for each turn could miss
        // a Ctrl-C that comes between two turns.
        let interrupt = ctrl_c();
    }
    loop {
        tokio::select! {
            delivery = consumer.next() => {
                let delivery = delivery.ok_or("the broker ended the subscription")??;
                if last.as_ref() == Some(&delivery.data) {
                    continue;
                }
                last = Some(delivery.data.clone());
                // A body is bytes; what is not UTF-8 is shown as �.
                println!("Received '{}'", String::from_utf8_lossy(&delivery.data));
            }
            result = &mut interrupt => break result?,
        }
    }

    connection.close(200, "done".into()).await?;
    Ok(())
}
