//! One connection's protocol state: bytes in, events and forwarding steps out. No sockets and no waiting here.
//!
//! [`Session::feed`] is given the bytes that a side has sent and that are not yet dealt with. It decodes every frame
//! that has wholly arrived, puts it on the tape, and answers what to do with the bytes. So an event is on the tape
//! before its bytes are forwarded: a reply can never be recorded before its request, which is worth the microsecond
//! that decoding takes. It is also what lets nothing unreadable through ([`Unreadable::Cut`]).

mod assembly;

use crate::{
    event::{Ending, Event, Fate, Side, What},
    flaw::Flaw,
    frame::{self, Kind, Raw},
    message::{Method, method_frame},
    options::{Login, Unreadable},
    tape::Tape,
    usage::{Tripped, Usage},
};
use amq_protocol::protocol::{AMQPClass, channel, connection, tx};
use assembly::Assembly;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

/// The greeting of AMQP 0-9-1 (§4.2.2).
pub(crate) const GREETING: &[u8; 8] = b"AMQP\0\0\x09\x01";

/// What to do with the bytes that were fed, in order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Forward the next so many bytes as they are.
    Pass(usize),
    /// Leave out the next so many bytes.
    Skip(usize),
    /// Forward these bytes of our own.
    Send(Vec<u8>),
    /// Cut the connection here.
    Cut {
        /// What to say to the one who sent the bytes, before.
        reply: Option<&'static [u8]>,
    },
}

/// The state of one connection through the tap.
#[derive(Debug)]
pub(crate) struct Session {
    number: u32,
    tape: Tape,
    usage: Arc<Usage>,
    login: Option<Login>,
    unreadable: Unreadable,
    streams: [Stream; 2],
    /// The largest frame: the tap's own limit until `tune-ok` says less.
    largest: u32,
    opened: bool,
    channels: HashSet<u16>,
    /// Channels in transaction mode, with the messages published since the last commit.
    transactions: HashMap<u16, u32>,
    closed_by: Option<Side>,
    close_agreed: bool,
    first_to_end: Option<Side>,
    verdict: Option<Ending>,
    ended: bool,
}

/// One direction of it.
#[derive(Debug, Default)]
struct Stream {
    /// How many bytes were dealt with.
    offset: u64,
    greeted: bool,
    /// No longer decoded.
    raw: bool,
    assembly: Assembly,
}

/// Why decoding stops.
#[derive(Debug)]
enum Stop {
    Flaw(Flaw),
    Limit(Tripped),
}

impl From<Flaw> for Stop {
    fn from(flaw: Flaw) -> Self {
        Self::Flaw(flaw)
    }
}

impl From<Tripped> for Stop {
    fn from(tripped: Tripped) -> Self {
        Self::Limit(tripped)
    }
}

impl Session {
    pub(crate) fn new(
        number: u32,
        tape: Tape,
        usage: Arc<Usage>,
        login: Option<Login>,
        unreadable: Unreadable,
    ) -> Self {
        let largest = usage.limits.frame;
        let session = Self {
            number,
            tape,
            usage,
            login,
            unreadable,
            streams: Default::default(),
            largest,
            opened: false,
            channels: HashSet::new(),
            transactions: HashMap::new(),
            closed_by: None,
            close_agreed: false,
            first_to_end: None,
            verdict: None,
            ended: false,
        };
        session.note(Side::Client, What::Connected);
        session
    }

    /// Deals with the bytes that `side` sent; answers how many of them are used up.
    pub(crate) fn feed(&mut self, side: Side, bytes: &[u8], steps: &mut Vec<Step>) -> usize {
        let at = self.tape.now();
        let mut used = 0;
        while used < bytes.len() && self.verdict.is_none() {
            let rest = &bytes[used..];
            match self.next(side, rest, at, steps) {
                Ok(0) => break,
                Ok(count) => {
                    used += count;
                    self.stream(side).offset += count as u64;
                }
                Err(stop) => self.stop(side, stop, steps),
            }
        }
        self.tape.announce();
        used
    }

    /// Whether bytes of `side` may be forwarded before their frame is complete.
    pub(crate) fn may_stream(&self, side: Side) -> bool {
        let stream = &self.streams[side.index()];
        self.unreadable == Unreadable::Forward
            && stream.greeted
            && (side == Side::Broker || self.login.is_none() || self.opened)
    }

    /// `side` will send no more.
    pub(crate) fn end_of(&mut self, side: Side) {
        self.first_to_end.get_or_insert(side);
        self.note(side, What::HalfClosed);
    }

    /// The connection with `side` broke.
    pub(crate) fn reset_by(&mut self, side: Side, why: &std::io::Error) {
        if self.verdict.is_none() && !self.close_agreed {
            self.verdict = Some(Ending::Reset);
        }
        self.note(
            side,
            What::Reset {
                why: why.kind().to_string(),
            },
        );
    }

    /// Says how the connection ends, unless that is already known.
    pub(crate) fn conclude(&mut self, ending: Ending) {
        self.verdict.get_or_insert(ending);
    }

    /// The connection is one too many.
    pub(crate) fn refuse(&mut self, tripped: Tripped) {
        self.limit(Side::Client, tripped);
        self.conclude(Ending::Cut);
        self.finish();
    }

    /// Puts what is unfinished and the end itself on the tape. Nothing can follow it.
    pub(crate) fn finish(&mut self) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let at = self.tape.now();
        let usage = Arc::clone(&self.usage);
        for side in [Side::Client, Side::Broker] {
            for (offset, content) in self.stream(side).assembly.abandon_all(&usage) {
                self.push(side, at, offset, Fate::Passed, What::Content(content));
            }
        }
        self.usage
            .end_transaction(self.transactions.drain().map(|(_, count)| count).sum());
        let ending = match (self.verdict, self.close_agreed, self.closed_by) {
            (Some(ending), ..) => ending,
            (None, _, Some(Side::Broker)) => Ending::ClosedByBroker,
            (None, true, Some(Side::Client)) => Ending::Closed,
            _ => match self.first_to_end {
                Some(Side::Client) => Ending::DroppedByClient,
                Some(Side::Broker) => Ending::DroppedByBroker,
                None => Ending::Cut,
            },
        };
        let from = self.first_to_end.unwrap_or(Side::Client);
        self.note(from, What::Closed(ending));
    }

    /// Deals with what the bytes begin with; 0 means that more bytes are needed.
    fn next(
        &mut self,
        side: Side,
        bytes: &[u8],
        at: Duration,
        steps: &mut Vec<Step>,
    ) -> Result<usize, Stop> {
        if self.streams[side.index()].raw {
            self.usage.bytes(bytes.len())?;
            pass(steps, bytes.len());
            return Ok(bytes.len());
        }
        if !self.streams[side.index()].greeted {
            if side == Side::Client || bytes[0] == b'A' {
                return self.greeting(side, bytes, at, steps);
            }
            self.stream(side).greeted = true;
        }
        let Some(raw) = frame::split(bytes, self.largest)? else {
            return Ok(0);
        };
        self.usage.frame()?;
        self.usage.bytes(raw.size())?;
        match raw.kind {
            Kind::Method => self.method(side, raw, at, steps)?,
            Kind::Header => {
                let offset = self.streams[side.index()].offset;
                let done = self.streams[side.index()]
                    .assembly
                    .header(raw, offset, &self.usage)?;
                if done {
                    self.content(side, raw.channel, at)?;
                }
                pass(steps, raw.size());
            }
            Kind::Body => {
                let offset = self.streams[side.index()].offset;
                let done = self.streams[side.index()].assembly.body(raw, offset)?;
                if done {
                    self.content(side, raw.channel, at)?;
                }
                pass(steps, raw.size());
            }
            Kind::Heartbeat => {
                let offset = self.streams[side.index()].offset;
                let what = What::Heartbeat {
                    channel: raw.channel,
                };
                self.push(side, at, offset, Fate::Passed, what);
                pass(steps, raw.size());
            }
        }
        self.usage.tape(self.tape.unbounded_weight())?;
        Ok(raw.size())
    }

    fn greeting(
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
        let version = [major, minor, revision, last];
        self.usage.bytes(GREETING.len())?;
        self.stream(side).greeted = true;
        self.push(side, at, 0, Fate::Passed, What::Greeting(version));
        pass(steps, GREETING.len());
        Ok(GREETING.len())
    }

    fn method(
        &mut self,
        side: Side,
        raw: Raw<'_>,
        at: Duration,
        steps: &mut Vec<Step>,
    ) -> Result<(), Stop> {
        let class = frame::method(
            raw.payload,
            self.usage.limits.depth.min(crate::Limits::DEEPEST),
        )?;
        let offset = self.streams[side.index()].offset;
        let usage = Arc::clone(&self.usage);
        let abandoned =
            self.streams[side.index()]
                .assembly
                .make_way(raw.channel, &class, &usage)?;
        for (offset, content) in abandoned {
            self.push(side, at, offset, Fate::Passed, What::Content(content));
        }
        let replacement = match side {
            Side::Client => self.replacement(raw.channel, &class),
            Side::Broker => None,
        };
        let counted = self.follow(side, raw.channel, &class);
        let method = Method::read(raw.channel, class, raw.payload);
        let fate = match (&counted, &replacement) {
            (Err(_), _) => Fate::Vanished,
            (Ok(()), Some(_)) => Fate::Rewritten,
            (Ok(()), None) => Fate::Passed,
        };
        let carries = method.carries_content().then(|| method.clone());
        let number = self.push(side, at, offset, fate, What::Method(method));
        counted?;
        if let Some(method) = carries {
            usage.begin_message()?;
            self.stream(side).assembly.begin(method, number);
        }
        match replacement {
            Some(bytes) => {
                steps.push(Step::Skip(raw.size()));
                steps.push(Step::Send(bytes));
            }
            None => pass(steps, raw.size()),
        }
        Ok(())
    }

    /// The frame to send in place of the client's, with the login or the virtual host of the options.
    fn replacement(&self, channel: u16, class: &AMQPClass) -> Option<Vec<u8>> {
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

    /// Follows the state of the connection, and counts what the client asks of the broker.
    fn follow(&mut self, side: Side, number: u16, class: &AMQPClass) -> Result<(), Stop> {
        match class {
            AMQPClass::Connection(connection::AMQPMethod::TuneOk(tune)) if tune.frame_max != 0 => {
                self.largest = self.largest.min(tune.frame_max.max(4096));
            }
            AMQPClass::Connection(connection::AMQPMethod::Open(_)) => self.opened = true,
            AMQPClass::Connection(connection::AMQPMethod::Close(_)) => {
                self.closed_by.get_or_insert(side);
            }
            AMQPClass::Connection(connection::AMQPMethod::CloseOk(_)) => {
                self.close_agreed = self.closed_by.is_some_and(|by| by != side);
            }
            AMQPClass::Channel(channel::AMQPMethod::Open(_)) => {
                self.channels.insert(number);
                self.usage.channels(self.channels.len())?;
            }
            AMQPClass::Channel(channel::AMQPMethod::CloseOk(_)) => {
                self.channels.remove(&number);
                self.end_transaction(number, true);
            }
            AMQPClass::Tx(tx::AMQPMethod::Select(_)) if side == Side::Client => {
                self.transactions.entry(number).or_insert(0);
            }
            AMQPClass::Tx(tx::AMQPMethod::Commit(_) | tx::AMQPMethod::Rollback(_)) => {
                self.end_transaction(number, false);
            }
            _ => {}
        }
        if side == Side::Client {
            self.usage.method(class)?;
        }
        Ok(())
    }

    fn end_transaction(&mut self, channel: u16, for_good: bool) {
        if let Some(messages) = self.transactions.get_mut(&channel) {
            self.usage.end_transaction(std::mem::take(messages));
        }
        if for_good {
            self.transactions.remove(&channel);
        }
    }

    /// A content is complete.
    fn content(&mut self, side: Side, channel: u16, at: Duration) -> Result<(), Stop> {
        let usage = Arc::clone(&self.usage);
        let Some((offset, content)) = self.stream(side).assembly.finish(channel, &usage) else {
            return Ok(());
        };
        self.push(side, at, offset, Fate::Passed, What::Content(content));
        if side == Side::Client
            && let Some(messages) = self.transactions.get_mut(&channel)
        {
            *messages += 1;
            usage.publish_in_transaction()?;
        }
        Ok(())
    }

    /// Notes why decoding stops, and cuts the connection or gives up decoding that direction.
    fn stop(&mut self, side: Side, stop: Stop, steps: &mut Vec<Step>) {
        let forward = self.unreadable == Unreadable::Forward
            && (side == Side::Broker || self.login.is_none() || self.opened);
        match stop {
            Stop::Flaw(flaw) => {
                let reply = match (&flaw, side) {
                    // What a broker does (§4.2.2): it says which protocol it speaks, and closes.
                    (Flaw::Greeting(_), Side::Client) => Some(GREETING.as_slice()),
                    _ => None,
                };
                self.note(side, What::Unreadable(flaw));
                if forward {
                    let usage = Arc::clone(&self.usage);
                    let stream = self.stream(side);
                    stream.raw = true;
                    stream.greeted = true;
                    let at = self.tape.now();
                    for (offset, content) in self.stream(side).assembly.abandon_all(&usage) {
                        self.push(side, at, offset, Fate::Passed, What::Content(content));
                    }
                    return;
                }
                steps.push(Step::Cut { reply });
            }
            Stop::Limit(tripped) => {
                self.limit(side, tripped);
                steps.push(Step::Cut { reply: None });
            }
        }
        self.conclude(Ending::Cut);
    }

    fn limit(&self, side: Side, Tripped { limit, allowed }: Tripped) {
        self.note(
            side,
            What::Limit {
                limit: limit.to_owned(),
                allowed,
            },
        );
    }

    fn stream(&mut self, side: Side) -> &mut Stream {
        &mut self.streams[side.index()]
    }

    fn note(&self, side: Side, what: What) {
        let offset = self.streams[side.index()].offset;
        self.push(side, self.tape.now(), offset, Fate::Passed, what);
        self.tape.announce();
    }

    fn push(&self, from: Side, at: Duration, offset: u64, fate: Fate, what: What) -> u64 {
        self.tape.push(Event {
            number: 0,
            at,
            connection: self.number,
            from,
            fate,
            offset,
            what,
        })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // A task that was aborted could not say so.
        self.finish();
    }
}

/// Forwards so many bytes more, together with those before them where possible.
fn pass(steps: &mut Vec<Step>, count: usize) {
    match steps.last_mut() {
        Some(Step::Pass(before)) => *before += count,
        _ => steps.push(Step::Pass(count)),
    }
}
