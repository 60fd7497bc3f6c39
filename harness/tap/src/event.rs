//! What a tape holds: one event per method, joined message, heartbeat, or thing that happened to a connection.

use crate::{
    flaw::Flaw,
    message::{Content, Method},
};
use amq_protocol::protocol::{AMQPClass, BasicProperties, basic};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{fmt, time::Duration};

/// Who an event came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The program that connected to the tap.
    Client,
    /// The broker behind the tap.
    Broker,
}

impl Side {
    /// The one at the other end.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Broker,
            Self::Broker => Self::Client,
        }
    }

    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Client => 0,
            Self::Broker => 1,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Broker => "broker",
        })
    }
}

/// What became of the bytes of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// They were forwarded as they came.
    #[default]
    Passed,
    /// Others were forwarded in their place (a login or a virtual host was rewritten).
    Rewritten,
    /// A fault keeps them back for a while.
    Held,
    /// They were not forwarded: a fault swallowed them, or the connection was cut before them. What a fault sends in
    /// their place later is an event of its own.
    Vanished,
}

/// One thing that happened, in the order in which the tap saw it.
///
/// An event is on the tape before its bytes are forwarded, so a reply never comes before its request.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its place on the tape, from 0.
    pub number: u64,
    /// The time since the tape began (see [`Tape::began`](crate::Tape::began)).
    pub at: Duration,
    /// The connection's number on this tape, from 1.
    pub connection: u32,
    /// Who sent it, or at whose side it happened.
    pub from: Side,
    /// What became of it.
    pub fate: Fate,
    /// Where its first byte was in the stream of bytes that `from` sent on this connection.
    pub offset: u64,
    /// What happened.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A program connected to the tap.
    Connected,
    /// The protocol header (AMQP 0-9-1 §4.2.2): its last four bytes, `[0, 0, 9, 1]` as a rule.
    Greeting([u8; 4]),
    /// A method frame (§4.2.4), secrets redacted.
    Method(Method),
    /// A content header and all its bodies (§4.2.6), joined; it comes when the last of them does.
    Content(Box<Content>),
    /// A heartbeat (§4.2.7).
    Heartbeat {
        /// The channel, which ought to be 0.
        channel: u16,
    },
    /// `from` will send no more; the other direction goes on.
    HalfClosed,
    /// `from` reset its connection, or it broke in another way.
    Reset {
        /// The system's word for it.
        why: String,
    },
    /// Both directions ended, and how.
    Closed(Ending),
    /// Bytes that the tap cannot read.
    Unreadable(Flaw),
    /// A fault hit here.
    Fault {
        /// The fault's number in this tap, from 1.
        fault: u32,
        /// What it did, in words.
        did: String,
        /// The event that its rule matched.
        trigger: Option<u64>,
    },
    /// A limit tripped: the connection is cut here.
    Limit {
        /// Which, as the field of [`TapLimits`](crate::TapLimits) is called.
        limit: String,
        /// How much is allowed.
        allowed: u64,
    },
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// The client sent `connection.close` and the broker agreed (§1.4.2.9).
    Closed,
    /// The broker sent `connection.close`.
    ClosedByBroker,
    /// The client closed or reset its socket first, without `connection.close`.
    ///
    /// A system makes a reset of it where something was left unread, so the two say the same of a program.
    DroppedByClient,
    /// The broker closed or reset its socket first, without `connection.close`.
    DroppedByBroker,
    /// The tap cut it: a limit, bytes that it could not read, or [`Tap::close`](crate::Tap::close).
    Cut,
    /// A fault cut it.
    Fault,
    /// The broker could not be reached.
    NoBroker,
}

impl Event {
    /// The method, where the event is one.
    pub fn method(&self) -> Option<&Method> {
        match &self.what {
            What::Method(method) => Some(method),
            _ => None,
        }
    }

    /// The method's class as `amq_protocol` has it, for typed access to its arguments.
    pub fn class(&self) -> Option<&AMQPClass> {
        self.method().map(Method::class)
    }

    /// The joined content, where the event is one.
    pub fn content(&self) -> Option<&Content> {
        match &self.what {
            What::Content(content) => Some(content),
            _ => None,
        }
    }

    /// The whole message (method, properties, body), where the event is a content that arrived in full.
    pub fn message(&self) -> Option<Message<'_>> {
        self.content()
            .filter(|content| content.complete)
            .map(|content| Message {
                event: self,
                content,
            })
    }

    /// Whether this is the method of that name (`queue.declare-ok`).
    pub fn is(&self, method: &str) -> bool {
        self.method().is_some_and(|this| this.name() == method)
    }

    /// The channel of a method, content or heartbeat.
    pub fn channel(&self) -> Option<u16> {
        match &self.what {
            What::Method(method) => Some(method.channel()),
            What::Content(content) => Some(content.method.channel()),
            What::Heartbeat { channel } => Some(*channel),
            _ => None,
        }
    }

    /// Roughly how many bytes of memory the event takes: what [`TapLimits::tape_bytes`](crate::TapLimits) counts.
    pub fn weight(&self) -> u64 {
        const EVENT: usize = 320;
        let more = match &self.what {
            // The decoded method takes about as much as its bytes, and tables several times as much.
            What::Method(method) => method.payload().len() * 8,
            What::Content(content) => {
                content.body.len() + content.header.len() * 8 + content.frames.len() * 16
            }
            _ => 0,
        };
        (EVENT + more) as u64
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "#{} {:.3}ms {}/{} ",
            self.number,
            self.at.as_secs_f64() * 1000.0,
            self.connection,
            self.from
        )?;
        match &self.what {
            What::Connected => f.write_str("connected"),
            What::Greeting([_, major, minor, revision]) => {
                write!(f, "greets with AMQP {major}-{minor}-{revision}")
            }
            What::Method(method) => method.fmt(f),
            What::Content(content) => content.fmt(f),
            What::Heartbeat { .. } => f.write_str("heartbeat"),
            What::HalfClosed => f.write_str("sends no more"),
            What::Reset { why } => write!(f, "reset: {why}"),
            What::Closed(ending) => write!(f, "ended: {ending}"),
            What::Unreadable(flaw) => write!(f, "unreadable: {flaw}"),
            What::Fault { fault, did, .. } => write!(f, "fault {fault}: {did}"),
            What::Limit { limit, allowed } => write!(f, "limit: {limit} (at most {allowed})"),
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "closed",
            Self::ClosedByBroker => "closed by the broker",
            Self::DroppedByClient => "dropped by the client without connection.close",
            Self::DroppedByBroker => "dropped by the broker without connection.close",
            Self::Cut => "cut by the tap",
            Self::Fault => "cut by a fault",
            Self::NoBroker => "the broker could not be reached",
        })
    }
}

/// A message that went over the wire: its method, its properties and its body.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The event of the content, which comes last.
    pub event: &'a Event,
    /// The content.
    pub content: &'a Content,
}

impl<'a> Message<'a> {
    /// The method's name: `basic.publish`, `basic.deliver`, `basic.return` or `basic.get-ok`.
    pub fn name(self) -> &'static str {
        self.content.method.name()
    }

    /// Whether a program published it.
    pub fn is_publish(self) -> bool {
        self.name() == "basic.publish"
    }

    /// Whether the broker delivered it (pushed, or got by `basic.get`).
    pub fn is_delivery(self) -> bool {
        self.delivery_tag().is_some()
    }

    /// The body, or its beginning when it is longer than the tape keeps.
    pub fn body(self) -> &'a [u8] {
        &self.content.body
    }

    /// The properties.
    pub fn properties(self) -> &'a BasicProperties {
        &self.content.properties
    }

    /// The exchange that it was published to.
    pub fn exchange(self) -> &'a str {
        self.route().0
    }

    /// The routing key.
    pub fn routing_key(self) -> &'a str {
        self.route().1
    }

    /// The delivery tag, of a delivery.
    pub fn delivery_tag(self) -> Option<u64> {
        match self.content.method.class() {
            AMQPClass::Basic(basic::AMQPMethod::Deliver(deliver)) => Some(deliver.delivery_tag),
            AMQPClass::Basic(basic::AMQPMethod::GetOk(got)) => Some(got.delivery_tag),
            _ => None,
        }
    }

    /// The properties by their names in the specification, as values that a person can read.
    pub fn readable_properties(self) -> Value {
        self.content.readable_properties()
    }

    fn route(self) -> (&'a str, &'a str) {
        match self.content.method.class() {
            AMQPClass::Basic(basic::AMQPMethod::Publish(it)) => {
                (it.exchange.as_str(), it.routing_key.as_str())
            }
            AMQPClass::Basic(basic::AMQPMethod::Return(it)) => {
                (it.exchange.as_str(), it.routing_key.as_str())
            }
            AMQPClass::Basic(basic::AMQPMethod::Deliver(it)) => {
                (it.exchange.as_str(), it.routing_key.as_str())
            }
            AMQPClass::Basic(basic::AMQPMethod::GetOk(it)) => {
                (it.exchange.as_str(), it.routing_key.as_str())
            }
            _ => ("", ""),
        }
    }
}
