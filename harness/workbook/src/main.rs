//! The command line of the RabbitMQ Workbook: parse, call, map to an exit code.

#![forbid(unsafe_code)]

mod cli;
mod command;
mod error;
mod output;
mod slip;

use std::process::ExitCode;

use clap::Parser;
use workbook_course::Language;

fn main() -> ExitCode {
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
    match command::run(cli, language) {
        Ok(exit) => exit.into(),
        Err(error) => {
            output::error(&error, language);
            error.exit.into()
        }
    }
}
