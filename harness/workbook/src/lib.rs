//! The command line of the RabbitMQ Workbook: what is typed, what is told, and the commands that a learner needs.
//!
//! The other commands (`grade`, `book`, `verify`) need much that these do not, and compiling it takes minutes. So the
//! program `workbook` hands them over to the program of the package `workbook-full`, which cargo builds when the first
//! of them is asked for.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`cli`] | the command line as it is typed |
//! | [`command`] | the commands, a file each |
//! | [`error`] | errors with what to try, and exit codes |
//! | [`output`] | the one place that writes to the terminal |

#![forbid(unsafe_code)]

pub mod cli;
pub mod command;
pub mod error;
pub mod output;
mod slip;

use std::process::ExitCode;

use clap::Parser;
use workbook_course::Language;
use workbook_report::log;

pub use command::Context;
pub use error::{Error, Exit};

/// Parses, calls, maps to an exit code. `rest` does what only few need.
pub fn main(rest: impl AsyncFnOnce(&Context, cli::Rest) -> Result<Exit, Error>) -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(slip) if slip.use_stderr() && slip::language() == Language::Chinese => {
            let error = slip::in_chinese(&slip);
            output::error(&error, Language::Chinese);
            return error.exit.into();
        }
        // Help and the version, too, come as an error.
        Err(other) => other.exit(),
    };
    let language = cli.global.language();
    log::start();
    match command::run(cli, language, rest) {
        Ok(exit) => exit.into(),
        Err(error) => {
            output::error(&error, language);
            error.exit.into()
        }
    }
}
