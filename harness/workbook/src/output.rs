//! The one place that writes to the terminal. Colours only where there is one, and never with `NO_COLOR`.

use anstream::{eprintln, println};
use owo_colors::OwoColorize;
use workbook_course::Language;
use workbook_report::{Verdict, sentences::in_language};

use crate::error::Error;

/// A line on standard output.
pub fn line(text: &str) {
    println!("{text}");
}

/// A line about progress, on standard error, so that output can be piped.
pub fn progress(text: &str) {
    eprintln!("{}", text.dimmed());
}

/// Something that must not be overlooked, on standard error.
pub fn warning(text: &str) {
    eprintln!("{} {text}", "WARNING:".yellow().bold());
}

/// An error, its causes and its hints, on standard error.
pub fn error(error: &Error, language: Language) {
    let (what, because, hint) = match language {
        Language::English => ("error:", "because:", "hint:"),
        Language::Chinese => ("错误：", "原因：", "提示："),
    };
    let mut causes = error.causes.iter();
    if let Some(first) = causes.next() {
        eprintln!("{} {}", what.red().bold(), in_language(first, language));
    }
    for cause in causes {
        eprintln!("  {because} {}", in_language(cause, language));
    }
    for text in &error.hints {
        eprintln!("{} {}", hint.cyan().bold(), in_language(text, language));
    }
}

/// What came of a run, as `Telling` has it: what fails is red, what holds is green.
pub fn telling(text: &str) {
    for line in text.lines() {
        match line.trim_start().strip_prefix('✗') {
            Some(rest) => println!("  {}{rest}", "✗".red().bold()),
            None => println!("{line}"),
        }
    }
}

/// A verdict's word, coloured and padded.
pub fn verdict(verdict: Verdict, language: Language) -> String {
    let word = match language {
        Language::English => format!("{verdict:<6}"),
        // Each character takes two columns.
        Language::Chinese => format!("{:<4}", verdict.word_in(language)),
    };
    match verdict {
        Verdict::Pass => word.green().to_string(),
        Verdict::Fail | Verdict::Error => word.red().bold().to_string(),
        Verdict::Ungradable | Verdict::Infra => word.yellow().bold().to_string(),
    }
}

/// Something for another program, on standard output, as it is.
pub fn raw(text: &str) {
    anstream::print!("{text}");
}
