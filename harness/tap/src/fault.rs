//! Faults: what a tap does to a connection at exactly the wrong moment, and where.
//!
//! A [`Fault`] is what happens, a [`Rule`] is where, and the [`Injected`] that [`Tap::inject`](crate::Tap::inject)
//! answers tells whether it did. Each hit is also an event on the tape ([`What::Fault`](crate::What::Fault)).

mod armed;
mod effect;

use crate::{
    event::Side,
    matching::{self, Frame},
};
use std::{fmt, sync::Arc, time::Duration};
use tokio::sync::watch;

pub(crate) use armed::Faults;
pub(crate) use effect::{Effect, Gate, HeldAs, Shape, Strike};

/// How a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Both sockets are reset: what was written but not yet read may be lost, as when a machine or a process dies.
    Reset,
    /// Both sockets are closed in order, after everything that was forwarded: no `connection.close` is said.
    Clean,
}

/// What is done to a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Both sides are cut off.
    Cut(Cut),
    /// From here on all bytes vanish, in both directions, and both sockets stay open: a cable pulled out.
    /// Not even the end of one side reaches the other. It lasts.
    HalfOpen,
    /// The frame, and everything behind it in its direction, comes later by so much.
    Delay(Duration),
    /// The frame, and everything behind it in its direction, is held until [`Injected::release`].
    Hold,
    /// The broker's confirms (`basic.ack` and `basic.nack` to the program) are held until [`Injected::release`], and
    /// everything else passes them.
    HoldConfirms,
    /// As [`Fault::HoldConfirms`]; on [`Injected::release`] the `basic.ack`s of each channel that follow one another are
    /// merged into one with `multiple`, which a broker may do at any time.
    ///
    /// On the tape the confirms that came [vanish](crate::Fate::Vanished), and what goes out in their place is noted when
    /// it does. Nothing is claimed that the broker has not: where earlier messages of the channel are still to be
    /// confirmed, or were confirmed before any fault was injected, the confirms go out as they came.
    MergeConfirms,
    /// Its direction carries no more than so many bytes a second, until [`Injected::release`].
    Throttle {
        /// At least 1.
        bytes_per_second: u32,
    },
    /// What goes in its direction is written in pieces of random sizes, until [`Injected::release`].
    Split {
        /// The largest piece, at least 1.
        at_most: usize,
    },
    /// What goes in its direction is gathered and written together, until [`Injected::release`].
    Coalesce {
        /// Written when so much is there …
        bytes: usize,
        /// … or when nothing more has come for so long.
        patience: Duration,
    },
    /// The next connections are reset as soon as they are made. Its rule does not matter.
    Refuse {
        /// How many.
        connections: u32,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut(Cut::Reset) => f.write_str("reset the connection"),
            Self::Cut(Cut::Clean) => f.write_str("closed the connection without a word"),
            Self::HalfOpen => f.write_str("left the connection half open"),
            Self::Delay(by) => write!(f, "delayed by {by:?}"),
            Self::Hold => f.write_str("held"),
            Self::HoldConfirms => f.write_str("held the confirms"),
            Self::MergeConfirms => f.write_str("held the confirms, to merge them"),
            Self::Throttle { bytes_per_second } => {
                write!(f, "throttled to {bytes_per_second} bytes a second")
            }
            Self::Split { at_most } => write!(f, "split into pieces of at most {at_most} bytes"),
            Self::Coalesce { bytes, .. } => write!(f, "coalesced into pieces of {bytes} bytes"),
            Self::Refuse { .. } => f.write_str("refused the connection"),
        }
    }
}

/// Whether a fault comes before its frame is forwarded or after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    Before,
    After,
    Now,
}

/// Where a fault hits. It counts from the moment of its injection.
///
/// After a method that carries a content means after the whole message; before a [`message`](crate::message()) means
/// before the last frame of it.
#[derive(Clone, Debug)]
pub struct Rule {
    pub(crate) when: When,
    pub(crate) frame: Frame,
    pub(crate) nth: Nth,
    pub(crate) times: u64,
    pub(crate) towards: Option<Side>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nth {
    Exactly(u64),
    /// Chosen by the tap's seed from 1 to this.
    Random(u64),
}

impl Rule {
    /// Before the first frame that is meant is forwarded: `Rule::before(client("basic.ack")).nth(3)`.
    pub fn before(frame: Frame) -> Self {
        Self::new(When::Before, frame)
    }

    /// After the first frame that is meant was forwarded: `Rule::after(broker("basic.deliver")).nth(2)`.
    pub fn after(frame: Frame) -> Self {
        Self::new(When::After, frame)
    }

    /// Before one of the next `within` frames of either side, chosen by the tap's seed.
    pub fn at_random_frame(within: u64) -> Self {
        Self {
            nth: Nth::Random(within.max(1)),
            ..Self::new(When::Before, matching::any())
        }
    }

    /// As soon as the next connection is made.
    pub fn next_connection() -> Self {
        Self::new(When::After, matching::connected())
    }

    /// At once, to every connection that there is: on what the client sends, unless [`Rule::towards`] says otherwise.
    pub fn now() -> Self {
        Self::new(When::Now, matching::any())
    }

    fn new(when: When, frame: Frame) -> Self {
        Self {
            when,
            frame,
            nth: Nth::Exactly(1),
            times: 1,
            towards: None,
        }
    }

    /// At the `nth` such frame, from 1.
    #[must_use]
    pub fn nth(mut self, nth: u64) -> Self {
        self.nth = Nth::Exactly(nth.max(1));
        self
    }

    /// At so many of them in a row, instead of at one.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = times;
        self
    }

    /// At every one from the first on.
    #[must_use]
    pub fn every(self) -> Self {
        self.times(u64::MAX)
    }

    /// What is delayed, held, throttled, split or coalesced is what goes to this side, instead of what goes the way
    /// of the frame.
    #[must_use]
    pub fn towards(mut self, side: Side) -> Self {
        self.towards = Some(side);
        self
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.when {
            When::Now => return f.write_str("at once"),
            When::Before => f.write_str("before ")?,
            When::After => f.write_str("after ")?,
        }
        match self.nth {
            Nth::Exactly(1) => self.frame.fmt(f),
            Nth::Exactly(nth) => write!(f, "{} number {nth}", self.frame),
            Nth::Random(within) => write!(f, "one of the next {within} frames"),
        }
    }
}

/// Where a fault hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The connection.
    pub connection: u32,
    /// The event that the rule matched; none for [`Rule::now`].
    pub trigger: Option<u64>,
    /// The fault's own event on the tape.
    pub event: u64,
}

/// A fault that was given to a tap. Dropping this handle changes nothing.
#[derive(Clone, Debug)]
pub struct Injected {
    pub(crate) number: u32,
    pub(crate) nth: u64,
    pub(crate) words: String,
    pub(crate) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) hits: watch::Sender<Vec<Hit>>,
    pub(crate) released: watch::Sender<bool>,
    pub(crate) faults: std::sync::Weak<Faults>,
}

/// A fault did not hit in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the fault that was to hit {rule} did not within {waited:?}")]
pub struct NotHit {
    /// Its rule, in words.
    pub rule: String,
    /// How long was waited.
    pub waited: Duration,
}

impl Injected {
    /// The fault's number in its tap, from 1, as in [`What::Fault`](crate::What::Fault).
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Which of the frames that its rule means it waits for: for a random rule, what the seed chose.
    pub fn nth(&self) -> u64 {
        self.nth
    }

    /// Where it first hit, if it did.
    pub fn hit(&self) -> Option<Hit> {
        self.shared.hits.borrow().first().copied()
    }

    /// All its hits so far, at most the newest thousand.
    pub fn hits(&self) -> Vec<Hit> {
        self.shared.hits.borrow().clone()
    }

    /// Waits until it hits.
    pub async fn hit_by(&self, deadline: Duration) -> Result<Hit, NotHit> {
        let mut hits = self.shared.hits.subscribe();
        let hit = tokio::time::timeout(deadline, hits.wait_for(|hits| !hits.is_empty())).await;
        match hit {
            Ok(Ok(hits)) if !hits.is_empty() => Ok(hits[0]),
            _ => Err(NotHit {
                rule: self.words.clone(),
                waited: deadline,
            }),
        }
    }

    /// Lets go: what is held is forwarded, what is bent goes straight again, and the fault hits no more.
    ///
    /// A cut or half-open connection stays so.
    pub fn release(&self) {
        self.shared.released.send_replace(true);
        if let Some(faults) = self.shared.faults.upgrade() {
            faults.release(self.number);
        }
    }
}
