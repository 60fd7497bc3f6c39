//! What is declared in a vhost.

use serde_json::{Map, Value};

/// The queues, exchanges and bindings of a vhost, each sorted, without those that every vhost has:
/// the default exchange and its bindings, and the `amq.*` exchanges.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Topology {
    /// The queues, by name.
    pub queues: Vec<Queue>,
    /// The exchanges, by name.
    pub exchanges: Vec<Exchange>,
    /// The bindings, by source, destination and routing key.
    pub bindings: Vec<Binding>,
}

/// A queue as it was declared.
#[derive(Debug, Clone, PartialEq)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// `classic`, `quorum` or `stream`.
    pub kind: String,
    /// Whether its declaration survives a restart of the broker.
    pub durable: bool,
    /// Whether it belongs to one connection.
    pub exclusive: bool,
    /// Whether it goes with its last consumer.
    pub auto_delete: bool,
    /// Its arguments, `x-…`.
    pub arguments: Map<String, Value>,
}

/// An exchange as it was declared.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    /// Its name.
    pub name: String,
    /// `direct`, `fanout`, `topic`, `headers` or a plugin's type.
    pub kind: String,
    /// Whether its declaration survives a restart of the broker.
    pub durable: bool,
    /// Whether it goes with its last binding.
    pub auto_delete: bool,
    /// Its arguments.
    pub arguments: Map<String, Value>,
}

/// A binding.
#[derive(Debug, Clone, PartialEq)]
pub struct Binding {
    /// The exchange that routes.
    pub source: String,
    /// The queue or exchange that gets the messages.
    pub destination: String,
    /// Whether the destination is an exchange.
    pub to_exchange: bool,
    /// The routing key, or the pattern of one.
    pub routing_key: String,
    /// Its arguments: what a headers exchange matches.
    pub arguments: Map<String, Value>,
}

impl Topology {
    pub(crate) fn sorted(mut self) -> Self {
        self.queues.sort_by(|one, other| one.name.cmp(&other.name));
        self.exchanges
            .sort_by(|one, other| one.name.cmp(&other.name));
        self.bindings
            .sort_by(|one, other| one.order().cmp(&other.order()));
        self
    }
}

impl Binding {
    fn order(&self) -> (&str, &str, bool, &str) {
        (
            &self.source,
            &self.destination,
            self.to_exchange,
            &self.routing_key,
        )
    }
}
