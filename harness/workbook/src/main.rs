//! The program `workbook`: the commands that a learner needs; the others it hands over.

#![forbid(unsafe_code)]

mod hand_over;

use std::process::ExitCode;

fn main() -> ExitCode {
    workbook::main(async |context, _| Err(hand_over::to_the_whole(context)))
}
