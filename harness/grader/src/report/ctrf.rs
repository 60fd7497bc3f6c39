//! The Common Test Report Format.

use serde_json::{Value, json};
use workbook_course::Language;
use workbook_report::Verdict;

use super::rows::rows;
use crate::model::{Conditions, Submission};

/// The report. Its times count from the first check: a result is the same whenever it is graded.
pub(super) fn report(
    submission: &Submission,
    conditions: &Conditions,
    language: Language,
) -> Value {
    let rows = rows(submission, language);
    let count = |wanted: &str| {
        rows.iter()
            .filter(|row| status(row.verdict) == wanted)
            .count()
    };
    let tests: Vec<Value> = (rows.iter())
        .map(|row| {
            json!({
                "name": row.name,
                "status": status(row.verdict),
                "duration": row.duration_ms,
                "message": row.message,
                "extra": { "title": row.title, "points": row.points, "max_points": row.max_points },
            })
        })
        .collect();
    json!({
        "reportFormat": "CTRF",
        "specVersion": "0.0.0",
        "results": {
            "tool": { "name": "rabbitmq-workbook" },
            "summary": {
                "tests": rows.len(),
                "passed": count("passed"),
                "failed": count("failed"),
                "skipped": 0,
                "pending": 0,
                "other": count("other"),
                "start": 0,
                "stop": rows.iter().map(|row| row.duration_ms).sum::<u64>(),
            },
            "tests": tests,
            "extra": {
                "seed": conditions.seed,
                "verdict": submission.verdict.word(),
                "points": submission.points,
                "max_points": submission.max_points,
            },
        },
    })
}

fn status(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "passed",
        Verdict::Fail | Verdict::Error => "failed",
        Verdict::Ungradable | Verdict::Infra => "other",
    }
}
