//! What a tape means, read once: channels, publishes with their confirms, deliveries with their settlements, errors …,
//! each thing with the number of the event that proves it.
//!
//! Frames that never reached the other side are not part of it.

mod answers;
mod read;
mod requests;

use std::{sync::Arc, time::Duration};

use amq_protocol::types::FieldTable;

use crate::{
    event::{Ending, Event, Side},
    flaw::Flaw,
};

/// A channel, from its opening to its end. Channel 0 is the connection itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane {
    /// The number of the connection on the tape.
    pub connection: u32,
    /// The number of the channel.
    pub channel: u16,
    /// How often a channel of that number was opened before.
    pub opening: u32,
}

/// An event, and when it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The event's number on the tape.
    pub event: u64,
    /// When it was seen, since the tape began.
    pub at: Duration,
}

/// What one program and the broker said to each other.
#[derive(Clone, Debug, Default)]
pub struct Story {
    /// Its connections, in order.
    pub connections: Vec<Connection>,
    /// `queue.declare` and `exchange.declare`.
    pub declares: Vec<Declare>,
    /// `basic.publish`, with what the broker answered.
    pub publishes: Vec<Publish>,
    /// `basic.consume`.
    pub consumers: Vec<Consumer>,
    /// `basic.deliver` and `basic.get-ok`, with how they were settled.
    pub deliveries: Vec<Delivery>,
    /// `basic.ack`, `basic.nack` and `basic.reject`.
    pub settles: Vec<Settle>,
    /// `basic.qos`.
    pub prefetches: Vec<Prefetch>,
    /// `basic.return`.
    pub returns: Vec<Mark>,
    /// `queue.purge` and `queue.delete`.
    pub purges: Vec<Purge>,
    /// `channel.close` and `connection.close` of the broker.
    pub refusals: Vec<Refusal>,
    /// Queues that an answer of the broker proves to exist, and when it did.
    pub proofs: Vec<(String, Mark)>,
    /// What it binds to exchanges, or tries to.
    pub binds: Vec<Bind>,
    /// What it unbinds, purges and deletes, or tries to.
    pub removals: Vec<Removal>,
    /// `confirm.select` and `tx.select`, and how transactions ended.
    pub modes: Vec<Mode>,
    /// `basic.get` that was answered.
    pub gets: Vec<Get>,
    /// `basic.get` that got nothing.
    pub empty: Vec<Mark>,
    /// The tap's faults.
    pub faults: Vec<Mark>,
    /// What could not be read.
    pub flaws: Vec<(Mark, Flaw)>,
    /// Limits of the tap that it passed: which, and how much was allowed.
    pub limits: Vec<(Mark, String, u64)>,
}

/// A connection.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Its number on the tape.
    pub number: u32,
    /// When the program connected.
    pub connected: Mark,
    /// `connection.open-ok`.
    pub opened: Option<Mark>,
    /// The interval of `connection.tune-ok`, in seconds.
    pub heartbeat: u16,
    /// The broker's version, by its `connection.start`: major and minor.
    pub version: Option<(u32, u32)>,
    /// `connection.tune`: what the broker proposed.
    pub proposed: Option<(Mark, Tuning)>,
    /// `connection.tune-ok`: what the program chose.
    pub chosen: Option<(Mark, Tuning)>,
    /// `connection.close` of the program.
    pub closing: Option<Mark>,
    /// How it ended.
    pub ended: Option<(Ending, Mark)>,
    /// Who ended it first while neither had said `connection.close`, and when.
    pub gone: Option<(Side, Mark)>,
    /// The program's system reset it, as it does where something of the broker was left unread.
    pub unread: bool,
    /// The last that the broker sent before that.
    pub heard: Option<Mark>,
    /// The last that the program sent.
    pub last_word: Option<Mark>,
    /// What that was, where it was a method.
    pub last_method: Option<&'static str>,
    /// A fault hit it.
    pub bent: bool,
    /// `connection.blocked`, its reason, and `connection.unblocked`.
    pub blocked: Vec<(Mark, String, Option<Mark>)>,
}

/// What two sides agree on when a connection is opened (AMQP 0-9-1 §1.4.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// The most channels.
    pub channel_max: u16,
    /// The largest frame, in bytes.
    pub frame_max: u32,
}

/// `queue.unbind`, `exchange.unbind`, `queue.purge`, `queue.delete` or `exchange.delete`.
#[derive(Clone, Debug)]
pub struct Removal {
    /// When it was asked for.
    pub asked: Mark,
    /// Which of them.
    pub method: &'static str,
    /// The queue, or the exchange; of a binding, where it leads.
    pub name: String,
}

/// A step of a channel from one mode of publishing to another.
#[derive(Clone, Copy, Debug)]
pub struct Mode {
    /// The channel.
    pub lane: Lane,
    /// When it was asked for, or answered.
    pub mark: Mark,
    /// Which step.
    pub step: Step,
}

/// See [`Mode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// `confirm.select`: from here on the broker confirms.
    Confirms,
    /// `tx.select`.
    Transactions,
    /// `tx.commit-ok`.
    Committed,
    /// `tx.rollback-ok`.
    RolledBack,
}

/// `queue.declare` or `exchange.declare`.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own that the tape tells"
)]
pub struct Declare {
    /// When it was asked for.
    pub asked: Mark,
    /// It is a queue, and no exchange.
    pub is_queue: bool,
    /// The name, as the broker answered it where it did.
    pub name: String,
    /// It only asks whether there is one.
    pub passive: bool,
    /// It survives a restart of the broker.
    pub durable: bool,
    /// Another connection can use it, and it stays when this one ends.
    pub shared: bool,
    /// It belongs to its connection.
    pub exclusive: bool,
    /// When the broker said that it is there.
    pub answered: Option<Mark>,
    /// The reply code that it was refused with.
    pub refused: Option<u16>,
}

/// `queue.bind` or `exchange.bind`.
#[derive(Clone, Debug)]
pub struct Bind {
    /// When it was asked for.
    pub asked: Mark,
    /// The exchange that messages come from.
    pub exchange: String,
    /// The queue that they go to, or the exchange.
    pub destination: String,
    /// The destination is a queue.
    pub to_queue: bool,
    /// The routing key, or pattern.
    pub key: String,
    /// Its arguments, as a headers exchange compares them.
    pub arguments: FieldTable,
    /// When the broker answered it; of one that asks for no answer, when it answered what came later.
    pub answered: Option<Mark>,
}

/// `basic.publish`.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own that the tape tells"
)]
pub struct Publish {
    /// The channel.
    pub lane: Lane,
    /// When it was sent.
    pub asked: Mark,
    /// The content that follows it.
    pub content: Option<u64>,
    /// The content has wholly arrived.
    pub complete: bool,
    /// The exchange; empty: the default one.
    pub exchange: String,
    /// The routing key.
    pub key: String,
    /// It comes back where no queue takes it.
    pub mandatory: bool,
    /// `delivery_mode` is 2.
    pub persistent: bool,
    /// The headers.
    pub headers: FieldTable,
    /// The property `reply_to`.
    pub reply_to: Option<String>,
    /// The property `correlation_id`.
    pub correlation_id: Option<String>,
    /// The property `message_id`.
    pub message_id: Option<String>,
    /// The body, as far as the tape keeps it.
    pub body: Vec<u8>,
    /// The size of the whole body, in bytes.
    pub size: u64,
    /// The channel was in confirm mode.
    pub confirms: bool,
    /// The broker confirmed it, whichever way.
    pub confirmed: Option<Mark>,
    /// The confirm stands for others, too, and names the last of them.
    pub confirmed_with: Option<u64>,
    /// It was a refusal: `basic.nack`.
    pub nacked: bool,
    /// It came back: `basic.return`.
    pub returned: Option<Mark>,
    /// The broker has said what becomes of it, whether the program could hear it or not.
    pub decided: bool,
    /// An answer of the broker that it gave after it had routed this.
    pub routed: Option<Mark>,
    /// The program closed its channel or connection while the confirm was still to come.
    pub abandoned: Option<Mark>,
}

/// `basic.consume`.
#[derive(Clone, Debug)]
pub struct Consumer {
    /// The channel.
    pub lane: Lane,
    /// When it was asked for.
    pub asked: Mark,
    /// The queue.
    pub queue: String,
    /// The consumer tag.
    pub tag: String,
    /// With automatic acknowledgement (`no-ack`).
    pub automatic: bool,
    /// When the broker said that it consumes.
    pub answered: Option<Mark>,
    /// The prefetch that was in force: its own, or that of the channel; 0: none.
    pub prefetch: u16,
    /// When the broker ended it: `basic.cancel`.
    pub cancelled: Option<Mark>,
}

/// `basic.get`, with a message or without.
#[derive(Clone, Debug)]
pub struct Get {
    /// The channel.
    pub lane: Lane,
    /// The queue.
    pub queue: String,
}

/// `basic.deliver` or `basic.get-ok`.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The channel.
    pub lane: Lane,
    /// When it was delivered.
    pub got: Mark,
    /// The content that follows it.
    pub content: Option<u64>,
    /// By what it came.
    pub by: By,
    /// The delivery tag.
    pub tag: u64,
    /// The queue that it comes from.
    pub queue: String,
    /// With automatic acknowledgement (`no-ack`).
    pub automatic: bool,
    /// It was delivered before.
    pub redelivered: bool,
    /// The exchange that it was published to.
    pub exchange: String,
    /// Its routing key.
    pub key: String,
    /// The property `reply_to`.
    pub reply_to: Option<String>,
    /// The property `correlation_id`.
    pub correlation_id: Option<String>,
    /// The body, as far as the tape keeps it.
    pub body: Vec<u8>,
    /// The body is all there.
    pub whole: bool,
    /// How it was settled.
    pub settled: Option<Settled>,
    /// It was still open when the program asked for all of them again: `basic.recover`.
    pub recovered: Option<Mark>,
}

/// By what a delivery came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// A consumer, by its place in [`Story::consumers`].
    Consumer(usize),
    /// `basic.get`.
    Get,
    /// A consumer that is not on the tape.
    Unknown,
}

/// How a delivery was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// When.
    pub mark: Mark,
    /// It goes back into the queue.
    pub requeued: bool,
    /// It is done: `basic.ack`.
    pub acked: bool,
}

/// `basic.ack`, `basic.nack` or `basic.reject` of the program.
#[derive(Clone, Debug)]
pub struct Settle {
    /// The channel.
    pub lane: Lane,
    /// When it was sent.
    pub mark: Mark,
    /// Which of them.
    pub method: &'static str,
    /// The delivery tag.
    pub tag: u64,
    /// How many deliveries it settled.
    pub count: usize,
    /// All that the channel has open, which may be none.
    pub everything: bool,
}

/// `basic.qos`.
#[derive(Clone, Copy, Debug)]
pub struct Prefetch {
    /// The channel.
    pub lane: Lane,
    /// When it was sent.
    pub mark: Mark,
    /// The most deliveries that may be open; 0: any number.
    pub count: u16,
    /// For the whole channel, and not for each consumer.
    pub global: bool,
}

/// `queue.purge` or `queue.delete`, with how many messages the broker threw away.
#[derive(Clone, Debug)]
pub struct Purge {
    /// When it was asked for.
    pub asked: Mark,
    /// When the broker said that it is done.
    pub answered: Mark,
    /// Which of them.
    pub method: &'static str,
    /// The queue.
    pub queue: String,
    /// How many messages it threw away.
    pub messages: u32,
}

/// `channel.close` or `connection.close` of the broker.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The channel.
    pub lane: Lane,
    /// When it came.
    pub mark: Mark,
    /// The reply code.
    pub code: u16,
    /// The reply text.
    pub text: String,
    /// The method that it answers, where the broker says so.
    pub method: String,
    /// The frame of that method, where it can be told.
    pub culprit: Option<Mark>,
}

impl Connection {
    /// The program ended it without a word: when.
    pub fn dropped(&self) -> Option<Mark> {
        let (ending, mark) = self.ended?;
        (ending == Ending::DroppedByClient).then_some(mark)
    }

    /// The program cannot have read this frame of the broker: it came after the program was gone, or it is what was
    /// left unread.
    pub fn never_read(&self, frame: Mark) -> bool {
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
    pub fn queue(&self) -> Option<&str> {
        self.to_queue.then_some(self.destination.as_str())
    }
}

impl Story {
    /// Reads the events of a tape.
    pub fn of(events: &[Arc<Event>]) -> Self {
        read::read(events)
    }

    /// The requests that it sent: messages that say where the reply goes.
    pub fn requests(&self) -> impl Iterator<Item = &Publish> {
        self.publishes.iter().filter(|it| it.reply_to.is_some())
    }

    /// Whether a fault hit it.
    pub fn is_bent(&self) -> bool {
        !self.faults.is_empty()
    }

    /// The connection of a number.
    pub fn connection(&self, number: u32) -> Option<&Connection> {
        self.connections.iter().find(|it| it.number == number)
    }

    /// The acknowledgement of what was settled before, or was never delivered, that a refusal answers.
    pub fn settled_again(&self, refusal: &Refusal) -> Option<&Settle> {
        let tag = refusal.text.rsplit(' ').next()?.parse::<u64>().ok()?;
        let answered = |it: &&Settle| {
            it.lane == refusal.lane && it.tag == tag && it.method == refusal.method && it.count == 0
        };
        self.settles.iter().find(answered)
    }

    /// What came out of a queue.
    pub fn deliveries_of(&self, queue: &str) -> impl Iterator<Item = &Delivery> {
        self.deliveries.iter().filter(move |it| it.queue == queue)
    }
}
