//! The conversation: a tape in normal form, equal for programs that mean the same.
//!
//! What a client library decides is left out: channel numbers, consumer and delivery tags, client properties, tuning,
//! heartbeats, `no-wait`, whether each channel is closed before the connection is, whether a connection that is dropped
//! is reset, the order of independent declarations, and properties that only applications read (content type and
//! encoding, message id, timestamp, type, app id, user id). What the program decides stays. Names that the broker
//! generated become `<queue 1>`, addresses of direct reply-to and other programs' generated queues, which only requests
//! tell of, `<reply-to 1>`, and correlation ids `<id 1>`: equal ones stay equal.

mod build;
mod names;

use crate::{event::Ending, tape::Tape};
use serde::Serialize;
use serde_json::{Map, Value};

/// What a program said and heard, in normal form. Serialises to a short map that leaves out whatever is as usual.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Conversation {
    /// Exchanges declared: sorted, each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exchanges: Vec<Exchange>,
    /// Queues declared: sorted, each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub queues: Vec<Queue>,
    /// Bindings made: sorted, each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bindings: Vec<Binding>,
    /// What was unbound, purged and deleted: sorted, each once (`queue.delete hello`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub removals: Vec<String>,
    /// Channels that published, each with its messages in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub publishers: Vec<Publisher>,
    /// Consumers, each with its deliveries in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub consumers: Vec<Consumer>,
    /// Queues asked by `basic.get`, each with what it gave, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gets: Vec<Consumer>,
    /// Channels and connections that the broker closed, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Refusal>,
    /// How each connection ended (`open` while it lasts): sorted.
    pub connections: Vec<String>,
}

/// An exchange that was declared.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are the method's own bits"
)]
pub struct Exchange {
    /// Its name.
    pub name: String,
    /// `direct`, `fanout`, `topic`, `headers` or a plugin's; empty when it was only asked for (`passive`).
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Only asked whether it exists.
    #[serde(skip_serializing_if = "is_false")]
    pub passive: bool,
    /// Survives a restart of the broker.
    #[serde(skip_serializing_if = "is_false")]
    pub durable: bool,
    /// Deleted with its last binding.
    #[serde(skip_serializing_if = "is_false")]
    pub auto_delete: bool,
    /// Not published to by programs.
    #[serde(skip_serializing_if = "is_false")]
    pub internal: bool,
    /// Optional arguments.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub arguments: Map<String, Value>,
}

/// A queue that was declared.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are the method's own bits"
)]
pub struct Queue {
    /// Its name, or `<queue 1>` when the broker chose it.
    pub name: String,
    /// Only asked whether it exists.
    #[serde(skip_serializing_if = "is_false")]
    pub passive: bool,
    /// Survives a restart of the broker.
    #[serde(skip_serializing_if = "is_false")]
    pub durable: bool,
    /// Of this connection only.
    #[serde(skip_serializing_if = "is_false")]
    pub exclusive: bool,
    /// Deleted with its last consumer.
    #[serde(skip_serializing_if = "is_false")]
    pub auto_delete: bool,
    /// Optional arguments.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub arguments: Map<String, Value>,
}

/// A binding.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Binding {
    /// The exchange that messages come from.
    pub from: String,
    /// The queue (or, for `exchange.bind`, the exchange) that they go to.
    pub to: String,
    /// Whether `to` is an exchange.
    #[serde(skip_serializing_if = "is_false")]
    pub to_exchange: bool,
    /// The routing key.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// Optional arguments.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub arguments: Map<String, Value>,
}

/// A channel that published.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Publisher {
    /// In confirm mode.
    #[serde(skip_serializing_if = "is_false")]
    pub confirms: bool,
    /// In transaction mode.
    #[serde(skip_serializing_if = "is_false")]
    pub transactions: bool,
    /// Its messages, in order.
    pub publishes: Vec<Publish>,
}

/// A message that was published.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Publish {
    /// The exchange; the default one is left out.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub exchange: String,
    /// The routing key.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// To be returned when no queue gets it.
    #[serde(skip_serializing_if = "is_false")]
    pub mandatory: bool,
    /// What the broker or a partner makes of it.
    #[serde(flatten)]
    pub properties: Properties,
    /// The body: text, or its length and hash where it is long or no text.
    pub body: String,
    /// What became of it, where the channel's mode tells: `confirmed`, `refused`, `unconfirmed`, `committed`,
    /// `rolled back`, `uncommitted`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<&'static str>,
    /// Why the broker returned it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returned: Option<String>,
    /// Whether the connection ended before all of it was sent.
    #[serde(skip_serializing_if = "is_false")]
    pub cut_short: bool,
}

/// The properties that mean something to the broker, or to the one who answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Properties {
    /// Delivery mode 2.
    #[serde(skip_serializing_if = "is_false")]
    pub persistent: bool,
    /// Its priority, unless 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// A placeholder: equal ids have equal ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// Where the answer goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// When it expires, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration: Option<String>,
    /// Its headers, but for those that the broker adds times to.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub headers: Map<String, Value>,
}

/// A consumer, or a queue that was asked by `basic.get`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Consumer {
    /// The queue.
    pub queue: String,
    /// `manual` or `automatic`.
    pub acknowledgement: &'static str,
    /// The prefetch in force when it began, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefetch: Option<u16>,
    /// The queue's only consumer.
    #[serde(skip_serializing_if = "is_false")]
    pub exclusive: bool,
    /// Optional arguments, `x-priority` among them.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub arguments: Map<String, Value>,
    /// The broker ended it.
    #[serde(skip_serializing_if = "is_false")]
    pub cancelled: bool,
    /// What it got, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deliveries: Vec<Delivery>,
}

/// A delivery and how it was settled.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Delivery {
    /// The exchange that it came by; the default one is left out.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub exchange: String,
    /// Its routing key, unless it is the queue's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// Delivered before.
    #[serde(skip_serializing_if = "is_false")]
    pub redelivered: bool,
    /// What the broker or a partner makes of it.
    #[serde(flatten)]
    pub properties: Properties,
    /// The body.
    pub body: String,
    /// `acked`, `nacked`, `nacked, requeued`, `rejected`, `rejected, requeued`, `recovered` or `open`; nothing with
    /// automatic acknowledgement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled: Option<&'static str>,
}

/// A channel or connection that the broker closed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Refusal {
    /// `channel` or `connection`.
    pub closed: &'static str,
    /// The reply code (AMQP 0-9-1 §1.2).
    pub code: u16,
    /// The reply text, without the virtual host's name.
    pub text: String,
    /// The method that it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
}

impl Conversation {
    /// The conversation on a tape: of one program, whatever number of connections it made.
    ///
    /// Frames that never reached the other side ([`Fate::Vanished`](crate::Fate)) are not part of it.
    pub fn of(tape: &Tape) -> Self {
        build::build(tape)
    }
}

/// Leaves `false` out.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_false(on: &bool) -> bool {
    !on
}

fn ending(ending: Option<Ending>) -> String {
    ending.map_or_else(|| "open".to_owned(), |ending| ending.to_string())
}
