//! `send`: puts one message, `Hello World!`, into the queue `hello`.

use std::{env, error::Error};

use lapin::{
    BasicProperties, Connection, ConnectionProperties,
    options::{BasicPublishOptions, QueueDeclareOptions},
    types::FieldTable,
};

// ANCHOR: send
#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // ANCHOR: connect
    // Connect to the broker, and open a channel on the connection.
    let address = env::var("AMQP_ADDR").unwrap_or_else(|_| "amqp://127.0.0.1:5672/%2f".into());
    let connection = Connection::connect(&address, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    // ANCHOR_END: connect

    // ANCHOR: declare
    // Declare the queue: it is created if it is not there yet.
    // `receive` declares it too, with the same options.
    channel
        .queue_declare(
            "hello".into(),
            QueueDeclareOptions::durable(),
            FieldTable::default(),
        )
        .await?;
    // ANCHOR_END: declare

    // ANCHOR: publish
    // Publish through the default exchange (the empty name), which hands a
    // message to the queue that is named by its routing key.
    channel
        .basic_publish(
            "".into(),
            "hello".into(),
            BasicPublishOptions::default(),
            b"Hello World!",
            BasicProperties::default(),
        )
        .await?;
    println!("Sent 'Hello World!'");
    // ANCHOR_END: publish

    // ANCHOR: close
    // Close properly: everything that was written before reaches the broker.
    connection.close(200, "sent".into()).await?;
    Ok(())
    // ANCHOR_END: close
}
// ANCHOR_END: send
