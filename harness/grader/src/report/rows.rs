//! What the formats of others have in common: a flat list of tests.

use std::fmt::Write as _;

use workbook_course::Language;
use workbook_report::Verdict;

use super::safe;
use crate::model::{Check, Exercise, Submission};

/// The longest message of a test, in bytes; the whole is in the submission's own report.
const MESSAGE: usize = 4000;

/// One test, as other systems know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// `hello-world/send_leaves_one_message`
    pub(super) name: String,
    /// The statement that was checked.
    pub(super) title: String,
    pub(super) verdict: Verdict,
    pub(super) points: u32,
    pub(super) max_points: u32,
    /// Why it did not hold; empty where it did.
    pub(super) message: String,
    /// What the programs printed.
    pub(super) output: String,
    pub(super) duration_ms: u64,
    /// The number of its exercise, from 1 on.
    pub(super) task: usize,
}

/// Every check of a submission; an exercise of which nothing was checked is one test that failed.
pub(super) fn rows(submission: &Submission, language: Language) -> Vec<Row> {
    let mut rows = Vec::new();
    for (index, exercise) in submission.exercises.iter().enumerate() {
        if exercise.checks.is_empty() {
            rows.push(unchecked(index + 1, exercise, language));
        }
        rows.extend(
            (exercise.checks.iter()).map(|check| row(index + 1, exercise, check, language)),
        );
    }
    rows
}

/// Whether any test was run at all.
pub(super) fn any_checked(submission: &Submission) -> bool {
    submission.checks().next().is_some()
}

/// All that is to be said of a submission beside its tests.
pub(super) fn message(submission: &Submission) -> String {
    let own = submission.message.iter().cloned();
    let exercises = submission.exercises.iter().filter_map(|exercise| {
        let message = exercise.message.as_ref()?;
        (submission.message.as_ref() != Some(message))
            .then(|| format!("{}: {message}", exercise.slug))
    });
    let all: Vec<String> = own.chain(exercises).collect();
    safe::short(&all.join("\n"), 4 * MESSAGE)
}

fn unchecked(task: usize, exercise: &Exercise, language: Language) -> Row {
    Row {
        name: format!("{}/build", exercise.slug),
        title: match language {
            Language::English => exercise.title.en.clone(),
            Language::Chinese => exercise.title.zh.clone(),
        },
        verdict: exercise.verdict,
        points: exercise.points.unwrap_or_default(),
        max_points: exercise.max_points,
        message: safe::short(exercise.message.as_deref().unwrap_or_default(), MESSAGE),
        output: String::new(),
        duration_ms: 0,
        task,
    }
}

fn row(task: usize, exercise: &Exercise, check: &Check, language: Language) -> Row {
    let message = match check.verdict {
        Verdict::Pass => String::new(),
        _ => why(exercise, check, language),
    };
    Row {
        name: format!("{}/{}", exercise.slug, check.name),
        title: check.title.clone(),
        verdict: check.verdict,
        points: check.points.unwrap_or_default(),
        max_points: check.max_points,
        message: safe::short(&message, MESSAGE),
        output: safe::short(&output(check), MESSAGE),
        duration_ms: check.duration_ms,
        task,
    }
}

/// Why a check did not hold. What it stands on is told with the first check of that cause, and named with the others.
fn why(exercise: &Exercise, check: &Check, language: Language) -> String {
    let own = check.message.as_deref().unwrap_or_default();
    let cause = exercise.cause_of(check);
    let is_first = cause.is_some_and(|cause| cause.checks.first() == Some(&check.name));
    let mut lines = Vec::new();
    match cause {
        Some(cause) if is_first => {
            if cause.finding.is_some() {
                lines.extend([&cause.title, &cause.explanation, &cause.frames].map(String::as_str));
            }
            lines.push(own);
        }
        Some(cause) if cause.finding.is_some() => lines.extend([cause.title.as_str(), own]),
        _ => lines.push(own),
    }
    lines.retain(|line| !line.is_empty());
    let mut text = lines.join("\n");
    if let Some(cause) = cause {
        let first = cause.checks.first().map_or("", String::as_str);
        let _ = match (is_first, language) {
            (true, Language::English) => write!(text, "\nread: {}", cause.chapter),
            (true, Language::Chinese) => write!(text, "\n阅读：{}", cause.chapter),
            (false, Language::English) => write!(text, "\nthe same cause as {first}"),
            (false, Language::Chinese) => write!(text, "\n原因与 {first} 相同"),
        };
    }
    let _ = match language {
        Language::English => write!(text, "\nseed: {}", check.seed),
        Language::Chinese => write!(text, "\n种子：{}", check.seed),
    };
    text
}

/// What the programs of a check printed, a line each, with who speaks.
fn output(check: &Check) -> String {
    let mut text = String::new();
    for program in &check.programs {
        for line in program.stdout.iter().chain(&program.stderr) {
            let _ = writeln!(text, "[{}] {line}", program.name);
        }
        if let Some(ended) = &program.ended {
            let _ = writeln!(text, "[{}] {ended}", program.name);
        }
    }
    text
}
