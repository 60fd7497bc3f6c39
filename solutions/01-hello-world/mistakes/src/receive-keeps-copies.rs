//! Mistake: keeps a copy of each message in a queue of its own, which nobody empties.
//!
//! Finding: left-behind

use std::{env, error::Error};

use futures_lite::StreamExt;
use lapin::{
    BasicProperties, Connection, ConnectionProperties,
    options::{BasicConsumeOptions, BasicPublishOptions, QueueDeclareOptions},
    types::FieldTable,
};
use tokio::signal::ctrl_c;

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let address = env::var("AMQP_ADDR").unwrap_or_else(|_| "amqp://127.0.0.1:5672/%2f".into());
    let connection = Connection::connect(&address, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;

    for queue in ["hello", "hello_copies"] {
        let options = QueueDeclareOptions::durable();
        channel
            .queue_declare(queue.into(), options, FieldTable::default())
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
                channel
                    .basic_publish(
                        "".into(),
                        "hello_copies".into(),
                        BasicPublishOptions::default(),
                        &delivery.data,
                        BasicProperties::default(),
                    )
                    .await?;
            }
            result = &mut interrupt => break result?,
        }
    }

    connection.close(200, "done".into()).await?;
    Ok(())
}
