//! The command line of the RabbitMQ Workbook: parse, call, map to an exit code.

#![forbid(unsafe_code)]

mod cli;
mod command;
mod error;
mod output;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let language = cli.global.language();
    match command::run(cli, language) {
        Ok(exit) => exit.into(),
        Err(error) => {
            output::error(&error, language);
            error.exit.into()
        }
    }
}
