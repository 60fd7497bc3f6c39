//! How a connection is opened (AMQP 0-9-1 §2.2.4): its greeting, and the login and virtual host put in place of the
//! program's.

use super::{FramePlace, Session, Step, Stop};
use crate::{
    event::{Side, What},
    flaw::{Flaw, Protocol},
    message::method_frame,
    options::Unreadable,
};
use amq_protocol::protocol::{AMQPClass, connection};
use std::time::Duration;

/// The greeting of AMQP 0-9-1 (§4.2.2).
pub(super) const GREETING: &[u8; 8] = b"AMQP\0\0\x09\x01";
/// The greeting of AMQP 0-9, which RabbitMQ takes for the same, and answers with 0-9-1.
const GREETING_0_9: &[u8; 8] = b"AMQP\x01\x01\0\x09";

impl Session {
    /// The protocol header: in a lab, that of 0-9-1 or nothing.
    pub(super) fn greeting(
        &mut self,
        side: Side,
        bytes: &[u8],
        at: Duration,
        steps: &mut Vec<Step>,
    ) -> Result<usize, Stop> {
        let length = bytes.len().min(GREETING.len());
        let start = &bytes[..length];
        let known = if side == Side::Client && self.unreadable == Unreadable::Cut {
            GREETING.starts_with(start) || GREETING_0_9.starts_with(start)
        } else {
            GREETING.starts_with(&start[..length.min(4)])
        };
        // What it looks like shows when all of it is there; a broker waits for as much.
        if !known && length < GREETING.len() && self.unreadable == Unreadable::Cut {
            return Ok(0);
        }
        if !known {
            return Err(other(start).into());
        }
        let &[_, _, _, _, major, minor, revision, last] = start else {
            return Ok(0);
        };
        self.usage.bytes(length)?;
        self.stream(side).greeted = true;
        let place = FramePlace {
            side,
            at,
            offset: 0,
            bytes: start,
            partly: false,
        };
        let version = [major, minor, revision, last];
        self.emit(&place, What::Greeting(version), None, steps);
        if start != GREETING && start != GREETING_0_9 && side == Side::Client {
            // What follows is another protocol's (AMQP 1.0 as a rule).
            self.note(side, What::Unreadable(other(start)));
            self.streams.iter_mut().for_each(|stream| stream.raw = true);
        }
        Ok(length)
    }

    /// The frame to send in place of the client's, with the login or the virtual host of the options.
    pub(super) fn replacement(&self, channel: u16, class: &AMQPClass) -> Option<Vec<u8>> {
        let login = self.login.as_ref()?;
        let class = match class {
            AMQPClass::Connection(connection::AMQPMethod::StartOk(method)) => {
                connection::AMQPMethod::StartOk(connection::StartOk {
                    client_properties: method.client_properties.clone(),
                    mechanism: "PLAIN".into(),
                    response: format!("\0{}\0{}", login.user, login.password).into(),
                    locale: method.locale.clone(),
                })
            }
            AMQPClass::Connection(connection::AMQPMethod::Open(_)) => {
                connection::AMQPMethod::Open(connection::Open {
                    virtual_host: login.vhost.as_str().into(),
                })
            }
            _ => return None,
        };
        Some(method_frame(channel, AMQPClass::Connection(class)))
    }

    /// What to say in place of the broker's `connection.tune`, with the heartbeat of the options.
    pub(super) fn tuned(&self, class: &AMQPClass) -> Option<AMQPClass> {
        let AMQPClass::Connection(connection::AMQPMethod::Tune(tune)) = class else {
            return None;
        };
        let heartbeat = self.heartbeat?;
        Some(AMQPClass::Connection(connection::AMQPMethod::Tune(
            connection::Tune {
                heartbeat,
                ..tune.clone()
            },
        )))
    }
}

/// The flaw of a stream that begins with other bytes.
fn other(start: &[u8]) -> Flaw {
    Flaw::Greeting {
        start: format!("\"{}\"", start.escape_ascii()),
        looks_like: Protocol::of(start),
    }
}
