//! A tape, read once: what the rules ask about, each thing with the number of the event that proves it.
//!
//! Frames that never reached the other side are not part of it.

mod answers;
mod read;

use std::time::Duration;

use super::Seen;
use amqp_tap::{Ending, Flaw, Side};
use lapin::types::FieldTable;

/// A channel, from its opening to its end. Channel 0 is the connection itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Lane {
    pub(crate) connection: u32,
    pub(crate) channel: u16,
    /// How often a channel of that number was opened before.
    pub(crate) opening: u32,
}

/// An event, and when it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) event: u64,
    pub(crate) at: Duration,
}

/// What one program and the broker said to each other.
#[derive(Clone, Debug)]
pub(crate) struct Story<'a> {
    pub(crate) seen: &'a Seen<'a>,
    /// Its place among the programs.
    pub(crate) place: usize,
    pub(crate) connections: Vec<Connection>,
    pub(crate) declares: Vec<Declare>,
    pub(crate) publishes: Vec<Publish>,
    pub(crate) consumers: Vec<Consumer>,
    pub(crate) deliveries: Vec<Delivery>,
    pub(crate) settles: Vec<Settle>,
    pub(crate) prefetches: Vec<Prefetch>,
    pub(crate) returns: Vec<Mark>,
    pub(crate) purges: Vec<Purge>,
    pub(crate) refusals: Vec<Refusal>,
    /// Queues that an answer of the broker proves to exist, and when it did.
    pub(crate) proofs: Vec<(String, Mark)>,
    /// What it binds to exchanges, or tries to.
    pub(crate) binds: Vec<Bind>,
    /// `basic.get` that was answered.
    pub(crate) gets: Vec<Get>,
    /// `basic.get` that got nothing.
    pub(crate) empty: Vec<Mark>,
    /// The tap's faults, and what it could not read.
    pub(crate) faults: Vec<Mark>,
    pub(crate) flaws: Vec<(Mark, Flaw)>,
    pub(crate) limits: Vec<(Mark, String, u64)>,
}

/// A connection.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) number: u32,
    pub(crate) connected: Mark,
    /// `connection.open-ok`.
    pub(crate) opened: Option<Mark>,
    /// The interval of `connection.tune-ok`, in seconds.
    pub(crate) heartbeat: u16,
    /// The broker's version, by its `connection.start`: major and minor.
    pub(crate) version: Option<(u32, u32)>,
    /// `connection.tune` and `connection.tune-ok`: what the broker proposed, and what the program chose.
    pub(crate) proposed: Option<(Mark, Tuning)>,
    pub(crate) chosen: Option<(Mark, Tuning)>,
    /// `connection.close` of the program.
    pub(crate) closing: Option<Mark>,
    pub(crate) ended: Option<(Ending, Mark)>,
    /// Who ended it first while neither had said `connection.close`, and when.
    pub(crate) gone: Option<(Side, Mark)>,
    /// The program's system reset it, as it does where something of the broker was left unread.
    pub(crate) unread: bool,
    /// The last that the broker sent before that.
    pub(crate) heard: Option<Mark>,
    /// The last that the program sent, and what it was, where it was a method.
    pub(crate) last_word: Option<Mark>,
    pub(crate) last_method: Option<&'static str>,
    /// A fault hit it.
    pub(crate) bent: bool,
    /// `connection.blocked`, its reason, and `connection.unblocked`.
    pub(crate) blocked: Vec<(Mark, String, Option<Mark>)>,
}

/// What two sides agree on when a connection is opened (AMQP 0-9-1 §1.4.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tuning {
    pub(crate) channel_max: u16,
    pub(crate) frame_max: u32,
}

/// `queue.declare` or `exchange.declare`.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own that the tape tells"
)]
pub(crate) struct Declare {
    pub(crate) asked: Mark,
    pub(crate) is_queue: bool,
    /// The name, as the broker answered it where it did.
    pub(crate) name: String,
    pub(crate) passive: bool,
    pub(crate) durable: bool,
    /// Another connection can use it, and it stays when this one ends.
    pub(crate) shared: bool,
    /// It belongs to its connection.
    pub(crate) exclusive: bool,
    pub(crate) answered: Option<Mark>,
    /// The reply code that it was refused with.
    pub(crate) refused: Option<u16>,
}

/// `queue.bind` or `exchange.bind`.
#[derive(Clone, Debug)]
pub(crate) struct Bind {
    pub(crate) asked: Mark,
    /// The exchange that messages come from.
    pub(crate) exchange: String,
    /// The queue that they go to, or the exchange.
    pub(crate) destination: String,
    pub(crate) to_queue: bool,
    pub(crate) key: String,
    pub(crate) arguments: FieldTable,
}

/// `basic.publish`.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own that the tape tells"
)]
pub(crate) struct Publish {
    pub(crate) lane: Lane,
    pub(crate) asked: Mark,
    /// The content that follows it.
    pub(crate) content: Option<u64>,
    pub(crate) complete: bool,
    pub(crate) exchange: String,
    pub(crate) key: String,
    pub(crate) mandatory: bool,
    pub(crate) persistent: bool,
    pub(crate) headers: FieldTable,
    pub(crate) reply_to: Option<String>,
    pub(crate) correlation_id: Option<String>,
    pub(crate) message_id: Option<String>,
    pub(crate) body: Vec<u8>,
    /// The channel was in confirm mode.
    pub(crate) confirms: bool,
    /// The broker confirmed it, whichever way.
    pub(crate) confirmed: Option<Mark>,
    /// The confirm stands for others, too, and names the last of them.
    pub(crate) confirmed_with: Option<u64>,
    /// It was a refusal: `basic.nack`.
    pub(crate) nacked: bool,
    /// It came back: `basic.return`.
    pub(crate) returned: Option<Mark>,
    /// An answer of the broker that it gave after it had routed this.
    pub(crate) routed: Option<Mark>,
    /// The program closed its channel or connection while the confirm was still to come.
    pub(crate) abandoned: Option<Mark>,
}

/// `basic.consume`.
#[derive(Clone, Debug)]
pub(crate) struct Consumer {
    pub(crate) lane: Lane,
    pub(crate) asked: Mark,
    pub(crate) queue: String,
    pub(crate) tag: String,
    pub(crate) automatic: bool,
    pub(crate) answered: Option<Mark>,
    /// A prefetch was in force.
    pub(crate) limited: bool,
}

/// `basic.get`, with a message or without.
#[derive(Clone, Debug)]
pub(crate) struct Get {
    pub(crate) lane: Lane,
    pub(crate) queue: String,
}

/// `basic.deliver` or `basic.get-ok`.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) lane: Lane,
    pub(crate) got: Mark,
    pub(crate) tag: u64,
    pub(crate) queue: String,
    pub(crate) automatic: bool,
    pub(crate) redelivered: bool,
    pub(crate) exchange: String,
    pub(crate) key: String,
    pub(crate) reply_to: Option<String>,
    pub(crate) correlation_id: Option<String>,
    pub(crate) body: Vec<u8>,
    /// The body is all there.
    pub(crate) whole: bool,
    pub(crate) settled: Option<Settled>,
}

/// How a delivery was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) mark: Mark,
    /// It goes back into the queue.
    pub(crate) requeued: bool,
    /// It is done: `basic.ack`.
    pub(crate) acked: bool,
}

/// `basic.ack`, `basic.nack` or `basic.reject` of the program.
#[derive(Clone, Debug)]
pub(crate) struct Settle {
    pub(crate) lane: Lane,
    pub(crate) mark: Mark,
    pub(crate) method: &'static str,
    pub(crate) tag: u64,
    /// How many deliveries it settled.
    pub(crate) count: usize,
    /// All that the channel has open, which may be none.
    pub(crate) everything: bool,
}

/// `basic.qos`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prefetch {
    pub(crate) lane: Lane,
    pub(crate) mark: Mark,
    pub(crate) count: u16,
    pub(crate) global: bool,
}

/// `queue.purge` or `queue.delete`, with how many messages the broker threw away.
#[derive(Clone, Debug)]
pub(crate) struct Purge {
    pub(crate) asked: Mark,
    pub(crate) answered: Mark,
    pub(crate) method: &'static str,
    pub(crate) queue: String,
    pub(crate) messages: u32,
}

/// `channel.close` or `connection.close` of the broker.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) lane: Lane,
    pub(crate) mark: Mark,
    pub(crate) code: u16,
    pub(crate) text: String,
    /// The method that it answers, where the broker says so.
    pub(crate) method: String,
    /// The frame of that method, where it can be told.
    pub(crate) culprit: Option<Mark>,
}

impl Connection {
    /// The program ended it without a word: when.
    pub(crate) fn dropped(&self) -> Option<Mark> {
        let (ending, mark) = self.ended?;
        (ending == Ending::DroppedByClient).then_some(mark)
    }

    /// The program cannot have read this frame of the broker: it came after the program was gone, or it is what was
    /// left unread.
    pub(crate) fn never_read(&self, frame: Mark) -> bool {
        match self.gone {
            Some((Side::Client, gone)) => {
                frame.event > gone.event || self.unread && self.heard == Some(frame)
            }
            _ => false,
        }
    }
}

impl Bind {
    /// The queue that it brings messages to; `None`: it brings them to another exchange.
    pub(crate) fn queue(&self) -> Option<&str> {
        self.to_queue.then_some(self.destination.as_str())
    }
}

impl<'a> Story<'a> {
    pub(crate) fn of(seen: &'a Seen<'a>, place: usize) -> Self {
        read::read(seen, place)
    }

    /// It ended, with code 0.
    pub(crate) fn succeeded(&self) -> bool {
        self.seen
            .ended
            .is_some_and(crate::process::Ended::is_success)
    }

    /// It ended of its own accord: it was not killed, and nobody pressed Ctrl-C.
    pub(crate) fn ended_by_itself(&self) -> bool {
        matches!(self.seen.ended, Some(crate::process::Ended::Code(_)))
            && self.seen.interrupted.is_none()
    }

    /// The requests that it sent: messages that say where the reply goes.
    pub(crate) fn requests(&self) -> impl Iterator<Item = &Publish> {
        self.publishes.iter().filter(|it| it.reply_to.is_some())
    }

    /// A fault hit it.
    pub(crate) fn bent(&self) -> bool {
        !self.faults.is_empty()
    }

    pub(crate) fn connection(&self, number: u32) -> Option<&Connection> {
        self.connections.iter().find(|it| it.number == number)
    }

    /// The last message that the program had to deal with, on a connection.
    pub(crate) fn deliveries_of(&self, queue: &str) -> impl Iterator<Item = &Delivery> {
        self.deliveries.iter().filter(move |it| it.queue == queue)
    }
}
