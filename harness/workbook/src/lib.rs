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
//!
//! # The whole house
//!
//! This is also where a reader of the sources begins. Three ways lead through the crates of the harness:
//!
//! - **From bytes to a finding.** [`amqp_tap`](../amqp_tap/index.html) has a socket's bytes become frames, a
//!   [tape](../amqp_tap/struct.Tape.html), and a [story](../amqp_tap/story/index.html);
//!   [`workbook_diagnosis`](../workbook_diagnosis/index.html) draws [findings](../workbook_diagnosis/finding/index.html)
//!   and [pictures](../workbook_diagnosis/picture/index.html) from the stories of all programs.
//! - **From a typed command to a verdict.** [`command`] has [`workbook_runner`](../workbook_runner/index.html) build and
//!   start the checks, each with a [request](../workbook_report/request/index.html); a check opens a
//!   [lab](../workbook_lab/index.html) on a [broker](../workbook_broker/index.html), and writes a
//!   [report](../workbook_report/report/index.html), which is [told](../workbook_report/telling/index.html) on one screen.
//! - **From a submission to the gradebook.** [`workbook_grader`](../workbook_grader/index.html) finds the sources, builds
//!   them in a [sandbox](../workbook_sandbox/index.html), has the same checks run, and writes every form of the results.
//!
//! Below all of them is [`workbook_course`](../workbook_course/index.html), the catalogue; beside them
//! [`workbook_book`](../workbook_book/index.html) makes the pages. The page "Working on the workbook" of the book has the
//! arrows between the crates, which a test holds.

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
