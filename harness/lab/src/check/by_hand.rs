//! A run of `cargo test`: what came of it is told when the test runner has said its own, and kept for the next command.
//!
//! The runner prints what each test says in the order of the tests' names. One cause would be told many times, and not
//! last; so each test says one line, and all is told as `cargo workbook check` tells it when the process ends.

use std::{
    io::Write as _,
    sync::{Mutex, Once, PoisonError},
};

use workbook_course::{Chapter, Language};
use workbook_report::{
    kept,
    report::CheckReport,
    sentences,
    telling::{Telling, columns},
};

use crate::exercise::Exercise;

/// What this process has run so far.
static RUN: Mutex<Option<Run>> = Mutex::new(None);

/// The checks of one exercise: all tests of a process are in one package.
struct Run {
    exercise: Exercise,
    number: usize,
    chapter: Chapter,
    language: Language,
    reports: Vec<CheckReport>,
}

/// Keeps what came of a check.
pub(super) fn ended(
    exercise: Exercise,
    number: usize,
    chapter: &Chapter,
    language: Language,
    report: &CheckReport,
) {
    static AT_EXIT: Once = Once::new();
    if exercise.is_own()
        && let Some(root) = exercise.root()
        && let Err(error) = kept::keep(&root, &chapter.slug, report)
    {
        // The check itself was run all the same.
        let words = format!("the report of {} cannot be kept: {error}", report.name);
        let words = sentences::in_language(&words, language) + "\n";
        let _ = std::io::stderr().write_all(words.as_bytes());
    }
    let mut run = RUN.lock().unwrap_or_else(PoisonError::into_inner);
    let run = run.get_or_insert_with(|| Run {
        exercise,
        number,
        chapter: chapter.clone(),
        language,
        reports: Vec::new(),
    });
    run.reports.push(report.clone());
    AT_EXIT.call_once(at_exit);
}

/// Has [`tell`] called when the process ends. The test runner does not say which test is the last one.
#[allow(
    unsafe_code,
    reason = "the standard library has no way to be called at the end of a process"
)]
fn at_exit() {
    // SAFETY: `tell` is a function of this program that takes nothing and does not unwind: it catches every panic.
    unsafe {
        libc::atexit(tell);
    }
}

extern "C" fn tell() {
    // What cannot be told here has been told by the test runner, if shortly.
    let _ = std::panic::catch_unwind(|| {
        let Some(mut run) = RUN.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return;
        };
        let Some(root) = run.exercise.root() else {
            return;
        };
        let own = run.exercise.is_own();
        if !own && run.reports.iter().all(|report| report.failure.is_none()) {
            return;
        }
        let checks = &run.chapter.checks;
        run.reports
            .sort_by_key(|report| checks.iter().position(|check| check.name == report.name));
        let telling = Telling {
            language: run.language,
            width: columns(),
            root: &root,
            number: run.number,
            chapter: &run.chapter,
            solution: !own,
            verbose: false,
        };
        let text = telling.text(&run.reports);
        let _ = std::io::stderr().write_all(format!("\n{text}").as_bytes());
    });
}
