//! Gradescope's `results.json`.

use serde_json::{Value, json};
use workbook_course::Language;
use workbook_report::Verdict;

use super::rows::{self, rows};
use crate::model::Submission;

/// The result. Every test is visible, as a hidden one hides the total.
pub(super) fn result(submission: &Submission, language: Language) -> Value {
    let rows = rows(submission, language);
    let milliseconds: u64 = rows.iter().map(|row| row.duration_ms).sum();
    let tests: Vec<Value> = (rows.iter().enumerate())
        .map(|(index, row)| {
            let passed = row.verdict == Verdict::Pass;
            let mut test = json!({
                "name": row.title,
                "number": (index + 1).to_string(),
                "score": row.points,
                "max_score": row.max_points,
                "status": if passed { "passed" } else { "failed" },
                "output": format!("{}\n{}", row.message, row.output).trim(),
                "output_format": "text",
                "visibility": "visible",
                "extra_data": { "check": row.name, "verdict": row.verdict.word() },
            });
            without_a_score(&mut test, row.verdict == Verdict::Infra);
            test
        })
        .collect();
    let mut result = json!({
        "score": submission.points.unwrap_or_default(),
        "execution_time": milliseconds.div_ceil(1000),
        "output": rows::message(submission),
        "visibility": "visible",
        "stdout_visibility": "visible",
        "tests": tests,
    });
    without_a_score(&mut result, submission.points.is_none());
    result
}

/// Without a score Gradescope says that the grading failed, which is true; 0 points would not be.
fn without_a_score(value: &mut Value, not_graded: bool) {
    if let Some(object) = value.as_object_mut().filter(|_| not_graded) {
        object.retain(|name, _| name != "score");
    }
}
