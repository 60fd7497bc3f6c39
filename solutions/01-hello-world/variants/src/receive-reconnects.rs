//! Variant: connects again when the connection is lost, and consumes again.

use std::{env, error::Error};

use futures_lite::StreamExt;
use lapin::{
    Connection, ConnectionProperties, Consumer,
    options::{BasicConsumeOptions, QueueDeclareOptions},
    types::FieldTable,
};
use tokio::signal::ctrl_c;

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    println!("Waiting for messages. To exit press CTRL+C");
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

    // We cannot know whether `send` or `receive` runs first, so both declare.
    channel
        .queue_declare(
            "hello".into(),
            QueueDeclareOptions::durable(),
            FieldTable::default(),
        )
        .await?;

    // Subscribe. With `no_ack` the broker forgets a message once it is sent.
    let consumer = channel
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
    Ok((connection, consumer))
}
