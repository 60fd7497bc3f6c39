//! A summary in Markdown, for a step of a workflow.

use std::fmt::Write as _;

use workbook_course::Language;

use super::{
    rows::{Row, rows},
    safe::{markdown, short},
};
use crate::model::{Conditions, Submission};
use workbook_report::Verdict;

/// The most characters of an explanation.
const EXPLANATION: usize = 800;

/// The summary of one submission: what the failures stand on, then every check.
pub(super) fn summary(
    submission: &Submission,
    conditions: &Conditions,
    language: Language,
) -> String {
    let points = |points: Option<u32>| points.map_or_else(|| "–".to_owned(), |it| it.to_string());
    let mut text = format!(
        "## {}: {} ({}/{})\n\n",
        markdown(&submission.name),
        submission.verdict.word_in(language),
        points(submission.points),
        submission.max_points
    );
    let [read, fails, head] = match language {
        Language::English => ["read", "fails", "| check | verdict | points |"],
        Language::Chinese => ["阅读", "未通过", "| 检查 | 结论 | 得分 |"],
    };
    for cause in submission.exercises.iter().flat_map(|it| &it.causes) {
        let checks: Vec<String> = cause.checks.iter().map(|it| markdown(it)).collect();
        let _ = writeln!(
            text,
            "- **{}**: {} ({read}: {})<br>{fails}: {}",
            markdown(&cause.title),
            markdown(&short(&cause.explanation.replace('\n', "; "), EXPLANATION)),
            markdown(&cause.chapter),
            checks.join(", "),
        );
    }
    let _ = writeln!(text, "\n{head}\n| --- | --- | --- |");
    for row in rows(submission, language) {
        let _ = writeln!(
            text,
            "| {}{} | {} | {}/{} |",
            markdown(&row.title),
            unchecked(submission, &row),
            row.verdict.word_in(language),
            row.points,
            row.max_points
        );
    }
    let (seed, broker) = (conditions.seed, &conditions.broker);
    let (version, kind, rust) = (&broker.version, &broker.kind, &conditions.toolchain);
    let _ = match language {
        Language::English => writeln!(
            text,
            "\nseed {seed}, RabbitMQ {version} ({kind}), Rust {rust}"
        ),
        Language::Chinese => writeln!(
            text,
            "\n种子 {seed}，RabbitMQ {version}（{kind}），Rust {rust}"
        ),
    };
    text
}

/// Why an exercise was not checked at all: no cause tells it.
fn unchecked(submission: &Submission, row: &Row) -> String {
    let exercise = &submission.exercises[row.task - 1];
    if row.verdict == Verdict::Pass || !exercise.causes.is_empty() {
        return String::new();
    }
    let first: Vec<&str> = row.message.lines().take(2).collect();
    format!("<br>{}", markdown(&short(&first.join("; "), 300)))
}
