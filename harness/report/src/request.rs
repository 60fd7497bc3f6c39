//! What whoever runs a check tells it, in the environment of its process.

use std::{collections::BTreeMap, env, path::PathBuf};

use serde::{Deserialize, Serialize};
use workbook_broker::{BROKER_VARIABLE, Lent};
use workbook_course::Language;
use workbook_sandbox::Room;

/// The variable that holds a [`Request`] as JSON. It holds passwords: it is not to be shown.
pub const REQUEST: &str = "WORKBOOK_REQUEST";

/// What a check is to do. The default is that of a check that a person starts, with `cargo test`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Request {
    /// The language of what it says.
    pub language: Language,
    /// Which broker, as a person would choose it (`docker`, `amqp://…`); `None`: any. It is told as a person would tell
    /// it, in a variable of its own.
    #[serde(skip)]
    pub broker: Option<String>,
    /// The seed of every random choice; `None`: a new one.
    pub seed: Option<u64>,
    /// Commands instead of the exercise's own programs.
    pub programs: Programs,
    /// How sandboxes for the programs are made; `None`: they run as the check does.
    pub room: Option<Room>,
    /// The file to write the report to; `None`: nobody reads one.
    pub report: Option<PathBuf>,
    /// A folder for the tapes and pictures.
    pub tapes: Option<PathBuf>,
    /// Virtual hosts that are lent to it. Those that are as good as fresh afterwards are named in its report.
    pub leases: Vec<Lent>,
}

/// Commands that stand for the programs of an exercise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Programs {
    /// By program: the executable and its first arguments.
    pub commands: BTreeMap<String, Vec<String>>,
    /// The folder in which they run.
    pub directory: PathBuf,
}

impl Request {
    /// The variables for the process of a check.
    pub fn to_env(&self) -> Result<Vec<(&'static str, String)>, serde_json::Error> {
        let mut variables = vec![(REQUEST, serde_json::to_string(self)?)];
        variables.extend(self.broker.clone().map(|broker| (BROKER_VARIABLE, broker)));
        Ok(variables)
    }

    /// What this process was told; a check that nobody told anything was started by a person.
    pub fn from_env() -> Result<Self, serde_json::Error> {
        match env::var(REQUEST) {
            Ok(json) => serde_json::from_str(&json),
            Err(_) => Ok(Self {
                language: Language::from_env(),
                ..Self::default()
            }),
        }
    }

    /// Whether a person started the check, and nobody waits for its report.
    pub fn is_by_hand(&self) -> bool {
        self.report.is_none()
    }
}
