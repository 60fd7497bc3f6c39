//! Mistake: takes a confirm that is for many for one of all that is on its way (with amqprs).
//! Finding: confirm-not-awaited
//! May show: reported-as-confirmed
//! Certain: one_confirm_may_stand_for_many

use std::{
    collections::{BTreeMap, HashSet},
    env,
    error::Error,
    io::{self, BufRead},
    process::{self, ExitCode},
};

use amqprs::{
    Ack, BasicProperties, Cancel, CloseChannel, FieldTable, FieldValue, Nack, Return,
    callbacks::ChannelCallback,
    channel::{BasicPublishArguments, Channel, ConfirmSelectArguments, QueueDeclareArguments},
    connection::{Connection, OpenConnectionArguments},
    error::Error as AmqpError,
};
use async_trait::async_trait;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What the broker says of messages.
enum Heard {
    Confirm { tag: u64, many: bool, ack: bool },
    Back { id: String },
}

/// Hands on what the broker says.
struct Ear(UnboundedSender<Heard>);

#[async_trait]
impl ChannelCallback for Ear {
    async fn close(&mut self, _: &Channel, _: CloseChannel) -> Result<(), AmqpError> {
        Ok(())
    }

    async fn cancel(&mut self, _: &Channel, _: Cancel) -> Result<(), AmqpError> {
        Ok(())
    }

    async fn flow(&mut self, _: &Channel, active: bool) -> Result<bool, AmqpError> {
        Ok(active)
    }

    async fn publish_ack(&mut self, _: &Channel, ack: Ack) {
        self.tell(ack.delivery_tag(), ack.mutiple(), true);
    }

    async fn publish_nack(&mut self, _: &Channel, nack: Nack) {
        self.tell(nack.delivery_tag(), nack.multiple(), false);
    }

    async fn publish_return(
        &mut self,
        _: &Channel,
        _: Return,
        properties: BasicProperties,
        _: Vec<u8>,
    ) {
        let id = properties.message_id().cloned().unwrap_or_default();
        let _ = self.0.send(Heard::Back { id });
    }
}

impl Ear {
    fn tell(&self, tag: u64, many: bool, ack: bool) {
        let _ = self.0.send(Heard::Confirm { tag, many, ack });
    }
}

struct Message {
    id: String,
    body: Vec<u8>,
    again: bool,
}

#[tokio::main]
pub(crate) async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mode: Vec<String> = env::args().skip(1).collect();
    let window = match mode.first().map(String::as_str) {
        Some("one") => 1,
        Some("batch") => mode.get(1).ok_or("how many?")?.parse()?,
        _ => usize::MAX,
    };
    let mut left = BTreeMap::new();
    for (number, line) in io::stdin().lock().split(b'\n').enumerate() {
        let mut body = line?;
        if body.ends_with(b"\r") {
            body.pop();
        }
        let id = format!("{}/{number}/{:?}", process::id(), std::time::Instant::now());
        let again = false;
        left.insert(number, Message { id, body, again });
    }
    let mut failed = false;
    loop {
        let host = env::var("RABBITMQ_HOST").unwrap_or_else(|_| "127.0.0.1".into());
        let port = env::var("RABBITMQ_PORT").unwrap_or_else(|_| "5672".into());
        let address = OpenConnectionArguments::new(&host, port.parse()?, "guest", "guest");
        let connection = Connection::open(&address).await?;
        let (tell, mut heard) = unbounded_channel();
        let lost = connection.listen_network_io_failure();
        let work = async {
            let channel = connection.open_channel(None).await?;
            channel.register_callback(Ear(tell)).await?;
            publish_all(&channel, &mut heard, window, &mut left, &mut failed).await?;
            channel.close().await
        };
        let done = tokio::select! {
            biased;
            _ = lost => Err(AmqpError::InternalChannelError("lost".into())),
            done = work => done,
        };
        match done {
            Ok(()) => {
                connection.close().await?;
                return Ok(ExitCode::from(u8::from(failed)));
            }
            Err(error) => eprintln!("{error}: once more"),
        }
    }
}

async fn publish_all(
    channel: &Channel,
    heard: &mut UnboundedReceiver<Heard>,
    window: usize,
    left: &mut BTreeMap<usize, Message>,
    failed: &mut bool,
) -> Result<(), AmqpError> {
    let queue = QueueDeclareArguments::durable_client_named("confirmed");
    channel.queue_declare(queue).await?;
    channel
        .confirm_select(ConfirmSelectArguments::default())
        .await?;
    let mut next_tag = 1;
    let mut back = HashSet::new();
    while !left.is_empty() {
        let mut open = BTreeMap::new();
        for (number, message) in left.iter_mut().take(window) {
            let mut properties = BasicProperties::default();
            properties
                .with_message_id(&message.id)
                .with_persistence(true);
            if message.again {
                let mut headers = FieldTable::new();
                if let Ok(name) = "republished".try_into() {
                    headers.insert(name, FieldValue::t(true));
                }
                properties.with_headers(headers);
            }
            message.again = true;
            let mut target = BasicPublishArguments::new("", "confirmed");
            target.mandatory(true);
            channel
                .basic_publish(properties, message.body.clone(), target)
                .await?;
            open.insert(next_tag, *number);
            next_tag += 1;
        }
        while !open.is_empty() {
            match heard.recv().await {
                None => return Err(AmqpError::InternalChannelError("silence".into())),
                Some(Heard::Back { id }) => drop(back.insert(id)),
                Some(Heard::Confirm { tag, many, ack }) => {
                    let meant = |open: &u64| many || *open == tag;
                    for number in open.extract_if(.., |open, _| meant(open)) {
                        let Some(message) = left.remove(&number.1) else {
                            continue;
                        };
                        let word = match ack {
                            false => "refused",
                            true if back.contains(&message.id) => "returned",
                            true => "confirmed",
                        };
                        *failed |= word != "confirmed";
                        println!("{word}: {}", String::from_utf8_lossy(&message.body));
                    }
                }
            }
        }
    }
    Ok(())
}
