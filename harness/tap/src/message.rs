//! Methods, contents, and the two joined into messages.

use crate::{
    json::{ToJson, bytes},
    names,
};
use amq_protocol::{
    frame::{AMQPContentHeader, AMQPFrame, WriteContext, gen_frame},
    protocol::{AMQPClass, BasicProperties, basic, connection},
    types::LongString,
};
use serde_json::{Map, Value};
use std::{fmt, sync::Arc};

/// What stands in the place of a secret.
pub(crate) const REDACTED: &[u8] = b"[redacted]";

/// A decoded method on a channel. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct Method(Arc<Inner>);

#[derive(Debug, PartialEq)]
struct Inner {
    channel: u16,
    class: AMQPClass,
    /// The frame's payload as it came (as the codec writes it, where a secret was taken out).
    payload: Box<[u8]>,
}

impl Method {
    /// A method as the codec writes it: for tests and for tapes made by hand. Secrets are taken out.
    pub fn new(channel: u16, class: AMQPClass) -> Self {
        let class = redact(class).unwrap_or_else(|class| class);
        let payload = payload(&class);
        Self(Arc::new(Inner {
            channel,
            class,
            payload,
        }))
    }

    /// A method as it was read; the payload is kept unless it carries a secret.
    pub(crate) fn read(channel: u16, class: AMQPClass, payload: &[u8]) -> Self {
        match redact(class) {
            Ok(redacted) => Self::new(channel, redacted),
            Err(class) => Self(Arc::new(Inner {
                channel,
                class,
                payload: payload.into(),
            })),
        }
    }

    /// The channel it was sent on.
    pub fn channel(&self) -> u16 {
        self.0.channel
    }

    /// The method as `amq_protocol` has it.
    pub fn class(&self) -> &AMQPClass {
        &self.0.class
    }

    /// Its name in AMQP's words, for instance `basic.publish`.
    pub fn name(&self) -> &'static str {
        names::name(&self.0.class)
    }

    /// Its arguments by their names in the specification (`routing-key`), as values that a person can read.
    pub fn arguments(&self) -> Map<String, Value> {
        names::arguments(&self.0.class)
    }

    /// One argument (`arguments`, `routing-key`, `no-ack` …).
    pub fn argument(&self, name: &str) -> Option<Value> {
        self.arguments().remove(name)
    }

    /// The payload of its frame (AMQP 0-9-1 §4.2.4): as it came, but for secrets.
    pub fn payload(&self) -> &[u8] {
        &self.0.payload
    }

    /// Whether a content follows: `basic.publish`, `return`, `deliver` and `get-ok`.
    pub fn carries_content(&self) -> bool {
        carries_content(&self.0.class)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}", self.channel(), self.name())?;
        for (name, value) in self.arguments() {
            let quiet = match &value {
                Value::Bool(on) => !on,
                Value::Object(table) => table.is_empty(),
                _ => false,
            };
            if quiet {
            } else if value == Value::Bool(true) {
                write!(f, " {name}")?;
            } else {
                write!(f, " {name}={value}")?;
            }
        }
        Ok(())
    }
}

/// A content header and its bodies, joined, with the method that they belong to.
#[derive(Clone, Debug, PartialEq)]
pub struct Content {
    /// The method that announced it.
    pub method: Method,
    /// The number of that method's event.
    pub method_event: u64,
    /// The message's properties.
    pub properties: BasicProperties,
    /// The body, up to [`TapLimits::kept_body`](crate::TapLimits) bytes.
    pub body: Vec<u8>,
    /// The length of the whole body (of what came, when it is not complete).
    pub length: u64,
    /// The SHA-256 of the whole body, where `body` is only its beginning.
    pub sha256: Option<[u8; 32]>,
    /// Whether all of it came; if not, the channel or the connection ended first.
    pub complete: bool,
    /// The payload of the header frame (§4.2.6.1) as it came.
    pub header: Box<[u8]>,
    /// Each body frame: where it began in the sender's stream of bytes, and how many bytes of body it held.
    pub frames: Vec<(u64, u32)>,
}

impl Content {
    /// A whole content in one frame, as the codec writes it: for tests and for tapes made by hand.
    ///
    /// `method_event` is the number of the event of `method`, which [`Tape::record`](crate::Tape::record) answers.
    pub fn new(
        method: &Method,
        method_event: u64,
        properties: BasicProperties,
        body: &[u8],
    ) -> Self {
        let header = AMQPContentHeader {
            class_id: method.class().get_amqp_class_id(),
            body_size: body.len() as u64,
            properties: properties.clone(),
        };
        let header = encode(&AMQPFrame::Header(method.channel(), header));
        Self {
            method: method.clone(),
            method_event,
            properties,
            body: body.to_vec(),
            length: body.len() as u64,
            sha256: None,
            complete: true,
            header: inside(&header).into(),
            frames: Vec::new(),
        }
    }

    /// The properties by their names in the specification, as values that a person can read.
    pub fn readable_properties(&self) -> Value {
        self.properties.to_json()
    }

    /// Whether `body` is all of it.
    pub fn is_whole(&self) -> bool {
        self.complete && self.length == self.body.len() as u64
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 60;
        let start = &self.body[..self.body.len().min(SHOWN)];
        write!(
            f,
            "[{}] content of {}: {} bytes {}",
            self.method.channel(),
            self.method.name(),
            self.length,
            bytes(start)
        )?;
        if self.length > start.len() as u64 {
            f.write_str("…")?;
        }
        if !self.complete {
            f.write_str(" (cut short)")?;
        }
        Ok(())
    }
}

/// Whether a content follows the method.
pub(crate) fn carries_content(class: &AMQPClass) -> bool {
    matches!(
        class,
        AMQPClass::Basic(
            basic::AMQPMethod::Publish(_)
                | basic::AMQPMethod::Return(_)
                | basic::AMQPMethod::Deliver(_)
                | basic::AMQPMethod::GetOk(_)
        )
    )
}

/// The method without its secret (`Ok`), or as it was because it carries none (`Err`).
fn redact(class: AMQPClass) -> Result<AMQPClass, AMQPClass> {
    let secret = || LongString::from(REDACTED);
    match class {
        AMQPClass::Connection(connection::AMQPMethod::StartOk(mut method)) => {
            method.response = secret();
            Ok(AMQPClass::Connection(connection::AMQPMethod::StartOk(
                method,
            )))
        }
        AMQPClass::Connection(connection::AMQPMethod::SecureOk(mut method)) => {
            method.response = secret();
            Ok(AMQPClass::Connection(connection::AMQPMethod::SecureOk(
                method,
            )))
        }
        AMQPClass::Connection(connection::AMQPMethod::UpdateSecret(mut method)) => {
            method.new_secret = secret();
            Ok(AMQPClass::Connection(connection::AMQPMethod::UpdateSecret(
                method,
            )))
        }
        other => Err(other),
    }
}

/// A method frame (AMQP 0-9-1 §4.2.3) as the codec writes it.
pub(crate) fn method_frame(channel: u16, class: AMQPClass) -> Vec<u8> {
    encode(&AMQPFrame::Method(channel, class))
}

/// Any frame as the codec writes it.
pub(crate) fn encode(frame: &AMQPFrame) -> Vec<u8> {
    gen_frame(frame)(WriteContext::from(Vec::new()))
        .map(|written| written.into_inner().0)
        // The codec writes to memory, which does not fail; an empty frame would be refused by the other side.
        .unwrap_or_default()
}

fn payload(class: &AMQPClass) -> Box<[u8]> {
    inside(&method_frame(0, class.clone())).into()
}

/// The payload of a frame.
fn inside(frame: &[u8]) -> &[u8] {
    frame
        .get(7..frame.len().saturating_sub(1))
        .unwrap_or_default()
}
