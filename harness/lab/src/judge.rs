//! The lab's own connection to the broker: it publishes, looks and drains beside the programs.
//!
//! Each question has a channel of its own, so that an answer which closes the
//! channel (no such queue, an exclusive one, a stream) is an answer and harms
//! nothing else.

mod bounds;
mod exchanges;
mod partner;
#[cfg(test)]
mod tests;

use std::{
    cell::RefCell,
    collections::BTreeSet,
    future::IntoFuture,
    io,
    rc::Rc,
    time::{Duration, Instant},
};

use amqp_tap::{Login, Recording, Tap, TapLimits, TapOptions};
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, ErrorKind,
    options::{BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions},
    protocol::AMQPErrorKind,
    types::FieldTable,
};
use workbook_broker::Lease;
use workbook_diagnosis::finding::anonymous;
use workbook_report::failure::{Checked, Failure};

use crate::wait::{Bell, SHORT_DEADLINE, within};

pub use exchanges::Access;
/// A message as the lab takes it out of a queue.
pub use lapin::message::Delivery;
/// How a program declares a queue: `queue.declare` with its options and arguments.
pub use lapin::protocol::queue::Declare;
pub use partner::{Letter, Partner};

/// How long the lab waits for what the broker answers at once, however busy it is.
const ANSWER_LIMIT: Duration = Duration::from_mins(1);

/// The lab's own connection.
#[derive(Debug)]
pub struct Judge {
    connection: Connection,
    /// Spells what lapin's codec refuses to read: the broker passes on strings that are not UTF-8.
    _tap: Tap,
    /// The queues that the lab declared itself.
    declared: Rc<RefCell<BTreeSet<String>>>,
    /// Rings when the lab gets a message.
    bell: Bell,
}

/// A message that the lab publishes.
struct Outgoing<'a> {
    key: &'a str,
    properties: BasicProperties,
    body: &'a [u8],
}

/// How full a queue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    /// Messages that wait for a consumer.
    pub messages: u32,
    /// Consumers of the queue.
    pub consumers: u32,
}

impl Judge {
    pub(crate) async fn connect(
        lease: &Lease,
        declared: &Rc<RefCell<BTreeSet<String>>>,
        bell: &Bell,
    ) -> Result<Self, Failure> {
        let failed =
            |error: &dyn std::error::Error| Failure::infra("the lab connects to the broker", error);
        let options = TapOptions {
            login: Some(login(lease)),
            spelled_strings: true,
            limits: TapLimits::none(),
            recording: Recording {
                // Nobody reads what the lab itself says.
                window: Some(1),
                file: None,
            },
            ..TapOptions::to(lease.amqp_address())
        };
        let tap = Tap::open(options).await.map_err(|error| failed(&error))?;
        // The tap puts the login and the virtual host in their places. lapin keeps room for 64 frames of the largest
        // size, 8 MiB as a rule, and makes it anew for each connection.
        let url = format!("amqp://{}/%2f?frame_max=16384", tap.endpoint());
        let connected = Connection::connect(&url, ConnectionProperties::default());
        let connection = connected.in_time().await.map_err(|error| failed(&error))?;
        Ok(Self {
            connection,
            _tap: tap,
            declared: declared.clone(),
            bell: bell.clone(),
        })
    }

    /// Closes the connection, and waits until the broker has done all that it was asked.
    pub(crate) async fn close(&self) -> Result<(), Failure> {
        let closed = self.connection.close(200, "done".into()).in_time().await;
        closed.map_err(|error| Failure::infra("the lab closes its connection", &error))
    }

    /// Looks at a queue by a passive declare; `None`: there is none of that name.
    pub async fn queue(&self, name: &str) -> Result<Option<Depth>, Failure> {
        let channel = self.channel().await?;
        let passive = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::default()
        };
        match channel
            .queue_declare(name.into(), passive, FieldTable::default())
            .in_time()
            .await
        {
            Ok(queue) => Ok(Some(Depth {
                messages: queue.message_count(),
                consumers: queue.consumer_count(),
            })),
            Err(error) if code(&error) == Some(404) => Ok(None),
            Err(error) => Err(refused(
                &format!("the queue `{name}` can be looked at"),
                &error,
            )),
        }
    }

    /// Declares a queue exactly as a program did.
    pub async fn declare_as(&self, declare: &Declare) -> Checked {
        let options = QueueDeclareOptions {
            passive: declare.passive,
            durable: declare.durable,
            exclusive: declare.exclusive,
            auto_delete: declare.auto_delete,
            nowait: false,
        };
        self.declared.borrow_mut().insert(declare.queue.to_string());
        let channel = self.channel().await?;
        channel
            .queue_declare(declare.queue.clone(), options, declare.arguments.clone())
            .in_time()
            .await
            .map(|_| ())
            .map_err(|error| {
                refused(
                    &format!(
                        "the queue `{}` can be declared as the program does",
                        declare.queue
                    ),
                    &error,
                )
            })
    }

    /// Publishes bodies to a queue, in order, and waits until the broker has confirmed all of them.
    pub async fn publish(&self, queue: &str, bodies: &[impl AsRef<[u8]>]) -> Checked {
        if self.deliver(queue, bodies).await? {
            return Ok(());
        }
        Err(Failure::new(
            format!("there is a queue `{queue}`"),
            format!(
                "the lab published to `{queue}`, and the broker returned the message: 312 NO_ROUTE"
            ),
        ))
    }

    /// Takes everything out of a queue that no program consumes from any more; `None`: there is no such queue.
    ///
    /// A last message of the lab's own comes after all that was published before, so nothing of that is still on its
    /// way when the broker has confirmed it. It need not come out last: a queue with priorities hands out the higher
    /// ones first, and a quorum queue of RabbitMQ 4.3 counts a message without one as 4. So the queue is taken from
    /// until it is empty.
    pub async fn drain(&self, queue: &str) -> Result<Option<Vec<Vec<u8>>>, Failure> {
        let taken = self.take(queue).await?;
        Ok(taken.map(|taken| taken.into_iter().map(|message| message.data).collect()))
    }

    /// As [`Judge::drain`], as text; of a queue that does not exist there is none.
    pub async fn drain_text(&self, queue: &str) -> Result<Vec<String>, Failure> {
        let drained = self.drain(queue).await?.unwrap_or_default();
        let text = |body: &Vec<u8>| String::from_utf8_lossy(body).into_owned();
        Ok(drained.iter().map(text).collect())
    }

    /// As [`Judge::drain`], with all that belongs to each message: its routing key, its properties.
    pub async fn take(&self, queue: &str) -> Result<Option<Vec<Delivery>>, Failure> {
        let end: [u8; 16] = rand::random();
        if !self.deliver(queue, &[end]).await? {
            return Ok(None);
        }
        let channel = self.channel().await?;
        let expected = format!("the messages of the queue `{queue}` can be taken with basic.get");
        let (mut taken, mut ended) = (Vec::new(), false);
        loop {
            let got = channel
                .basic_get(queue.into(), BasicGetOptions { no_ack: true })
                .in_time()
                .await;
            match got.map_err(|error| refused(&expected, &error))? {
                Some(message) if message.delivery.data == end => ended = true,
                Some(message) => taken.push(message.delivery),
                None if ended => return Ok(Some(taken)),
                None => {
                    let observed = "somebody else still takes messages from it, or it drops them";
                    return Err(Failure::new(expected, observed));
                }
            }
        }
    }

    /// Publishes to a queue through the default exchange; `false`: the broker found no such queue.
    async fn deliver(&self, queue: &str, bodies: &[impl AsRef<[u8]>]) -> Result<bool, Failure> {
        let expected = format!("the lab can publish to the queue `{queue}`");
        self.route("", queue, &expected, bodies).await
    }

    /// Publishes bodies with one routing key; `false`: the broker found no queue for at least one of them.
    async fn route(
        &self,
        exchange: &str,
        key: &str,
        expected: &str,
        bodies: &[impl AsRef<[u8]>],
    ) -> Result<bool, Failure> {
        let each = |body| Outgoing {
            key,
            properties: BasicProperties::default(),
            body,
        };
        let messages = bodies.iter().map(AsRef::as_ref).map(each);
        self.emit(exchange, expected, messages).await
    }

    /// Publishes to an exchange, in order, and waits until the broker has confirmed all; `false`: it found no queue for
    /// at least one of the messages.
    async fn emit<'m>(
        &self,
        exchange: &str,
        expected: &str,
        messages: impl Iterator<Item = Outgoing<'m>>,
    ) -> Result<bool, Failure> {
        let refused = |error| refused(expected, &error);
        let channel = self.channel().await?;
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .in_time()
            .await
            .map_err(refused)?;
        let mandatory = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let publish = async |messages: Vec<Outgoing<'m>>| {
            let mut sent = Vec::new();
            for message in messages {
                let confirm = channel
                    .basic_publish(
                        exchange.into(),
                        message.key.into(),
                        mandatory,
                        message.body,
                        message.properties.clone(),
                    )
                    .in_time()
                    .await
                    .map_err(refused)?;
                sent.push((message, confirm));
            }
            let (mut routed, mut again) = (true, Vec::new());
            for (message, confirm) in sent {
                match confirm.in_time().await.map_err(refused)? {
                    Confirmation::Ack(returned) => routed &= returned.is_none(),
                    Confirmation::Nack(_) | Confirmation::NotRequested => again.push(message),
                }
            }
            Ok::<_, Failure>((routed, again))
        };
        // A queue that the broker deletes at this moment refuses what comes. When it is gone, the exchange knows.
        let started = Instant::now();
        let (mut routed, mut left) = (true, messages.collect());
        loop {
            let (found, again) = publish(left).await?;
            routed &= found;
            if again.is_empty() {
                return Ok(routed);
            }
            if started.elapsed() > SHORT_DEADLINE {
                return Err(Failure::new(
                    expected,
                    "the broker refused a message (basic.nack)",
                ));
            }
            left = again;
        }
    }

    async fn channel(&self) -> Result<Channel, Failure> {
        self.connection
            .create_channel()
            .in_time()
            .await
            .map_err(|error| Failure::infra("the lab opens a channel", &error))
    }
}

/// What a tap puts in place of a login and a virtual host: those of the lease.
pub(crate) fn login(lease: &Lease) -> Login {
    Login {
        user: lease.user().to_owned(),
        password: lease.password().to_owned(),
        vhost: lease.vhost().to_owned(),
    }
}

/// What the lab asks of the broker.
trait Asked<T> {
    /// Its answer, or an error when none has come for [`ANSWER_LIMIT`].
    async fn in_time(self) -> lapin::Result<T>;
}

impl<T, F: IntoFuture<Output = lapin::Result<T>>> Asked<T> for F {
    async fn in_time(self) -> lapin::Result<T> {
        let answer = within(ANSWER_LIMIT, self.into_future()).await;
        answer.unwrap_or_else(|| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
    }
}

/// The reply code of an error that the broker sent on a channel.
fn code(error: &lapin::Error) -> Option<u16> {
    match error.kind() {
        ErrorKind::ProtocolError(error) => match error.kind() {
            AMQPErrorKind::Soft(_) | AMQPErrorKind::Hard(_) => Some(error.get_id()),
        },
        _ => None,
    }
}

/// What the broker refuses the lab is the program's doing: it made the queue so. All else is ours.
fn refused(expected: &str, error: &lapin::Error) -> Failure {
    match code(error) {
        Some(_) => Failure::new(
            expected,
            format!("the broker answered: {}", anonymous(&error.to_string())),
        ),
        None => Failure::infra(expected, error),
    }
}
