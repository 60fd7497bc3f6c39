//! The one place that writes to the terminal. Colours only where there is one, and never with `NO_COLOR`.

use anstream::{eprintln, println};
use owo_colors::OwoColorize;
use workbook_lab::Verdict;

use crate::error::Error;

/// A line on standard output.
pub(crate) fn line(text: &str) {
    println!("{text}");
}

/// A line about progress, on standard error, so that output can be piped.
pub(crate) fn progress(text: &str) {
    eprintln!("{}", text.dimmed());
}

/// Something that must not be overlooked, on standard error.
pub(crate) fn warning(text: &str) {
    eprintln!("{} {text}", "WARNING:".yellow().bold());
}

/// An error, its causes and its hints, on standard error.
pub(crate) fn error(error: &Error) {
    for (index, cause) in error.causes.iter().enumerate() {
        if index == 0 {
            eprintln!("{} {cause}", "error:".red().bold());
        } else {
            eprintln!("  because: {cause}");
        }
    }
    for hint in &error.hints {
        eprintln!("{} {hint}", "hint:".cyan().bold());
    }
}

/// A verdict's word, coloured and padded.
pub(crate) fn verdict(verdict: Verdict) -> String {
    let word = format!("{verdict:<6}");
    match verdict {
        Verdict::Pass => word.green().to_string(),
        Verdict::Fail | Verdict::Error => word.red().bold().to_string(),
        Verdict::Ungradable | Verdict::Infra => word.yellow().bold().to_string(),
    }
}

/// Something for another program, on standard output, as it is.
pub(crate) fn raw(text: &str) {
    anstream::print!("{text}");
}
