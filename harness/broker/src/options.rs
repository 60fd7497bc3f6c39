//! What a caller may say about the broker that it wants.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::{Choice, Consent, Error, StateDir};

/// The variable that chooses the broker, see [`Choice`].
pub const BROKER_VARIABLE: &str = "WORKBOOK_BROKER";
/// The variable that gives consent to installations: `1`, `true` or `yes`.
pub const YES_VARIABLE: &str = "WORKBOOK_YES";
/// The variable that bounds a broker's start, in seconds.
pub const START_TIMEOUT_VARIABLE: &str = "WORKBOOK_BROKER_START_TIMEOUT";
/// The variable that says where programs are looked for, instead of `PATH` and the usual places.
pub const PATH_VARIABLE: &str = "WORKBOOK_BROKER_PATH";

/// The variable that says where nodes keep their data.
pub const DATA_VARIABLE: &str = "WORKBOOK_DATA_DIR";

/// How long a broker may take to start. A healthy one takes 4 to 7 s, on a slow machine 40; with
/// the stopping and the last words of one that hangs, all is over within 90 s.
const START_TIMEOUT: Duration = Duration::from_secs(80);

/// Which broker, by which means, and who is told about it.
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// The broker that is wanted.
    pub choice: Choice,
    /// Whether something may be installed for it.
    pub consent: Consent,
    /// Called with one short line for people at each step that takes time, for example
    /// `starting RabbitMQ in Docker`.
    pub progress: Arc<dyn Fn(&str) + Send + Sync>,
    /// Where the brokers that we run are written down.
    pub state: StateDir,
    /// How long a broker may take to start.
    pub start_timeout: Duration,
    /// Where to look for programs, instead of `PATH` and the usual places beside it.
    pub path: Option<OsString>,
    /// Where nodes of this machine keep their data, instead of the cargo target folder that we were
    /// built into.
    pub data: Option<PathBuf>,
    /// Whether it is the broker of the machine: it asks for the ports 5672 and 15672, and in a container it
    /// keeps its data in memory, so that no check waits for a disk. A broker of a single check leaves the
    /// ports alone, and what is durable there must outlive a restart.
    pub(crate) shared: bool,
}

impl Options {
    /// Any broker, no installations, no words, and the given state.
    pub fn new(state: StateDir) -> Self {
        Self {
            choice: Choice::Auto,
            consent: Consent::No,
            progress: Arc::new(|_| {}),
            state,
            start_timeout: START_TIMEOUT,
            path: None,
            data: None,
            shared: true,
        }
    }

    /// What the environment says: `WORKBOOK_BROKER`, `WORKBOOK_YES`, `WORKBOOK_STATE_DIR`,
    /// `WORKBOOK_DATA_DIR` and, for tests and slow machines, `WORKBOOK_BROKER_START_TIMEOUT` and
    /// `WORKBOOK_BROKER_PATH`.
    /// Progress is quiet.
    pub fn from_env() -> Result<Self, Error> {
        let mut options = Self::new(StateDir::from_env()?);
        if let Some(text) = variable(BROKER_VARIABLE) {
            options.choice = text.parse()?;
        }
        if matches!(
            variable(YES_VARIABLE).as_deref(),
            Some("1" | "true" | "yes")
        ) {
            options.consent = Consent::Yes;
        }
        if let Some(text) = variable(START_TIMEOUT_VARIABLE) {
            let seconds: u64 = text.parse().map_err(|_| Error::Setting {
                name: START_TIMEOUT_VARIABLE,
                value: text,
                reason: "expected a number of seconds".to_owned(),
            })?;
            options.start_timeout = Duration::from_secs(seconds);
        }
        options.path = std::env::var_os(PATH_VARIABLE).filter(|path| !path.is_empty());
        options.data = std::env::var_os(DATA_VARIABLE)
            .filter(|path| !path.is_empty())
            .map(PathBuf::from);
        Ok(options)
    }

    pub(crate) fn say(&self, line: &str) {
        (self.progress)(line);
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("choice", &self.choice)
            .field("consent", &self.consent)
            .field("state", &self.state)
            .field("start_timeout", &self.start_timeout)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
