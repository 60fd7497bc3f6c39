//! Mistake: ends the process before the publish has left it.
//!
//! Finding: publish-not-flushed
//! May show: connection-not-closed

use std::{env, error::Error};

use lapin::{
    BasicProperties, Connection, ConnectionProperties,
    options::{BasicPublishOptions, QueueDeclareOptions},
    types::FieldTable,
};
#[expect(clippy::disallowed_methods, reason = "that is the mistake")]
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let address = env::var("AMQP_ADDR").unwrap_or_else(|_| "amqp://127.0.0.1:5672/%2f".into());
    let connection = Connection::connect(&address, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel
        .queue_declare(
            "hello".into(),
            QueueDeclareOptions::durable(),
            FieldTable::default(),
        )
        .await?;
    tokio::spawn(async move {
        channel
            .basic_publish(
                "".into(),
                "hello".into(),
                BasicPublishOptions::default(),
                b"Hello World!",
                BasicProperties::default(),
            )
            .await
    });
    println!("Sent 'Hello World!'");
    std::process::exit(0);
}
