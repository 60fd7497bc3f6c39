//! What both sides of the control say to each other: JSON, a line each; signals are single bytes.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::limits::{Limits, Tripped};

/// Where the control is inside, as the folder that is bound there holds it.
pub const CONTROL_FOLDER: &str = "/run/workbook";
/// The name of the control's socket in its folder.
pub const CONTROL_NAME: &str = "control";
/// Where the entry is inside.
pub const ENTRY: &str = "/run/workbook-entry";

/// What the first process is told on its command line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// What all processes of the sandbox may use.
    pub limits: Limits,
    /// Nobody else runs as the user of this sandbox.
    pub own_uid: bool,
}

/// The first line from outside: where to listen. The answer is a byte with the sockets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listen {
    /// The ports of 127.0.0.1.
    pub ports: Vec<u16>,
}

/// The second line from outside: what to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Go {
    /// The executable and its arguments.
    pub argv: Vec<String>,
    /// The whole environment.
    pub environment: BTreeMap<String, String>,
    /// The working directory, as it is called inside.
    pub directory: PathBuf,
}

/// The one line from inside: how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Over {
    /// The program exited.
    Code(i32),
    /// A signal ended it.
    Signal(i32),
    /// It passed a limit and was killed.
    Tripped(Tripped),
    /// It could not be started, for this reason of the system (an `errno`).
    Refused(i32),
}

/// A byte from outside: send the program SIGINT.
pub const INTERRUPT: u8 = b'I';
/// A byte from outside: send the program SIGSTOP.
pub const STOP: u8 = b'S';
/// A byte from outside: send the program SIGCONT.
pub const CONTINUE: u8 = b'C';
