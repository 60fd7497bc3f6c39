//! Everything that can go wrong between "I want a broker" and "here is a vhost".

use std::io;
use std::path::PathBuf;

use crate::Kind;

/// The two one-line cures for a machine without a broker, and the command that applies one of them.
pub const CURES: [&str; 3] = [
    "docker pull rabbitmq:management      (where there is Docker)",
    "apt-get install rabbitmq-server      (or the same package of another system)",
    "cargo workbook broker up --yes       (installs it for you)",
];

/// Why there is no broker, or no lease on it.
///
/// An enum with its data in fields, so that a caller can tell "no broker can be had" (exit code 4,
/// [`Error::is_no_broker`]) from a mistyped setting or a full disk. No variant ever holds a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// All the ways were tried and none led to a broker.
    #[error("no RabbitMQ can be had\n{}any one of these mends it:\n  {}", reasons(.tried), CURES.join("\n  "))]
    NoBroker {
        /// What was tried, in order, and why it did not work.
        tried: Vec<Attempt>,
    },

    /// A broker was started and gave up before it was ready.
    #[error("the broker ({kind}) ended while it started: {reason}{}", tail(.log_tail))]
    StartFailed {
        /// How it was started.
        kind: Kind,
        /// What was seen of its end.
        reason: String,
        /// The last lines of its log.
        log_tail: Vec<String>,
    },

    /// A broker was started and was not ready in time. It has been stopped again.
    #[error("the broker ({kind}) was not ready within {seconds} s{}", tail(.log_tail))]
    StartTimedOut {
        /// How it was started.
        kind: Kind,
        /// How long we waited.
        seconds: u64,
        /// The last lines of its log.
        log_tail: Vec<String>,
    },

    /// Nobody who speaks AMQP 0-9-1 answers at the address that was given.
    #[error("no broker answers at {address}: {reason}")]
    Unreachable {
        /// `host:port`, without any login.
        address: String,
        /// What happened instead of an AMQP handshake.
        reason: String,
    },

    /// A setting could not be understood.
    #[error("`{value}` is no value for {name}: {reason}")]
    Setting {
        /// The setting's name: an option or an environment variable.
        name: &'static str,
        /// What was given, with any password replaced.
        value: String,
        /// What is expected.
        reason: String,
    },

    /// The broker's management API refused or did not answer.
    #[error("the broker's management API did not {doing}{}: {reason}", http_status(*.status))]
    Management {
        /// What was asked, in words that complete "did not …".
        doing: String,
        /// The HTTP status, where there was an answer.
        status: Option<u16>,
        /// The answer's reason, or what became of the connection.
        reason: String,
    },

    /// The Docker daemon did not do what it was asked.
    #[error("Docker did not {doing}: {reason}")]
    Docker {
        /// What was asked, in words that complete "did not …".
        doing: String,
        /// The daemon's reason.
        reason: String,
    },

    /// A file or folder of ours could not be used.
    #[error("{}: {doing}", .path.display())]
    State {
        /// The file or folder.
        path: PathBuf,
        /// What could not be done.
        doing: String,
        /// The operating system's reason.
        #[source]
        source: io::Error,
    },

    /// Another process held the start lock for too long.
    #[error("another process has been starting the broker for {seconds} s (its lock is {})", .path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// How long we waited for it.
        seconds: u64,
    },

    /// A command that should have installed something or made the image failed.
    #[error("`{command}` {reason}{}", tail(.output_tail))]
    Command {
        /// The command, as it could be typed.
        command: String,
        /// How it ended.
        reason: String,
        /// The last lines that it wrote.
        output_tail: Vec<String>,
    },

    /// The image cannot be made here, for a reason that the message names together with the cure.
    #[error("the image {image} cannot be made: {reason}", image = crate::IMAGE)]
    Image {
        /// Why, and what to do.
        reason: String,
    },
}

impl Error {
    /// True when this means "there is no broker to talk to" (exit code 4) and not a mistake in a
    /// setting, in our own files or in the building of an image.
    pub fn is_no_broker(&self) -> bool {
        match self {
            Self::NoBroker { .. }
            | Self::StartFailed { .. }
            | Self::StartTimedOut { .. }
            | Self::Unreachable { .. }
            | Self::Management { .. }
            | Self::Docker { .. }
            | Self::Locked { .. } => true,
            Self::Setting { .. }
            | Self::State { .. }
            | Self::Command { .. }
            | Self::Image { .. } => false,
        }
    }

    /// What to do about it: lines for `hint:`. Empty when the message says all there is.
    pub fn cures(&self) -> &'static [&'static str] {
        match self {
            Self::NoBroker { .. } => &CURES,
            _ => &[],
        }
    }
}

/// One way to a broker that was tried, and why it led nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The way: `Docker`, `local`, `install`.
    pub way: &'static str,
    /// Why it did not work, in one line.
    pub reason: String,
}

fn reasons(tried: &[Attempt]) -> String {
    use std::fmt::Write as _;
    tried.iter().fold(String::new(), |mut text, attempt| {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "  {}: {}", attempt.way, attempt.reason);
        text
    })
}

fn tail(lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    format!("\nits last words:\n  | {}", lines.join("\n  | "))
}

fn http_status(status: Option<u16>) -> String {
    status
        .map(|code| format!(" (HTTP {code})"))
        .unwrap_or_default()
}
