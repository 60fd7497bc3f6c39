//! What is known of one program: its tape, read, and what was seen of it beside.

use std::ops::Deref;

use amqp_tap::story::{Mark, Story};

use super::Seen;
use crate::Ended;

/// The story of one program's tape, with what else was seen of the program.
#[derive(Clone, Debug)]
pub(super) struct Account<'a> {
    pub(super) seen: &'a Seen<'a>,
    /// Its place among the programs.
    pub(super) place: usize,
    story: Story,
}

impl Deref for Account<'_> {
    type Target = Story;

    fn deref(&self) -> &Story {
        &self.story
    }
}

impl<'a> Account<'a> {
    pub(super) fn of(seen: &'a Seen<'a>, place: usize) -> Self {
        Self {
            seen,
            place,
            story: Story::of(seen.events),
        }
    }

    /// Ctrl-C had been pressed by then. What a library does that Ctrl-C interrupts in the middle of something is not the
    /// program's doing: pika 1.4.4 sends an acknowledgement again whose bytes it had just handed to the system.
    pub(super) fn is_interrupted_at(&self, mark: Mark) -> bool {
        self.seen.interrupted.is_some_and(|at| mark.at >= at)
    }

    /// It ended, with code 0.
    pub(super) fn succeeded(&self) -> bool {
        self.seen.ended.is_some_and(Ended::is_success)
    }

    /// It ended of its own accord: it was not killed, and nobody pressed Ctrl-C.
    pub(super) fn ended_by_itself(&self) -> bool {
        matches!(self.seen.ended, Some(Ended::Code(_))) && self.seen.interrupted.is_none()
    }
}
