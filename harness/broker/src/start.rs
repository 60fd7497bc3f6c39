//! What every start of a broker has in common: waiting until it is ready, and telling why it is not.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use url::Url;

use crate::http::Login;
use crate::management::Management;
use crate::record::Ready;
use crate::{Error, Kind, probe, timer};

/// How many lines of a log an error quotes.
const LAST_LINES: usize = 15;

/// How brokers, epmd and Docker say that somebody has taken a port.
const TAKEN: [&str; 4] = [
    "eaddrinuse",
    "already in use",
    "already allocated",
    "dist_port_already_used",
];

/// Why a start did not lead to a broker.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Somebody took a port between our choice and the broker's start: try again with others.
    PortTaken(Error),
    /// Everything else.
    Other(Error),
}

impl Failure {
    pub(crate) fn into_error(self) -> Error {
        match self {
            Self::PortTaken(error) | Self::Other(error) => error,
        }
    }
}

/// How the waiting ended, when not with a broker.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// The broker ended by itself.
    Ended(String),
    /// Time is up.
    TimedOut,
}

impl Stopped {
    pub(crate) fn into_failure(
        self,
        kind: Kind,
        waited: Duration,
        log_tail: Vec<String>,
    ) -> Failure {
        let reason = match self {
            Self::Ended(reason) => reason,
            Self::TimedOut => {
                let seconds = waited.as_secs();
                return Failure::Other(Error::StartTimedOut {
                    kind,
                    seconds,
                    log_tail,
                });
            }
        };
        let taken = log_tail
            .iter()
            .chain([&reason])
            .any(|line| TAKEN.iter().any(|sign| line.contains(sign)));
        let error = Error::StartFailed {
            kind,
            reason,
            log_tail,
        };
        if taken {
            Failure::PortTaken(error)
        } else {
            Failure::Other(error)
        }
    }
}

/// Waits until a broker makes an AMQP handshake and its management API knows the administrator; the
/// plugin starts after the broker accepts connections. `ended` tells when it has ended instead.
pub(crate) async fn until_ready<Q, F>(
    deadline: Instant,
    amqp: SocketAddr,
    management_port: u16,
    login: &Login,
    mut ended: Q,
) -> Result<Ready, Stopped>
where
    Q: FnMut() -> F,
    F: Future<Output = Option<String>>,
{
    let mut host = amqp;
    host.set_port(management_port);
    let Ok(url) = Url::parse(&format!("http://{host}")) else {
        return Err(Stopped::Ended(format!("{host} is no address")));
    };
    let management = Management::new(url, login.clone());
    let ready = timer::until(deadline, || {
        let ended = ended();
        let management = &management;
        async move {
            if let Some(reason) = ended.await {
                return Some(Err(Stopped::Ended(reason)));
            }
            let version = probe::handshake(amqp).await.ok()?;
            let session = management.session();
            session.check().await.ok()?;
            session.make_guest().await.ok()?;
            Some(Ok(Ready {
                amqp,
                management: management.url().clone(),
                version,
            }))
        }
    });
    ready.await.unwrap_or(Err(Stopped::TimedOut))
}

/// The last lines of a log, without colours and without the administrator's password.
pub(crate) fn last_lines(log: &str, password: &str) -> Vec<String> {
    let lines: Vec<String> = log
        .lines()
        .map(|line| without_colours(line).replace(password, "***"))
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].to_vec()
}

/// Drops `ESC [ … letter`, the only escapes that brokers write.
fn without_colours(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let rest = part
            .split_once(|end: char| end.is_ascii_alphabetic())
            .map_or("", |(_, rest)| rest);
        text + rest
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_was_taken_is_told_from_other_troubles() {
        let failure = |line: &str| {
            let stopped = Stopped::Ended("it ended".to_owned());
            stopped.into_failure(Kind::Local, Duration::ZERO, vec![line.to_owned()])
        };
        // What 3.10.8 says when another program listens on the port of its distribution.
        let taken = "{failed_to_start_child,prelaunch,{dist_port_already_used,36355,not_erlang,\"localhost\"}}";
        assert!(matches!(failure(taken), Failure::PortTaken(_)));
        assert!(matches!(failure("{schema_mismatch}"), Failure::Other(_)));
    }

    #[test]
    fn the_last_lines_have_neither_colours_nor_the_password() {
        let line = |n: usize| format!("\u{1b}[38;5;87mline {n} hush\u{1b}[0m\n\n");
        let log: Vec<String> = (0..40).map(line).collect();
        let lines = last_lines(&log.concat(), "hush");
        assert_eq!(lines.len(), LAST_LINES);
        assert_eq!(lines.last().map(String::as_str), Some("line 39 ***"));
    }
}
