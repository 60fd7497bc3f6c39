//! The first process inside a sandbox; see `workbook_sandbox::inside`.

use std::process::ExitCode;

fn main() -> ExitCode {
    workbook_sandbox::inside::main()
}
