//! One connection's protocol state: bytes in, events and forwarding steps out. No sockets and no waiting here.
//!
//! [`Session::feed`] is given the bytes that a side has sent and that are not yet dealt with. It decodes every frame
//! that has wholly arrived, puts it on the tape, and returns what to do with the bytes. So an event is on the tape
//! before its bytes are forwarded: a reply can never be recorded before its request, which is worth the microseconds
//! that decoding takes. It is also what lets nothing unreadable through ([`Unreadable::Cut`]).

mod assembly;
mod emit;
mod opening;

use crate::{
    control::Control,
    event::{Ending, Fate, Side, What},
    fault::{Cut, Effect, Faults},
    flaw::{Flaw, FrameKind as Kind},
    frame::{self, Raw, Spellings},
    message::{Method, method_frame},
    options::{Login, TapLimits, Unreadable},
    tape::Tape,
    usage::{Tripped, Usage},
};
use amq_protocol::protocol::{AMQPClass, channel, connection, tx};
use assembly::Assembly;
use emit::FramePlace;
use opening::GREETING;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

/// What to do with the bytes that were fed, in order.
#[derive(Debug)]
pub(crate) enum Step {
    /// Forward the next so many bytes as they are.
    Pass(usize),
    /// Leave out the next so many bytes.
    Skip(usize),
    /// Forward these bytes of our own.
    Send(Vec<u8>),
    /// A fault bends this direction from here on.
    Bend(Effect),
    /// A fault cuts the connection here.
    Fault(Cut),
    /// Cut the connection here.
    Cut {
        /// What to say to the one who sent the bytes, before.
        reply: Option<&'static [u8]>,
    },
}

/// The least that can be agreed as the size of a frame (§4.2.3).
const LEAST_FRAME: u32 = 4096;

/// The state of one connection through the tap.
#[derive(Debug)]
pub(crate) struct Session {
    number: u32,
    tape: Tape,
    usage: Arc<Usage>,
    faults: Arc<Faults>,
    control: Arc<Control>,
    login: Option<Login>,
    pub(crate) heartbeat: Option<u16>,
    pub(crate) spellings: Option<Spellings>,
    unreadable: Unreadable,
    streams: [Stream; 2],
    /// The largest frame: the tap's own limit until `tune` and `tune-ok` say less.
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
    /// Its sender is gone, and the tape says so.
    over: bool,
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
        control: Arc<Control>,
        tape: Tape,
        usage: Arc<Usage>,
        faults: Arc<Faults>,
        login: Option<Login>,
        unreadable: Unreadable,
    ) -> Self {
        let largest = usage.limits.frame;
        let session = Self {
            number: control.connection,
            tape,
            usage,
            faults,
            control,
            login,
            heartbeat: None,
            spellings: None,
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
        session.connected();
        session
    }

    /// Deals with the bytes that `side` sent; returns how many of them are used up.
    ///
    /// `early` says how many of them were forwarded already, before their frame was complete.
    pub(crate) fn feed(
        &mut self,
        side: Side,
        bytes: &[u8],
        early: usize,
        steps: &mut Vec<Step>,
    ) -> usize {
        let at = self.tape.now();
        let mut used = 0;
        if side == Side::Broker && early == 0 && self.control.is_bent() {
            self.release_confirms(at, steps);
        }
        while used < bytes.len() && self.verdict.is_none() {
            let partly = early > used;
            match self.next(side, &bytes[used..], partly, at, steps) {
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
        self.may_forward_unread(side)
            && stream.greeted
            && self.spellings.is_none()
            && !self.faults.armed()
            && !self.control.is_bent()
    }

    /// Whether bytes of `side` that cannot be read may be forwarded: never while they may carry a login.
    fn may_forward_unread(&self, side: Side) -> bool {
        self.unreadable == Unreadable::Forward
            && (side == Side::Broker || self.login.is_none() || self.opened)
    }

    /// `side` will send no more.
    pub(crate) fn end_of(&mut self, side: Side) {
        self.over(side, What::HalfClosed);
    }

    /// The connection with `side` broke. Returns whether that is news: once both have agreed to close, a broker ends
    /// its socket by a reset so as not to wait for the program, and nothing is lost.
    pub(crate) fn reset_by(&mut self, side: Side, why: &std::io::Error) -> bool {
        let why = why.kind().to_string();
        self.over(
            side,
            match self.close_agreed {
                true => What::HalfClosed,
                false => What::Reset { why },
            },
        );
        !self.close_agreed
    }

    /// Whether a socket is closed or reset is up to its system, and to what is still unread. So the one who ended first
    /// ended the connection, whichever way, and its end is told once.
    fn over(&mut self, side: Side, what: What) {
        self.first_to_end.get_or_insert(side);
        if !std::mem::replace(&mut self.stream(side).over, true) {
            self.note(side, what);
        }
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
        partly: bool,
        at: Duration,
        steps: &mut Vec<Step>,
    ) -> Result<usize, Stop> {
        if self.streams[side.index()].raw {
            self.usage.bytes(bytes.len())?;
            self.forward(bytes.len(), None, steps);
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
        let place = FramePlace {
            side,
            at,
            offset: self.streams[side.index()].offset,
            bytes: &bytes[..raw.size()],
            partly,
        };
        match raw.kind {
            Kind::Method => self.method(&place, raw, steps)?,
            Kind::Header => {
                let assembly = &mut self.streams[side.index()].assembly;
                let done = assembly.header(raw, place.offset, &self.usage)?;
                let replacement = self.exchanged(side, raw);
                self.part(&place, raw, done, replacement, steps)?;
            }
            Kind::Body => {
                let assembly = &mut self.streams[side.index()].assembly;
                let done = assembly.body(raw, place.offset)?;
                self.part(&place, raw, done, None, steps)?;
            }
            Kind::Heartbeat => {
                let channel = raw.channel;
                self.emit(&place, What::Heartbeat { channel }, None, steps);
            }
        }
        self.usage.tape(self.tape.unbounded_weight())?;
        Ok(raw.size())
    }

    fn method(
        &mut self,
        place: &FramePlace<'_>,
        raw: Raw<'_>,
        steps: &mut Vec<Step>,
    ) -> Result<(), Stop> {
        let side = place.side;
        let class = frame::method(raw.payload, self.usage.limits.depth.min(TapLimits::DEEPEST))?;
        let usage = Arc::clone(&self.usage);
        let assembly = &mut self.streams[side.index()].assembly;
        for (offset, content) in assembly.make_way(raw.channel, &class, &usage)? {
            self.push(side, place.at, offset, Fate::Passed, What::Content(content));
        }
        let tuned = match side {
            Side::Client => None,
            Side::Broker => self.tuned(&class),
        };
        let replacement = match (side, &tuned) {
            (Side::Client, _) => self.replacement(raw.channel, &class),
            (Side::Broker, tuned) => {
                let tuned = tuned.as_ref();
                tuned.map(|class| method_frame(raw.channel, class.clone()))
            }
        };
        let replacement = replacement.or_else(|| self.exchanged(side, raw));
        let counted = self.follow(side, raw.channel, &class);
        let method = match tuned {
            // What the program gets is what it answers to.
            Some(tuned) => Method::new(raw.channel, tuned),
            None => Method::read(raw.channel, class, raw.payload),
        };
        if let Err(stop) = counted {
            let what = What::Method(method);
            self.push(side, place.at, place.offset, Fate::Vanished, what);
            return Err(stop);
        }
        if method.carries_content() {
            usage.begin_message()?;
            let number = self.emit(place, What::Method(method.clone()), replacement, steps);
            self.stream(side).assembly.begin(method, number);
        } else {
            self.emit(place, What::Method(method), replacement, steps);
        }
        Ok(())
    }

    /// A header or a body frame: the last one of a content makes its event.
    fn part(
        &mut self,
        place: &FramePlace<'_>,
        raw: Raw<'_>,
        done: bool,
        replacement: Option<Vec<u8>>,
        steps: &mut Vec<Step>,
    ) -> Result<(), Stop> {
        let usage = Arc::clone(&self.usage);
        let assembly = &mut self.streams[place.side.index()].assembly;
        let Some((offset, content)) = done.then(|| assembly.finish(raw.channel, &usage)).flatten()
        else {
            self.forward(raw.size(), replacement, steps);
            return Ok(());
        };
        if place.side == Side::Client
            && let Some(messages) = self.transactions.get_mut(&raw.channel)
        {
            *messages += 1;
            usage.publish_in_transaction()?;
        }
        let place = FramePlace { offset, ..*place };
        self.emit(&place, What::Content(content), replacement, steps);
        Ok(())
    }

    /// The frame to send in place of one, where strings are spelled for the client.
    fn exchanged(&mut self, side: Side, raw: Raw<'_>) -> Option<Vec<u8>> {
        let spellings = self.spellings.as_mut()?;
        match side {
            Side::Client => spellings.restore(raw),
            Side::Broker => spellings.spell(raw),
        }
    }

    /// Follows the state of the connection, and counts what the client asks of the broker.
    fn follow(&mut self, side: Side, number: u16, class: &AMQPClass) -> Result<(), Stop> {
        match class {
            // What the broker proposes is the most that can be agreed. 0 stands for no limit.
            AMQPClass::Connection(
                connection::AMQPMethod::Tune(connection::Tune { frame_max, .. })
                | connection::AMQPMethod::TuneOk(connection::TuneOk { frame_max, .. }),
            ) if *frame_max != 0 => {
                self.largest = self.largest.min((*frame_max).max(LEAST_FRAME));
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
                self.control.opens_channel(number);
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

    /// Notes why decoding stops, and cuts the connection or gives up decoding that direction.
    fn stop(&mut self, side: Side, stop: Stop, steps: &mut Vec<Step>) {
        match stop {
            Stop::Flaw(flaw) => {
                let reply = match (&flaw, side) {
                    // What a broker does (§4.2.2): it says which protocol it speaks, and closes.
                    (Flaw::Greeting { .. }, Side::Client) => Some(GREETING.as_slice()),
                    _ => None,
                };
                self.note(side, What::Unreadable(flaw));
                if self.may_forward_unread(side) {
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
}

impl Drop for Session {
    fn drop(&mut self) {
        // A task that was aborted could not say so.
        self.finish();
    }
}
