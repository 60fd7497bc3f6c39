//! Mistake: prints `confirmed` when it publishes, and corrects itself only where it was wrong.
//! Finding: reported-as-confirmed

use std::{
    collections::HashSet,
    env,
    error::Error,
    io::{self, Read},
    num::NonZeroUsize,
    process::{self, ExitCode},
    time::{SystemTime, UNIX_EPOCH},
};

use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties,
    options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};

/// How many connections in a row may be lost.
const CONNECTIONS: usize = 5;

/// A line of the input that is still to be confirmed.
struct Message {
    id: String,
    body: Vec<u8>,
    /// The broker may have it already.
    published: bool,
}

#[tokio::main]
pub(crate) async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let window = window()?;
    let mut waiting = messages()?;
    let mut all_confirmed = true;
    for _ in 0..CONNECTIONS {
        let address = env::var("AMQP_ADDR").unwrap_or_else(|_| "amqp://127.0.0.1:5672/%2f".into());
        let connection = Connection::connect(&address, ConnectionProperties::default()).await?;
        match publish_all(&connection, window, &mut waiting, &mut all_confirmed).await {
            Ok(()) => return Ok(ExitCode::from(u8::from(!all_confirmed))),
            Err(error) => eprintln!("{error}: {} messages are not confirmed", waiting.len()),
        }
    }
    Err("one connection after the other is lost".into())
}

/// Publishes what waits, so many messages at a time, and closes. What is left when it fails is not confirmed.
async fn publish_all(
    connection: &Connection,
    window: usize,
    waiting: &mut Vec<Message>,
    all_confirmed: &mut bool,
) -> lapin::Result<()> {
    let channel = connection.create_channel().await?;
    channel
        .queue_declare(
            "confirmed".into(),
            QueueDeclareOptions::durable(),
            FieldTable::default(),
        )
        .await?;
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await?;
    while !waiting.is_empty() {
        let rest = waiting.split_off(window.min(waiting.len()));
        let done = publish(&channel, waiting, all_confirmed).await;
        waiting.extend(rest);
        done?;
    }
    connection.close(200, "done".into()).await
}

/// Publishes messages, waits for all their confirms, and prints and takes out those of which it knows what became.
async fn publish(
    channel: &Channel,
    messages: &mut Vec<Message>,
    all_confirmed: &mut bool,
) -> lapin::Result<()> {
    let mandatory = BasicPublishOptions {
        mandatory: true,
        ..BasicPublishOptions::default()
    };
    let mut confirms = Vec::new();
    let mut lost = None;
    for message in messages.iter_mut() {
        let properties = message.properties();
        message.published = true;
        let published = channel.basic_publish(
            "".into(),
            "confirmed".into(),
            mandatory,
            &message.body,
            properties,
        );
        match published.await {
            Ok(confirm) => {
                println!("confirmed {}", String::from_utf8_lossy(&message.body));
                confirms.push(confirm);
            }
            Err(error) => {
                lost = Some(error);
                break;
            }
        }
    }

    let mut answers = Vec::new();
    let mut returned = HashSet::new();
    for confirm in confirms {
        match confirm.await {
            Ok(confirmation) => {
                answers.push(Some(confirmation.is_ack()));
                // It came back before this confirm, and need not be the message that this confirms.
                if let Some(message) = confirmation.take_message()
                    && let Some(id) = message.delivery.properties.message_id()
                {
                    returned.insert(id.to_string());
                }
            }
            Err(error) => {
                answers.push(None);
                lost = Some(error);
            }
        }
    }

    // When confirms are lost, the word of a return may be lost with them.
    let certain = lost.is_none() || returned.is_empty();
    let mut answers = answers.into_iter();
    messages.retain(|message| {
        let word = match answers.next().flatten() {
            Some(false) => "refused",
            Some(true) if returned.contains(&message.id) => "returned",
            Some(true) if certain => "confirmed",
            _ => return true,
        };
        if word != "confirmed" {
            println!("{word} {}", String::from_utf8_lossy(&message.body));
        }
        *all_confirmed &= word == "confirmed";
        false
    });
    lost.map_or(Ok(()), Err)
}

impl Message {
    fn properties(&self) -> BasicProperties {
        let properties = BasicProperties::default()
            .with_message_id(self.id.clone().into())
            .with_delivery_mode(2);
        if !self.published {
            return properties;
        }
        let mut headers = FieldTable::default();
        headers.insert("republished".into(), AMQPValue::Boolean(true));
        properties.with_headers(headers)
    }
}

/// How many messages may wait for their confirms at the same time.
fn window() -> Result<usize, Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["one"] => Ok(1),
        ["batch", size] => Ok(size.parse::<NonZeroUsize>()?.get()),
        ["async"] | [] => Ok(usize::MAX),
        _ => Err("usage: publisher_confirms [one | batch N | async]".into()),
    }
}

/// A message for each line of the input.
fn messages() -> Result<Vec<Message>, Box<dyn Error>> {
    let mut input = Vec::new();
    io::stdin().read_to_end(&mut input)?;
    let mut lines: Vec<&[u8]> = input.split(|byte| *byte == b'\n').collect();
    // What comes after the last line break is a line only if there is something.
    lines.pop_if(|last| last.is_empty());
    let run = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
    let message = |(number, line): (usize, &[u8])| Message {
        id: format!("{}-{run}-{number}", process::id()),
        body: line.strip_suffix(b"\r").unwrap_or(line).to_vec(),
        published: false,
    };
    Ok(lines.into_iter().enumerate().map(message).collect())
}
