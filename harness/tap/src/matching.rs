//! Saying which event is meant: `client("basic.ack")`, `broker("queue.declare-ok").on_channel(1)` …
//!
//! The same [`Frame`] waits for an event, picks events from a tape, and places a fault.

use crate::event::{Event, Side, What};
use serde_json::Value;
use std::{fmt, sync::Arc};

/// Which events are meant. Made by [`client`], [`broker`], [`any`], [`connected`], [`ended`].
#[derive(Clone)]
pub struct Frame {
    from: Option<Side>,
    kind: Kind,
    channel: Option<u16>,
    connection: Option<u32>,
    arguments: Vec<(String, Value)>,
    condition: Option<Arc<Condition>>,
}

type Condition = dyn Fn(&Event) -> bool + Send + Sync;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Any,
    Method(String),
    /// The joined content that follows a method of that name.
    Content(String),
    Connected,
    Ended,
}

/// A method that the client sent, by its name in AMQP's words: `client("basic.ack")`.
pub fn client(method: &str) -> Frame {
    Frame::new(Some(Side::Client), Kind::Method(method.to_owned()))
}

/// A method that the broker sent: `broker("queue.declare-ok")`.
pub fn broker(method: &str) -> Frame {
    Frame::new(Some(Side::Broker), Kind::Method(method.to_owned()))
}

/// Whole messages, by the method that carries them: `message("basic.deliver")`. The event is that of the content.
pub fn message(method: &str) -> Frame {
    Frame::new(None, Kind::Content(method.to_owned()))
}

/// Any frame of either side.
pub fn any() -> Frame {
    Frame::new(None, Kind::Any)
}

/// A new connection.
pub fn connected() -> Frame {
    Frame::new(None, Kind::Connected)
}

/// The end of a connection.
pub fn ended() -> Frame {
    Frame::new(None, Kind::Ended)
}

impl Frame {
    fn new(from: Option<Side>, kind: Kind) -> Self {
        Self {
            from,
            kind,
            channel: None,
            connection: None,
            arguments: Vec::new(),
            condition: None,
        }
    }

    /// Only those from this side.
    #[must_use]
    pub fn from(mut self, side: Side) -> Self {
        self.from = Some(side);
        self
    }

    /// Only those on this channel.
    #[must_use]
    pub fn on_channel(mut self, channel: u16) -> Self {
        self.channel = Some(channel);
        self
    }

    /// Only those of this connection.
    #[must_use]
    pub fn on_connection(mut self, connection: u32) -> Self {
        self.connection = Some(connection);
        self
    }

    /// Only methods with this argument, by its name in the specification: `.with("queue", "hello")`.
    #[must_use]
    pub fn with(mut self, argument: &str, value: impl Into<Value>) -> Self {
        self.arguments.push((argument.to_owned(), value.into()));
        self
    }

    /// Only those for which `condition` holds.
    #[must_use]
    pub fn that(mut self, condition: impl Fn(&Event) -> bool + Send + Sync + 'static) -> Self {
        self.condition = Some(match self.condition.take() {
            None => Arc::new(condition),
            Some(first) => Arc::new(move |event| first(event) && condition(event)),
        });
        self
    }

    /// Whether `event` is meant.
    pub fn matches(&self, event: &Event) -> bool {
        let kind = match (&self.kind, &event.what) {
            (Kind::Method(name), What::Method(method)) => method.name() == name,
            (Kind::Content(name), What::Content(content)) => {
                content.complete && content.method.name() == name
            }
            (
                Kind::Any,
                What::Greeting(_) | What::Method(_) | What::Content(_) | What::Heartbeat { .. },
            )
            | (Kind::Connected, What::Connected)
            | (Kind::Ended, What::Closed(_)) => true,
            _ => false,
        };
        kind && self.from.is_none_or(|side| side == event.from)
            && self
                .connection
                .is_none_or(|number| number == event.connection)
            && self
                .channel
                .is_none_or(|channel| event.channel() == Some(channel))
            && self.arguments_match(event)
            && self
                .condition
                .as_ref()
                .is_none_or(|condition| condition(event))
    }

    fn arguments_match(&self, event: &Event) -> bool {
        if self.arguments.is_empty() {
            return true;
        }
        let method = match &event.what {
            What::Method(method) => method,
            What::Content(content) => &content.method,
            _ => return false,
        };
        let arguments = method.arguments();
        self.arguments
            .iter()
            .all(|(name, value)| arguments.get(name) == Some(value))
    }

    /// A predicate for the `nth` event (from 1) that is meant: for [`Tape::wait_for`](crate::Tape::wait_for).
    pub fn nth(&self, nth: usize) -> impl FnMut(&Event) -> bool + Send + use<> {
        let frame = self.clone();
        let mut seen = 0;
        move |event| {
            if !frame.matches(event) {
                return false;
            }
            seen += 1;
            seen == nth
        }
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(side) = self.from {
            write!(f, "the {side}'s ")?;
        }
        match &self.kind {
            Kind::Any => f.write_str("frame")?,
            Kind::Method(name) => f.write_str(name)?,
            Kind::Content(name) => write!(f, "{name} with its content")?,
            Kind::Connected => f.write_str("connection")?,
            Kind::Ended => f.write_str("end of a connection")?,
        }
        if let Some(channel) = self.channel {
            write!(f, " on channel {channel}")?;
        }
        if let Some(connection) = self.connection {
            write!(f, " of connection {connection}")?;
        }
        for (name, value) in &self.arguments {
            write!(f, " with {name}={value}")?;
        }
        if self.condition.is_some() {
            f.write_str(" that meets a condition")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({self})")
    }
}
