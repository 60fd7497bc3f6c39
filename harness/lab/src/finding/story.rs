//! A tape, read once: what the rules ask about, each thing with the number of the event that proves it.
//!
//! Frames that never reached the other side are not part of it.

mod answers;
mod read;

use std::time::Duration;

use super::Seen;
use amqp_tap::Ending;

/// A channel, from its opening to its end. Channel 0 is the connection itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Lane {
    pub(super) connection: u32,
    pub(super) channel: u16,
    /// How often a channel of that number was opened before.
    pub(super) opening: u32,
}

/// An event, and when it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) event: u64,
    pub(super) at: Duration,
}

/// What one program and the broker said to each other.
#[derive(Clone, Debug)]
pub(super) struct Story<'a> {
    pub(super) seen: &'a Seen<'a>,
    /// Its place among the programs.
    pub(super) place: usize,
    pub(super) connections: Vec<Connection>,
    pub(super) declares: Vec<Declare>,
    pub(super) publishes: Vec<Publish>,
    pub(super) consumers: Vec<Consumer>,
    pub(super) deliveries: Vec<Delivery>,
    pub(super) settles: Vec<Settle>,
    pub(super) prefetches: Vec<Prefetch>,
    pub(super) returns: Vec<Mark>,
    pub(super) purges: Vec<Purge>,
    pub(super) refusals: Vec<Refusal>,
    /// Queues that an answer of the broker proves to exist, and when it did.
    pub(super) proofs: Vec<(String, Mark)>,
    /// Exchanges that something is bound to, or may be.
    pub(super) binds: Vec<(String, Mark)>,
    /// `basic.get` that got nothing.
    pub(super) empty: Vec<Mark>,
    /// The tap's faults, and what it could not read.
    pub(super) faults: Vec<Mark>,
    pub(super) flaws: Vec<(Mark, String)>,
    pub(super) limits: Vec<(Mark, String, u64)>,
}

/// A connection.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub(super) number: u32,
    pub(super) connected: Mark,
    /// `connection.open-ok`.
    pub(super) opened: Option<Mark>,
    /// The interval of `connection.tune-ok`, in seconds.
    pub(super) heartbeat: u16,
    /// `connection.close` of the program.
    pub(super) closing: Option<Mark>,
    pub(super) ended: Option<(Ending, Mark)>,
    /// The last that the program sent.
    pub(super) last_word: Option<Mark>,
    /// A fault hit it.
    pub(super) bent: bool,
    /// `connection.blocked`, its reason, and `connection.unblocked`.
    pub(super) blocked: Vec<(Mark, String, Option<Mark>)>,
}

/// `queue.declare` or `exchange.declare`.
#[derive(Clone, Debug)]
pub(super) struct Declare {
    pub(super) asked: Mark,
    pub(super) is_queue: bool,
    /// The name, as the broker answered it where it did.
    pub(super) name: String,
    pub(super) passive: bool,
    /// It belongs to its connection.
    pub(super) exclusive: bool,
    pub(super) answered: Option<Mark>,
    /// The reply code that it was refused with.
    pub(super) refused: Option<u16>,
}

/// `basic.publish`.
#[derive(Clone, Debug)]
pub(super) struct Publish {
    pub(super) lane: Lane,
    pub(super) asked: Mark,
    /// The content that follows it.
    pub(super) content: Option<u64>,
    pub(super) complete: bool,
    pub(super) exchange: String,
    pub(super) key: String,
    pub(super) mandatory: bool,
    pub(super) body: Vec<u8>,
    /// The channel was in confirm mode.
    pub(super) confirms: bool,
    pub(super) confirmed: Option<Mark>,
    /// An answer of the broker that it gave after it had routed this.
    pub(super) routed: Option<Mark>,
    /// The program closed its channel or connection while the confirm was still to come.
    pub(super) abandoned: Option<Mark>,
}

/// `basic.consume`.
#[derive(Clone, Debug)]
pub(super) struct Consumer {
    pub(super) lane: Lane,
    pub(super) asked: Mark,
    pub(super) queue: String,
    pub(super) tag: String,
    pub(super) automatic: bool,
    pub(super) answered: Option<Mark>,
    /// A prefetch was in force.
    pub(super) limited: bool,
}

/// `basic.deliver` or `basic.get-ok`.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    pub(super) lane: Lane,
    pub(super) got: Mark,
    pub(super) tag: u64,
    pub(super) queue: String,
    pub(super) automatic: bool,
    pub(super) redelivered: bool,
    pub(super) exchange: String,
    pub(super) key: String,
    pub(super) reply_to: Option<String>,
    pub(super) body: Vec<u8>,
    /// The body is all there.
    pub(super) whole: bool,
    pub(super) settled: Option<Settled>,
}

/// How a delivery was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Settled {
    pub(super) mark: Mark,
    /// It goes back into the queue.
    pub(super) requeued: bool,
    /// It is done: `basic.ack`.
    pub(super) acked: bool,
}

/// `basic.ack`, `basic.nack` or `basic.reject` of the program.
#[derive(Clone, Debug)]
pub(super) struct Settle {
    pub(super) lane: Lane,
    pub(super) mark: Mark,
    pub(super) method: &'static str,
    pub(super) tag: u64,
    /// How many deliveries it settled.
    pub(super) count: usize,
}

/// `basic.qos`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prefetch {
    pub(super) lane: Lane,
    pub(super) mark: Mark,
    pub(super) count: u16,
    pub(super) global: bool,
}

/// `queue.purge` or `queue.delete`, with how many messages the broker threw away.
#[derive(Clone, Debug)]
pub(super) struct Purge {
    pub(super) asked: Mark,
    pub(super) answered: Mark,
    pub(super) method: &'static str,
    pub(super) queue: String,
    pub(super) messages: u32,
}

/// `channel.close` or `connection.close` of the broker.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) lane: Lane,
    pub(super) mark: Mark,
    pub(super) code: u16,
    pub(super) text: String,
    /// The method that it answers, where the broker says so.
    pub(super) method: String,
    /// The frame of that method, where it can be told.
    pub(super) culprit: Option<Mark>,
}

impl<'a> Story<'a> {
    pub(super) fn of(seen: &'a Seen<'a>, place: usize) -> Self {
        read::read(seen, place)
    }

    /// It ended, with code 0.
    pub(super) fn succeeded(&self) -> bool {
        self.seen
            .ended
            .is_some_and(crate::process::Ended::is_success)
    }

    /// It ended of its own accord: it was not killed, and nobody pressed Ctrl-C.
    pub(super) fn ended_by_itself(&self) -> bool {
        matches!(self.seen.ended, Some(crate::process::Ended::Code(_)))
            && self.seen.interrupted.is_none()
    }

    /// A fault hit it.
    pub(super) fn bent(&self) -> bool {
        !self.faults.is_empty()
    }

    pub(super) fn connection(&self, number: u32) -> Option<&Connection> {
        self.connections.iter().find(|it| it.number == number)
    }

    /// The last message that the program had to deal with, on a connection.
    pub(super) fn deliveries_of(&self, queue: &str) -> impl Iterator<Item = &Delivery> {
        self.deliveries.iter().filter(move |it| it.queue == queue)
    }
}
