//! What a hit does.

use super::{Cut, Hit, Shared};
use crate::event::Side;
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;

/// How many hits are remembered of each fault.
const REMEMBERED: usize = 1000;

/// A hit, before it is done.
#[derive(Clone, Debug)]
pub(crate) struct Strike {
    pub(crate) number: u32,
    pub(crate) did: String,
    pub(crate) effect: Effect,
    /// The side that the effect goes to; `None` goes the way of the frame.
    pub(crate) towards: Option<Side>,
    pub(super) shared: Arc<Shared>,
}

impl Strike {
    /// Tells the one who injected it.
    pub(crate) fn tell(&self, hit: Hit) {
        self.shared.hits.send_modify(|hits| {
            if hits.len() < REMEMBERED {
                hits.push(hit);
            }
        });
    }
}

/// What a hit does to a connection.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    Cut(Cut),
    HalfOpen,
    Delay(Duration),
    Hold(Gate),
    HoldConfirms(Gate, HeldAs),
    Shape(Shape, Gate),
}

/// How held confirms go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeldAs {
    TheyCame,
    Merged,
    /// One for each message.
    Single,
}

/// How bytes are written from here on.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Throttle { bytes_per_second: u32 },
    Split { at_most: usize, seed: u64 },
    Coalesce { bytes: usize, patience: Duration },
}

/// Opens when the fault is released, or when its tap is gone.
#[derive(Clone, Debug)]
pub(crate) struct Gate(pub(super) watch::Receiver<bool>);

impl Gate {
    pub(crate) fn is_open(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }

    pub(crate) async fn open(&mut self) {
        // An error means that the tap is gone, which lets go as well.
        let _ = self.0.wait_for(|released| *released).await;
    }
}
