//! A summary in Markdown, for a step of a workflow.

use std::fmt::Write as _;

use super::{rows::rows, safe::markdown};
use crate::model::{Evidence, Submission, Verdict};

/// The summary of one submission.
pub(super) fn summary(submission: &Submission, evidence: &Evidence) -> String {
    let points = |points: Option<u32>| points.map_or_else(|| "–".to_owned(), |it| it.to_string());
    let mut text = format!(
        "## {}: {} ({}/{})\n\n| check | verdict | points |\n| --- | --- | --- |\n",
        markdown(&submission.name),
        submission.verdict.word(),
        points(submission.points),
        submission.max_points
    );
    for row in rows(submission) {
        let why = match row.verdict {
            Verdict::Pass => String::new(),
            _ => {
                let first: Vec<&str> = row.message.lines().take(2).collect();
                format!(
                    "<br>{}",
                    markdown(&super::safe::short(&first.join("; "), 300))
                )
            }
        };
        let _ = writeln!(
            text,
            "| {}{why} | {} | {}/{} |",
            markdown(&row.title),
            row.verdict.word(),
            row.points,
            row.max_points
        );
    }
    let _ = writeln!(
        text,
        "\nseed {}, RabbitMQ {} ({}), Rust {}",
        evidence.seed, evidence.broker.version, evidence.broker.kind, evidence.toolchain
    );
    text
}
