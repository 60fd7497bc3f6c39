//! One connection: two sockets, and a pump for each direction.
//!
//! A pump reads, lets the session decode, writes, and only then reads again: what it holds is at most one buffer, so
//! a slow reader on one side slows the writer on the other (back-pressure) and never grows memory.

use crate::{
    control::{Control, Order},
    event::{Ending, Side},
    fault::Cut,
    options::Endpoint,
    outlet::Outlet,
    session::{Session, Step},
    wire::{self, Reader, Writer},
};
use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How much a pump reads at once, and at first holds. A larger frame makes it grow, up to the largest frame allowed.
const BUFFER: usize = 128 * 1024;

/// How long a connection that was closed in order is still read, so that the system does not turn it into a reset.
const FAREWELL: Duration = Duration::from_millis(500);

/// Why a connection stops before both sides have ended it.
#[derive(Debug)]
enum Stop {
    /// The broker's socket broke: the program's is reset as well.
    Broken,
    /// The broker's socket broke after both had agreed to close.
    Over,
    /// The broker takes no more: what it has said is still to be read, by the other pump.
    Deaf,
    /// The tap cuts it, and says this to the client before.
    Cut(Option<&'static [u8]>),
    /// A fault cuts it.
    Fault(Cut),
}

impl From<Order> for Stop {
    fn from(order: Order) -> Self {
        match order {
            Order::Close => Self::Cut(None),
            Order::Cut(cut) => Self::Fault(cut),
        }
    }
}

/// Carries one connection until it ends, or until its control says so.
pub(crate) async fn carry(
    session: Session,
    client: (Reader, Writer),
    broker: Endpoint,
    control: Arc<Control>,
) {
    let session = Mutex::new(session);
    let (mut client_reads, mut client_writes) = client;
    let connected = tokio::select! {
        biased;
        order = control.ordered() => Err(order),
        connected = wire::connect(&broker) => Ok(connected),
    };
    let (mut broker_reads, mut broker_writes) = match connected {
        Ok(Ok(ends)) => ends,
        Ok(Err(error)) => {
            let mut session = lock(&session);
            session.conclude(Ending::NoBroker);
            session.reset_by(Side::Broker, &error);
            session.finish();
            client_writes.reset();
            return;
        }
        Err(order) => {
            conclude(&session, &order.into());
            client_writes.reset();
            return;
        }
    };
    let stopped = tokio::select! {
        biased;
        order = control.ordered() => Err(order.into()),
        both = async {
            tokio::try_join!(
                pump(&session, &control, Side::Client, &mut client_reads, &mut broker_writes),
                pump(&session, &control, Side::Broker, &mut broker_reads, &mut client_writes),
            )
        } => both,
    };
    let Err(stop) = stopped else {
        lock(&session).finish();
        return;
    };
    conclude(&session, &stop);
    match stop {
        Stop::Over | Stop::Deaf => {}
        Stop::Broken | Stop::Fault(Cut::Reset) => {
            client_writes.reset();
            broker_writes.reset();
        }
        Stop::Cut(reply) => {
            if let Some(reply) = reply {
                // The first bytes ever written to this socket: they fit its buffer, so this does not wait.
                let _ = client_writes.write_all(reply).await;
                farewell(
                    &control,
                    (client_reads, client_writes),
                    (broker_reads, broker_writes),
                )
                .await;
            }
        }
        Stop::Fault(Cut::Clean) => {
            farewell(
                &control,
                (client_reads, client_writes),
                (broker_reads, broker_writes),
            )
            .await;
        }
    }
}

fn conclude(session: &Mutex<Session>, stop: &Stop) {
    let mut session = lock(session);
    match stop {
        Stop::Broken | Stop::Over | Stop::Deaf => {}
        Stop::Cut(_) => session.conclude(Ending::Cut),
        Stop::Fault(_) => session.conclude(Ending::Fault),
    }
    session.finish();
}

/// Closes both connections in order: says the end, and reads what is still on its way, as closing a socket with
/// unread bytes would reset it.
async fn farewell(control: &Control, client: (Reader, Writer), broker: (Reader, Writer)) {
    let side = async |(mut reader, mut writer): (Reader, Writer)| {
        // Whoever is gone needs no goodbye.
        let _ = writer.shutdown().await;
        let mut rest = vec![0; 4096];
        while let Ok(1..) = reader.read(&mut rest).await {}
    };
    let both = async { tokio::join!(side(client), side(broker)) };
    let _ = tokio::time::timeout(FAREWELL, async {
        tokio::select! {
            _ = both => {}
            () = control.closed() => {}
        }
    })
    .await;
}

/// Carries one direction until its end.
async fn pump(
    session: &Mutex<Session>,
    control: &Control,
    side: Side,
    reader: &mut Reader,
    writer: &mut Writer,
) -> Result<(), Stop> {
    match carry_from(session, control, side, reader, writer).await {
        Err(Stop::Deaf) => Ok(()),
        ended => ended,
    }
}

async fn carry_from(
    session: &Mutex<Session>,
    control: &Control,
    side: Side,
    reader: &mut Reader,
    writer: &mut Writer,
) -> Result<(), Stop> {
    let mut outlet = Outlet::new(writer, control, side);
    let mut inbox = Inbox::new();
    let mut steps = Vec::new();
    loop {
        let count = tokio::select! {
            biased;
            read = reader.read(inbox.room()) => match read {
                Ok(0) => {
                    match reader.error() {
                        // Something was written to it after it had closed its socket: it cannot have read that.
                        Some(error) => {
                            lock(session).reset_by(side, &error);
                        }
                        None => lock(session).end_of(side),
                    }
                    // Of a half-open connection not even the end comes through.
                    if !control.is_half_open() {
                        outlet.end().await;
                    }
                    return Ok(());
                }
                Ok(count) => count,
                Err(error) => {
                    let news = lock(session).reset_by(side, &error);
                    if control.is_half_open() {
                        return Ok(());
                    }
                    // A program that ends with something unread resets its socket. What it sent before counts all the
                    // same, so the broker is told of its end in order, and what it says to that is on the tape.
                    if side == Side::Client {
                        outlet.end().await;
                        return Ok(());
                    }
                    return Err(if news { Stop::Broken } else { Stop::Over });
                }
            },
            () = control.woken(side) => {
                let sent = outlet.look_up().await;
                reaches(session, side, &mut outlet, sent)?;
                0
            }
            () = outlet.impatience() => {
                let sent = outlet.flush().await;
                reaches(session, side, &mut outlet, sent)?;
                continue;
            }
        };
        inbox.end += count;
        let (used, may_stream) = {
            let mut session = lock(session);
            let used = session.feed(side, inbox.bytes(), inbox.early, &mut steps);
            (used, session.may_stream(side))
        };
        forward(session, side, &mut outlet, &mut inbox, &mut steps).await?;
        inbox.start += used;
        if may_stream {
            let early = inbox.early;
            send(session, side, &mut outlet, &inbox.bytes()[early..]).await?;
            inbox.early = inbox.bytes().len();
        }
    }
}

/// Does what the session said, in order.
async fn forward(
    session: &Mutex<Session>,
    side: Side,
    outlet: &mut Outlet<'_>,
    inbox: &mut Inbox,
    steps: &mut Vec<Step>,
) -> Result<(), Stop> {
    let mut at = inbox.start;
    for step in steps.drain(..) {
        match step {
            Step::Pass(count) => {
                let from = at + inbox.forwarded(count);
                at += count;
                send(session, side, outlet, &inbox.buffer[from..at]).await?;
            }
            Step::Skip(count) => {
                inbox.forwarded(count);
                at += count;
            }
            Step::Send(bytes) => send(session, side, outlet, &bytes).await?,
            Step::Bend(effect) => {
                let bent = outlet.bend(effect).await;
                reaches(session, side, outlet, bent)?;
            }
            Step::Cut { reply } => return Err(Stop::Cut(reply)),
            Step::Fault(cut) => {
                // What was let through before the cut is not lost by a fault that gathers.
                let sent = outlet.flush().await;
                reaches(session, side, outlet, sent)?;
                return Err(Stop::Fault(cut));
            }
        }
    }
    Ok(())
}

async fn send(
    session: &Mutex<Session>,
    side: Side,
    outlet: &mut Outlet<'_>,
    bytes: &[u8],
) -> Result<(), Stop> {
    if bytes.is_empty() {
        return Ok(());
    }
    let sent = outlet.send(bytes).await;
    reaches(session, side, outlet, sent)
}

/// Takes it in that the other side is gone, which writing to it shows. Its own pump goes on: it reads what that side said
/// before, and then its end.
fn reaches(
    session: &Mutex<Session>,
    side: Side,
    outlet: &mut Outlet<'_>,
    sent: io::Result<()>,
) -> Result<(), Stop> {
    let Err(error) = sent else {
        return Ok(());
    };
    lock(session).reset_by(side.other(), &error);
    match side {
        Side::Client => Err(Stop::Deaf),
        // What the broker answers to a program that is gone still belongs on the tape.
        Side::Broker => {
            outlet.give_up();
            Ok(())
        }
    }
}

fn lock(session: &Mutex<Session>) -> MutexGuard<'_, Session> {
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
