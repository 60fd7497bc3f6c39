//! What is known of one program: its tape, read, and what was seen of it beside.

use std::ops::Deref;

use amqp_tap::story::Story;

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

    /// It ended, with code 0.
    pub(super) fn succeeded(&self) -> bool {
        self.seen.ended.is_some_and(Ended::is_success)
    }

    /// It ended of its own accord: it was not killed, and nobody pressed Ctrl-C.
    pub(super) fn ended_by_itself(&self) -> bool {
        matches!(self.seen.ended, Some(Ended::Code(_))) && self.seen.interrupted.is_none()
    }
}
