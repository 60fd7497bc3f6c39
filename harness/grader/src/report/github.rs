//! The result of the graders of GitHub Classroom, which other tools read, too.

use data_encoding::BASE64;
use serde_json::{Value, json};
use workbook_course::Language;
use workbook_report::Verdict;

use super::rows::rows;
use crate::model::Submission;

/// The result; a step's output `result` holds it as [`output`].
pub(super) fn result(submission: &Submission, language: Language) -> Value {
    let tests: Vec<Value> = (rows(submission, language).into_iter())
        .map(|row| {
            json!({
                "name": row.name,
                "status": status(row.verdict),
                "score": row.points,
                "message": row.message,
                "test_code": row.title,
                "filename": "",
                "line_no": 0,
                "duration": row.duration_ms,
            })
        })
        .collect();
    json!({
        "version": 1,
        "status": status(submission.verdict),
        "max_score": submission.max_points,
        "tests": tests,
    })
}

/// The line for the file that `GITHUB_OUTPUT` names.
pub(super) fn output(submission: &Submission, language: Language) -> String {
    let json = result(submission, language).to_string();
    format!("result={}\n", BASE64.encode(json.as_bytes()))
}

fn status(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Error | Verdict::Ungradable | Verdict::Infra => "error",
    }
}
