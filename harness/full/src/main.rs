//! The whole command line: what `workbook` does, and the commands that need much more.

#![forbid(unsafe_code)]

mod book;
mod error;
mod grade;
mod verify;

use std::process::ExitCode;

use workbook::cli::Rest;

fn main() -> ExitCode {
    workbook::main(async |context, asked| match asked {
        Rest::Grade(arguments) => grade::grade(context, arguments).await,
        Rest::Verify => verify::verify(context),
        Rest::Book { command } => book::book(context, command).await,
    })
}
