//! Mistake: publishes before any queue `hello` exists; the broker discards the message.
//!
//! Finding: discarded-publish
//! May show: declared-nothing

use std::{env, error::Error};

use lapin::{BasicProperties, Connection, ConnectionProperties, options::BasicPublishOptions};
#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let address = env::var("AMQP_ADDR").unwrap_or_else(|_| "amqp://127.0.0.1:5672/%2f".into());
    let connection = Connection::connect(&address, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
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
    connection.close(200, "sent".into()).await?;
    Ok(())
}
