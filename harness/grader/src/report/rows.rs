//! What the formats of others have in common: a flat list of tests.

use std::fmt::Write as _;

use super::safe;
use crate::model::{Check, Exercise, Submission, Verdict};

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
pub(super) fn rows(submission: &Submission) -> Vec<Row> {
    let mut rows = Vec::new();
    for (index, exercise) in submission.exercises.iter().enumerate() {
        if exercise.checks.is_empty() {
            rows.push(unchecked(index + 1, exercise));
        }
        rows.extend((exercise.checks.iter()).map(|check| row(index + 1, exercise, check)));
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

fn unchecked(task: usize, exercise: &Exercise) -> Row {
    Row {
        name: format!("{}/build", exercise.slug),
        title: exercise.title.en.clone(),
        verdict: exercise.verdict,
        points: exercise.points.unwrap_or_default(),
        max_points: exercise.max_points,
        message: safe::short(exercise.message.as_deref().unwrap_or_default(), MESSAGE),
        output: String::new(),
        duration_ms: 0,
        task,
    }
}

fn row(task: usize, exercise: &Exercise, check: &Check) -> Row {
    let mut message = check.message.clone().unwrap_or_default();
    if check.verdict != Verdict::Pass {
        for finding in &check.explanations {
            let _ = write!(message, "\n{}: {}", finding.title, finding.explanation);
        }
        if let Some(hint) = &check.hint {
            let _ = write!(message, "\nhint: {hint}");
        }
        let _ = write!(message, "\nseed: {}", check.seed);
    }
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
