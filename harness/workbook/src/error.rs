//! What the command line says when it cannot do what was asked, and its exit codes.

use std::{error::Error as StdError, process::ExitCode};

use workbook_course::workspace::WorkspaceError;
use workbook_runner::{build::BuildError, run::RunError};

/// The exit codes, as the README promises them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All that was asked holds.
    Ok = 0,
    /// A check failed.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// A submission does not build.
    Build = 3,
    /// No broker, or no sandbox.
    NoBroker = 4,
    /// Our own fault.
    Ours = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error with its causes, what to try, and the exit code.
#[derive(Debug)]
pub struct Error {
    /// What could not be done, then why, outermost first.
    pub causes: Vec<String>,
    /// What to try next.
    pub hints: Vec<String>,
    /// The exit code.
    pub exit: Exit,
}

impl Error {
    /// An error without a cause.
    pub fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self {
            causes: vec![what.into()],
            hints: Vec::new(),
            exit,
        }
    }

    /// An error of a library, with all its causes.
    pub fn from_source(exit: Exit, source: &dyn StdError) -> Self {
        let mut error = Self::new(exit, source.to_string());
        let mut cause = source.source();
        while let Some(inner) = cause {
            error.causes.push(inner.to_string());
            cause = inner.source();
        }
        error
    }

    /// Adds what to try.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl From<workbook_broker::Error> for Error {
    fn from(error: workbook_broker::Error) -> Self {
        let exit = match &error {
            workbook_broker::Error::Setting { .. } => Exit::Usage,
            error if error.is_no_broker() => Exit::NoBroker,
            _ => Exit::Ours,
        };
        let told = Self::from_source(exit, &error);
        match &error {
            workbook_broker::Error::Unreachable { .. } => told.hint(
                "is it running, and is that its port? An address is amqp://user:password@host:port/vhost; without --broker the workbook finds or starts one",
            ),
            workbook_broker::Error::Management { .. } => told.hint(
                "checks make virtual hosts and users: the login needs the tag `administrator`, and the management API is looked for at port 15672, or at WORKBOOK_MANAGEMENT",
            ),
            _ => told,
        }
    }
}

impl From<WorkspaceError> for Error {
    fn from(error: WorkspaceError) -> Self {
        Self::from_source(Exit::Usage, &error).hint("run it inside the folder that you cloned")
    }
}

impl From<BuildError> for Error {
    fn from(error: BuildError) -> Self {
        match &error {
            BuildError::DoesNotCompile { .. } => Self::from_source(Exit::Build, &error)
                .hint("read the compiler's first error above; it names the file and the line"),
            BuildError::Cargo(_) | BuildError::Missing { .. } => {
                Self::from_source(Exit::Ours, &error)
            }
        }
    }
}

impl From<RunError> for Error {
    fn from(error: RunError) -> Self {
        Self::from_source(Exit::Ours, &error)
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::from_source(Exit::Ours, &error)
    }
}
