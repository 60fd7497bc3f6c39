//! `PrairieLearn`'s results of an external grader.

use serde_json::{Value, json};
use workbook_course::Language;
use workbook_report::Verdict;

use super::rows::{self, rows};
use crate::model::Submission;

/// The result. What is not gradable costs the learner no attempt.
pub(super) fn result(submission: &Submission, language: Language) -> Value {
    let gradable = !matches!(submission.verdict, Verdict::Ungradable | Verdict::Infra);
    let score = match (submission.points, submission.max_points) {
        (Some(points), 1..) => f64::from(points) / f64::from(submission.max_points),
        _ => 0.0,
    };
    let tests: Vec<Value> = (rows(submission, language).into_iter())
        .map(|row| {
            json!({
                "name": row.name,
                "description": row.title,
                "points": row.points,
                "max_points": row.max_points,
                "message": row.message,
                "output": row.output,
            })
        })
        .collect();
    json!({
        "gradable": gradable,
        "score": score,
        "message": rows::message(submission),
        "output": "",
        "tests": tests,
    })
}
