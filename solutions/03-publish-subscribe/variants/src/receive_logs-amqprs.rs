//! Variant: with another client, amqprs.

use std::{env, error::Error};

use amqprs::{
    channel::{
        BasicConsumeArguments, ExchangeDeclareArguments, QueueBindArguments, QueueDeclareArguments,
    },
    connection::{Connection, OpenConnectionArguments},
};
use tokio::signal::ctrl_c;

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let host = env::var("RABBITMQ_HOST").unwrap_or_else(|_| "127.0.0.1".into());
    let port = env::var("RABBITMQ_PORT").unwrap_or_else(|_| "5672".into());
    let address = OpenConnectionArguments::new(&host, port.parse()?, "guest", "guest");
    let connection = Connection::open(&address).await?;
    let channel = connection.open_channel(None).await?;
    let exchange = ExchangeDeclareArguments::new("logs", "fanout")
        .durable(true)
        .finish();
    channel.exchange_declare(exchange).await?;
    let declare = QueueDeclareArguments::exclusive_server_named();
    let (queue, _, _) = channel
        .queue_declare(declare)
        .await?
        .ok_or("the broker did not answer")?;
    channel
        .queue_bind(QueueBindArguments::new(&queue, "logs", ""))
        .await?;
    let mut consume = BasicConsumeArguments::new(&queue, "");
    consume.auto_ack(true);
    let (_tag, mut deliveries) = channel.basic_consume_rx(consume).await?;
    println!(" [*] Waiting for logs. To exit press CTRL+C");
    loop {
        tokio::select! {
            delivery = deliveries.recv() => {
                let message = delivery.ok_or("the subscription ended")?;
                let body = message.content.unwrap_or_default();
                println!(" [x] {:?}", String::from_utf8_lossy(&body));
            }
            result = ctrl_c() => break result?,
        }
    }
    connection.close().await?;
    Ok(())
}
