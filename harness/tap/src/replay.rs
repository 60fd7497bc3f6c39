//! A tap without sockets: what it would make of bytes that are already there.

use crate::{
    control::Control,
    event::Side,
    fault::Faults,
    options::{Login, TapLimits, Unreadable},
    session::{Session, Step},
    tape::Tape,
    usage::Usage,
};
use std::{sync::Arc, time::SystemTime};
use tokio::sync::watch;

/// One connection through a tap, without sockets: for bytes from a capture, and for testing the tap itself.
///
/// Nothing waits here, so there are no faults.
#[derive(Debug)]
pub struct Replay {
    session: Session,
    tape: Tape,
    unread: [Vec<u8>; 2],
    steps: Vec<Step>,
    cut: bool,
}

impl Replay {
    /// A connection of a tap with these options.
    pub fn new(login: Option<Login>, unreadable: Unreadable, limits: TapLimits) -> Self {
        let tape = Tape::beginning(SystemTime::now(), None);
        let (_, closing) = watch::channel(false);
        let session = Session::new(
            Arc::new(Control::new(1, closing, false)),
            tape.clone(),
            Arc::new(Usage::new(limits)),
            Arc::new(Faults::new(0)),
            login,
            unreadable,
        );
        Self {
            session,
            tape,
            unread: Default::default(),
            steps: Vec::new(),
            cut: false,
        }
    }

    /// `side` sends these bytes; returns what the other side gets at once.
    ///
    /// A frame that has not wholly come is kept until the rest of it does.
    pub fn feed(&mut self, side: Side, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        if self.cut {
            return out;
        }
        let unread = &mut self.unread[side.index()];
        unread.extend_from_slice(bytes);
        let used = self.session.feed(side, unread, 0, &mut self.steps);
        let mut at = 0;
        for step in self.steps.drain(..) {
            match step {
                Step::Pass(count) => {
                    out.extend_from_slice(&unread[at..at + count]);
                    at += count;
                }
                Step::Skip(count) => at += count,
                Step::Send(bytes) => out.extend(bytes),
                Step::Bend(_) => {}
                Step::Cut { .. } | Step::Fault(_) => self.cut = true,
            }
        }
        unread.drain(..used);
        out
    }

    /// Whether the tap would have cut the connection.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// The tape so far.
    pub fn tape(&self) -> &Tape {
        &self.tape
    }

    /// The tape, with the end of the connection on it.
    pub fn end(mut self) -> Tape {
        self.session.finish();
        self.tape.close();
        self.tape.clone()
    }
}
