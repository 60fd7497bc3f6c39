//! Putting events on the tape and their bytes on their way, with the faults that hit before and after them.

use super::{Session, Step};
use crate::{
    confirms::Going,
    event::{Ending, Event, Fate, Side, What},
    fault::{Effect, Strike, When},
    message::{Content, Method},
};
use amq_protocol::protocol::{AMQPClass, basic};
use std::time::Duration;

/// Where a frame is.
#[derive(Clone, Copy, Debug)]
pub(super) struct FramePlace<'a> {
    pub(super) side: Side,
    pub(super) at: Duration,
    /// Where the event's first byte is: for a content, that of its header.
    pub(super) offset: u64,
    /// The frame, or the last one of a content.
    pub(super) bytes: &'a [u8],
    /// Whether its beginning was forwarded already.
    pub(super) partly: bool,
}

impl Session {
    /// The event of a frame that may be forwarded, or replaced; returns its number.
    pub(super) fn emit(
        &mut self,
        place: &FramePlace<'_>,
        what: What,
        replacement: Option<Vec<u8>>,
        steps: &mut Vec<Step>,
    ) -> u64 {
        let armed = self.faults.armed();
        if !armed && !self.control.is_bent() {
            let fate = match replacement {
                None => Fate::Passed,
                Some(_) => Fate::Rewritten,
            };
            let number = self.push(place.side, place.at, place.offset, fate, what);
            send(place.bytes.len(), replacement, steps);
            return number;
        }
        self.emit_bent(place, what, replacement, armed, steps)
    }

    fn emit_bent(
        &mut self,
        place: &FramePlace<'_>,
        what: What,
        replacement: Option<Vec<u8>>,
        armed: bool,
        steps: &mut Vec<Step>,
    ) -> u64 {
        let mut event = self.draft(place.side, place.at, place.offset, Fate::Passed, what);
        let before = if armed {
            self.faults.judge(When::Before, &event)
        } else {
            Vec::new()
        };
        let effects = self.strike(&before, place.side);
        let cut = effects.iter().find_map(|(_, effect)| match effect {
            Effect::Cut(cut) => Some(*cut),
            _ => None,
        });
        let held = match confirm(place.side, &event.what) {
            Some(confirm) if cut.is_none() && !self.control.is_half_open() && !place.partly => {
                self.control.hold(confirm, place.bytes)
            }
            _ => None,
        };
        event.fate = match &replacement {
            _ if cut.is_some() || self.control.is_half_open() => Fate::Vanished,
            _ if held.is_some() => held.unwrap_or_default(),
            Some(_) => Fate::Rewritten,
            None => Fate::Passed,
        };
        let after = if armed && cut.is_none() {
            self.judge_after(&event)
        } else {
            Vec::new()
        };
        let number = self.tape.push(event);
        for strike in &before {
            self.control
                .note(strike, Some(number), place.side, &self.tape);
        }
        self.bend(effects, place.side, steps);
        if cut.is_some() {
            return number;
        }
        if held.is_some() || self.control.is_half_open() {
            steps.push(Step::Skip(place.bytes.len()));
            self.release_confirms(place.at, steps);
        } else {
            send(place.bytes.len(), replacement, steps);
        }
        let effects = self.strike(&after, place.side);
        for strike in &after {
            self.control
                .note(strike, Some(number), place.side, &self.tape);
        }
        self.bend(effects, place.side, steps);
        number
    }

    /// The event of a new connection, and the faults that wait for one.
    pub(super) fn connected(&self) {
        let event = self.draft(
            Side::Client,
            self.tape.now(),
            0,
            Fate::Passed,
            What::Connected,
        );
        let strikes = if self.faults.armed() {
            self.faults.judge(When::After, &event)
        } else {
            Vec::new()
        };
        let number = self.tape.push(event);
        let effects = self.strike(&strikes, Side::Client);
        for strike in &strikes {
            self.control
                .note(strike, Some(number), Side::Client, &self.tape);
        }
        for (lane, effect) in effects {
            match effect {
                Effect::Cut(cut) => self.control.order(crate::control::Order::Cut(cut)),
                effect => self.control.post(lane, effect),
            }
        }
        self.tape.announce();
    }

    /// Lets bytes through that make no event of their own, or others in their place, unless everything vanishes.
    pub(super) fn forward(
        &self,
        count: usize,
        replacement: Option<Vec<u8>>,
        steps: &mut Vec<Step>,
    ) {
        if self.control.is_half_open() {
            steps.push(Step::Skip(count));
        } else {
            send(count, replacement, steps);
        }
    }

    /// Sends the confirms that were held and no longer are.
    pub(super) fn release_confirms(&self, at: Duration, steps: &mut Vec<Step>) {
        for Going { bytes, anew } in self.control.let_go() {
            if let Some(confirm) = anew {
                let offset = self.streams[Side::Broker.index()].offset;
                let what = What::Method(confirm);
                self.push(Side::Broker, at, offset, Fate::Passed, what);
            }
            steps.push(Step::Send(bytes));
        }
    }

    /// An event that is no frame.
    pub(super) fn note(&self, side: Side, what: What) {
        let offset = self.streams[side.index()].offset;
        self.push(side, self.tape.now(), offset, Fate::Passed, what);
        self.tape.announce();
    }

    pub(super) fn push(
        &self,
        from: Side,
        at: Duration,
        offset: u64,
        fate: Fate,
        what: What,
    ) -> u64 {
        self.tape.push(self.draft(from, at, offset, fate, what))
    }

    fn draft(&self, from: Side, at: Duration, offset: u64, fate: Fate, what: What) -> Event {
        Event {
            number: 0,
            at,
            connection: self.number,
            from,
            fate,
            offset,
            what,
        }
    }

    /// What hits after the event. A method that carries a content is judged when all of it has passed.
    fn judge_after(&self, event: &Event) -> Vec<Strike> {
        match &event.what {
            What::Method(method) if method.carries_content() => Vec::new(),
            What::Content(content) => {
                let mut strikes = self.judge_method(event, content);
                strikes.extend(self.faults.judge(When::After, event));
                strikes
            }
            _ => self.faults.judge(When::After, event),
        }
    }

    fn judge_method(&self, event: &Event, content: &Content) -> Vec<Strike> {
        let method = What::Method(content.method.clone());
        let method = Event {
            number: content.method_event,
            ..self.draft(event.from, event.at, event.offset, event.fate, method)
        };
        self.faults.judge(When::After, &method)
    }

    /// Does at once what can be done at once.
    fn strike(&self, strikes: &[Strike], side: Side) -> Vec<(Side, Effect)> {
        strikes
            .iter()
            .filter_map(|strike| self.control.strike(strike, side))
            .collect()
    }

    /// Does the rest at this place of the stream, or before the other direction next writes.
    fn bend(&mut self, effects: Vec<(Side, Effect)>, side: Side, steps: &mut Vec<Step>) {
        for (lane, effect) in effects {
            match effect {
                Effect::Cut(cut) => {
                    steps.push(Step::Fault(cut));
                    self.conclude(Ending::Fault);
                }
                effect if lane == side => steps.push(Step::Bend(effect)),
                effect => self.control.post(lane, effect),
            }
        }
    }
}

/// Forwards so many bytes more, together with those before them where possible, or others in their place.
fn send(count: usize, replacement: Option<Vec<u8>>, steps: &mut Vec<Step>) {
    if let Some(bytes) = replacement {
        steps.push(Step::Skip(count));
        steps.push(Step::Send(bytes));
    } else if let Some(Step::Pass(before)) = steps.last_mut() {
        *before += count;
    } else {
        steps.push(Step::Pass(count));
    }
}

/// The confirm that an event is: `basic.ack` or `basic.nack` of the broker.
fn confirm(side: Side, what: &What) -> Option<&Method> {
    let What::Method(method) = what else {
        return None;
    };
    let confirms = matches!(
        method.class(),
        AMQPClass::Basic(basic::AMQPMethod::Ack(_) | basic::AMQPMethod::Nack(_))
    );
    (side == Side::Broker && confirms).then_some(method)
}
