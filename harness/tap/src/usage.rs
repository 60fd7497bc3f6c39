//! How much of a tap's limits is used up, counted over all its connections.

use crate::options::TapLimits;
use amq_protocol::{
    protocol::{AMQPClass, exchange, queue, tx},
    types::{AMQPValue, FieldTable},
};
use std::{
    collections::HashSet,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
};

/// A limit that tripped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tripped {
    /// The field of [`TapLimits`].
    pub(crate) limit: &'static str,
    /// What it allows.
    pub(crate) allowed: u64,
}

/// The counters of one tap.
#[derive(Debug)]
pub(crate) struct Usage {
    pub(crate) limits: TapLimits,
    frames: AtomicU64,
    bytes: AtomicU64,
    connections: AtomicU32,
    unfinished: AtomicU32,
    uncommitted: AtomicU32,
    declared: Mutex<Declared>,
}

#[derive(Debug, Default)]
struct Declared {
    queues: HashSet<String>,
    server_named: u32,
    quorum_queues: u32,
    stream_queues: u32,
    exchanges: HashSet<String>,
    bindings: u32,
    transactions: u32,
}

impl Usage {
    pub(crate) fn new(limits: TapLimits) -> Self {
        Self {
            limits,
            frames: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            connections: AtomicU32::new(0),
            unfinished: AtomicU32::new(0),
            uncommitted: AtomicU32::new(0),
            declared: Mutex::default(),
        }
    }

    /// One more connection; returns its number, with the limit if it trips.
    pub(crate) fn connection(&self) -> Result<u32, (u32, Tripped)> {
        let number = self.connections.fetch_add(1, Relaxed).saturating_add(1);
        over(
            u64::from(number),
            "connections",
            u64::from(self.limits.connections),
        )
        .map_err(|tripped| (number, tripped))?;
        Ok(number)
    }

    /// One more frame.
    pub(crate) fn frame(&self) -> Result<(), Tripped> {
        let count = self.frames.fetch_add(1, Relaxed) + 1;
        over(count, "frames", self.limits.frames)
    }

    /// So many more bytes.
    pub(crate) fn bytes(&self, count: usize) -> Result<(), Tripped> {
        let count = count as u64;
        let total = self.bytes.fetch_add(count, Relaxed).saturating_add(count);
        over(total, "bytes", self.limits.bytes)
    }

    /// What the tape weighs now.
    pub(crate) fn tape(&self, weight: u64) -> Result<(), Tripped> {
        over(weight, "tape_bytes", self.limits.tape_bytes)
    }

    /// A message whose body is still to come.
    pub(crate) fn begin_message(&self) -> Result<(), Tripped> {
        let count = self.unfinished.fetch_add(1, Relaxed) + 1;
        over(
            u64::from(count),
            "unfinished",
            u64::from(self.limits.unfinished),
        )
    }

    /// That message is complete, or will never be.
    pub(crate) fn end_message(&self) {
        self.unfinished.fetch_sub(1, Relaxed);
    }

    /// A body of that size is announced.
    pub(crate) fn body(&self, size: u64) -> Result<(), Tripped> {
        over(size, "message", self.limits.message)
    }

    /// So many channels are open in one connection.
    pub(crate) fn channels(&self, open: usize) -> Result<(), Tripped> {
        over(open as u64, "channels", u64::from(self.limits.channels))
    }

    /// A message was published in a transaction.
    pub(crate) fn publish_in_transaction(&self) -> Result<(), Tripped> {
        let count = self.uncommitted.fetch_add(1, Relaxed) + 1;
        over(
            u64::from(count),
            "uncommitted",
            u64::from(self.limits.uncommitted),
        )
    }

    /// So many of them were committed, rolled back, or lost with their connection.
    pub(crate) fn end_transaction(&self, messages: u32) {
        self.uncommitted.fetch_sub(messages, Relaxed);
    }

    /// What a method of the client adds to the broker.
    pub(crate) fn method(&self, class: &AMQPClass) -> Result<(), Tripped> {
        match class {
            AMQPClass::Queue(queue::AMQPMethod::Declare(declare)) if !declare.passive => {
                self.queue(declare.queue.as_str(), &declare.arguments)
            }
            AMQPClass::Exchange(exchange::AMQPMethod::Declare(declare)) if !declare.passive => {
                let mut declared = self.declared();
                declared
                    .exchanges
                    .insert(declare.exchange.as_str().to_owned());
                over(
                    declared.exchanges.len() as u64,
                    "exchanges",
                    u64::from(self.limits.exchanges),
                )
            }
            AMQPClass::Queue(queue::AMQPMethod::Bind(_))
            | AMQPClass::Exchange(exchange::AMQPMethod::Bind(_)) => {
                let mut declared = self.declared();
                declared.bindings += 1;
                over(
                    u64::from(declared.bindings),
                    "bindings",
                    u64::from(self.limits.bindings),
                )
            }
            AMQPClass::Tx(tx::AMQPMethod::Select(_)) => {
                let mut declared = self.declared();
                declared.transactions += 1;
                over(
                    u64::from(declared.transactions),
                    "transactions",
                    u64::from(self.limits.transactions),
                )
            }
            _ => Ok(()),
        }
    }

    fn queue(&self, name: &str, arguments: &FieldTable) -> Result<(), Tripped> {
        let mut declared = self.declared();
        let fresh = if name.is_empty() {
            declared.server_named += 1;
            true
        } else {
            declared.queues.insert(name.to_owned())
        };
        let queues = declared.queues.len() as u64 + u64::from(declared.server_named);
        over(queues, "queues", u64::from(self.limits.queues))?;
        match queue_type(arguments) {
            b"quorum" if fresh => {
                declared.quorum_queues += 1;
                over(
                    u64::from(declared.quorum_queues),
                    "quorum_queues",
                    u64::from(self.limits.quorum_queues),
                )
            }
            b"stream" if fresh => {
                declared.stream_queues += 1;
                over(
                    u64::from(declared.stream_queues),
                    "stream_queues",
                    u64::from(self.limits.stream_queues),
                )
            }
            _ => Ok(()),
        }
    }

    fn declared(&self) -> std::sync::MutexGuard<'_, Declared> {
        // Counters are whole after each statement.
        self.declared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn queue_type(arguments: &FieldTable) -> &[u8] {
    match arguments.inner().get("x-queue-type") {
        Some(AMQPValue::LongString(kind)) => kind.as_bytes(),
        Some(AMQPValue::ByteArray(kind)) => kind.as_slice(),
        _ => b"",
    }
}

fn over(used: u64, limit: &'static str, allowed: u64) -> Result<(), Tripped> {
    if used > allowed {
        Err(Tripped { limit, allowed })
    } else {
        Ok(())
    }
}
