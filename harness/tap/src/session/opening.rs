//! How a connection is opened (AMQP 0-9-1 §2.2.4): its greeting, and the login and virtual host put in place of the
//! program's.

use super::{Place, Session, Step, Stop};
use crate::{
    event::{Side, What},
    flaw::Flaw,
    message::method_frame,
    options::Unreadable,
};
use amq_protocol::protocol::{AMQPClass, connection};
use std::time::Duration;

/// The greeting of AMQP 0-9-1 (§4.2.2).
pub(super) const GREETING: &[u8; 8] = b"AMQP\0\0\x09\x01";

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
            GREETING.starts_with(start)
        } else {
            GREETING.starts_with(&start[..length.min(4)])
        };
        if !known {
            return Err(Flaw::Greeting(format!("\"{}\"", start.escape_ascii())).into());
        }
        let &[_, _, _, _, major, minor, revision, last] = start else {
            return Ok(0);
        };
        self.usage.bytes(length)?;
        self.stream(side).greeted = true;
        let place = Place {
            side,
            at,
            offset: 0,
            bytes: start,
            partly: false,
        };
        let version = [major, minor, revision, last];
        self.emit(&place, What::Greeting(version), None, steps);
        if start != GREETING && side == Side::Client {
            // What follows is another protocol's (AMQP 1.0 as a rule).
            self.note(
                side,
                What::Unreadable(Flaw::Greeting(format!("\"{}\"", start.escape_ascii()))),
            );
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

    /// The frame to send in place of the broker's `connection.tune`, with the heartbeat of the options.
    pub(super) fn tuned(&self, channel: u16, class: &AMQPClass) -> Option<Vec<u8>> {
        let AMQPClass::Connection(connection::AMQPMethod::Tune(tune)) = class else {
            return None;
        };
        let heartbeat = self.heartbeat?;
        let tune = connection::AMQPMethod::Tune(connection::Tune {
            heartbeat,
            ..tune.clone()
        });
        Some(method_frame(channel, AMQPClass::Connection(tune)))
    }
}
