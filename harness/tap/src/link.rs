//! One connection: two sockets, and a pump for each direction.
//!
//! A pump reads, lets the session decode, writes, and only then reads again: what it holds is at most one buffer, so
//! a slow reader on one side slows the writer on the other (back-pressure) and never grows memory.

use crate::{
    event::{Ending, Side},
    options::Endpoint,
    session::{Session, Step},
    wire::{self, Reader, Writer},
};
use std::{
    io,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::watch,
};

/// How much a pump reads at once, and at first holds. A larger frame makes it grow, up to the largest frame allowed.
const BUFFER: usize = 64 * 1024;

/// Why a connection stops before both sides have ended it.
#[derive(Debug)]
enum Stop {
    /// A side's socket broke: the other's is reset as well.
    Broken,
    /// The tap cuts it, and says this to the client before.
    Cut(Option<&'static [u8]>),
}

/// Carries one connection until it ends, or until `cut` says so.
pub(crate) async fn carry(
    session: Session,
    client: (Reader, Writer),
    broker: Endpoint,
    mut cut: watch::Receiver<bool>,
) {
    let session = Mutex::new(session);
    let (client_reads, mut client_writes) = client;
    let ends = tokio::select! {
        ends = wire::connect(&broker) => ends,
        _ = cut.wait_for(|cut| *cut) => Err(io::ErrorKind::Interrupted.into()),
    };
    let (broker_reads, mut broker_writes) = match ends {
        Ok(ends) => ends,
        Err(error) => {
            let mut session = lock(&session);
            if error.kind() != io::ErrorKind::Interrupted {
                session.conclude(Ending::NoBroker);
                session.reset_by(Side::Broker, &error);
            }
            session.finish();
            client_writes.reset();
            return;
        }
    };
    let stopped = tokio::select! {
        both = async {
            tokio::try_join!(
                pump(&session, Side::Client, client_reads, &mut broker_writes),
                pump(&session, Side::Broker, broker_reads, &mut client_writes),
            )
        } => both.err(),
        _ = cut.wait_for(|cut| *cut) => Some(Stop::Cut(None)),
    };
    match stopped {
        None => {}
        Some(Stop::Broken) => {
            client_writes.reset();
            broker_writes.reset();
        }
        Some(Stop::Cut(reply)) => {
            lock(&session).conclude(Ending::Cut);
            if let Some(reply) = reply {
                // The first bytes ever written to this socket: they fit its buffer, so this does not wait.
                let _ = client_writes.write_all(reply).await;
            }
        }
    }
    lock(&session).finish();
}

/// Carries one direction until its end.
async fn pump(
    session: &Mutex<Session>,
    side: Side,
    mut reader: Reader,
    writer: &mut Writer,
) -> Result<(), Stop> {
    let mut inbox = Inbox::new();
    let mut steps = Vec::new();
    loop {
        let count = match reader.read(inbox.room()).await {
            Ok(0) => {
                lock(session).end_of(side);
                // The other side may be gone already, which its own pump finds out.
                let _ = writer.shutdown().await;
                return Ok(());
            }
            Ok(count) => count,
            Err(error) => return Err(broken(session, side, &error)),
        };
        inbox.end += count;
        let (used, may_stream) = {
            let mut session = lock(session);
            let used = session.feed(side, inbox.bytes(), &mut steps);
            (used, session.may_stream(side))
        };
        let mut at = inbox.start;
        for step in steps.drain(..) {
            match step {
                Step::Pass(count) => {
                    let from = at + inbox.forwarded(count);
                    at += count;
                    send(session, side, writer, &inbox.buffer[from..at]).await?;
                }
                Step::Skip(count) => {
                    inbox.forwarded(count);
                    at += count;
                }
                Step::Send(bytes) => send(session, side, writer, &bytes).await?,
                Step::Cut { reply } => return Err(Stop::Cut(reply)),
            }
        }
        inbox.start += used;
        if may_stream {
            let early = inbox.early;
            send(session, side, writer, &inbox.bytes()[early..]).await?;
            inbox.early = inbox.bytes().len();
        }
    }
}

async fn send(
    session: &Mutex<Session>,
    side: Side,
    writer: &mut Writer,
    bytes: &[u8],
) -> Result<(), Stop> {
    if bytes.is_empty() {
        return Ok(());
    }
    writer
        .write_all(bytes)
        .await
        .map_err(|error| broken(session, side.other(), &error))
}

fn broken(session: &Mutex<Session>, side: Side, error: &io::Error) -> Stop {
    lock(session).reset_by(side, error);
    Stop::Broken
}

pub(crate) fn lock(session: &Mutex<Session>) -> MutexGuard<'_, Session> {
    // A panic while decoding would be a bug; the connection then goes on from what the session last knew.
    session.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The bytes of one direction that have been read and not yet dealt with.
struct Inbox {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// How many of the bytes from `start` were forwarded before their frame was complete.
    early: usize,
}

impl Inbox {
    fn new() -> Self {
        Self {
            buffer: vec![0; BUFFER],
            start: 0,
            end: 0,
            early: 0,
        }
    }

    fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Where to read to.
    fn room(&mut self) -> &mut [u8] {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
        // Half of the buffer at least, so that a large frame does not come in crumbs.
        if self.buffer.len() - self.end < BUFFER / 2 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            if self.buffer.len() - self.end < BUFFER / 2 {
                self.buffer.resize(self.end + BUFFER, 0);
            }
        }
        &mut self.buffer[self.end..]
    }

    /// How many of the next `count` bytes were forwarded already; they are no longer counted as such.
    fn forwarded(&mut self, count: usize) -> usize {
        let already = self.early.min(count);
        self.early -= already;
        already
    }
}
