//! What can go wrong, by who meets it.
//!
//! Opening a tap and reading a tape fail for their caller ([`TapError`], [`TapeError`]). A wait that ends without its
//! event is an answer rather than a fault, so [`NotSeen`] says what was on the tape instead. What a *program* does
//! wrong is never an error of ours: it is an event on the tape.

use crate::options::Endpoint;
use std::{fmt, io, path::PathBuf, time::Duration};

/// A tap could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum TapError {
    /// Nothing can listen there.
    #[error("cannot listen on {endpoint}")]
    Listen {
        /// Where the tap was told to listen.
        endpoint: Endpoint,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The file to record to cannot be made.
    #[error("cannot record to {}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A login's virtual host is longer than AMQP's short string. (A user travels in a long one.)
    #[error("the login's {field} is longer than 255 bytes")]
    Login {
        /// Which part of it.
        field: &'static str,
    },
}

/// A tape could not be written or read back.
#[derive(Debug, thiserror::Error)]
pub enum TapeError {
    /// The file failed.
    #[error("cannot read or write the tape")]
    Io(#[from] io::Error),
    /// A line is not what `write_jsonl` writes.
    #[error("line {line} of the tape is not an event: {why}")]
    Line {
        /// The line's number, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// A line could not be turned into JSON.
    #[error("cannot turn an event into JSON")]
    Json(#[from] serde_json::Error),
}

/// The event that was waited for did not come.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct NotSeen {
    /// What was waited for, in words, when the caller said it as a [`Frame`](crate::Frame).
    pub wanted: Option<String>,
    /// How long was waited.
    pub waited: Duration,
    /// Whether the wait ended early because the tap was closed.
    pub closed: bool,
    /// How many events the tape held in the end.
    pub events: u64,
    /// The last of them, in words.
    pub last: Option<String>,
}

impl fmt::Display for NotSeen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wanted = self.wanted.as_deref().unwrap_or("the event waited for");
        if self.closed {
            write!(f, "{wanted} did not come before the tap was closed")?;
        } else {
            write!(f, "{wanted} did not come within {:?}", self.waited)?;
        }
        match &self.last {
            Some(last) => write!(f, " ({} events, the last: {last})", self.events),
            None => write!(f, " (the tape is empty)"),
        }
    }
}
