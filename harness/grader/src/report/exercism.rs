//! Exercism's `results.json`, version 3.

use serde_json::{Value, json};
use workbook_course::Language;

use super::{
    rows::{self, rows},
    safe,
};
use crate::model::Submission;
use workbook_report::Verdict;

/// How many characters of output a test may show.
const OUTPUT: usize = 500;

/// The result. `error` means that no test was run.
pub(super) fn result(submission: &Submission, language: Language) -> Value {
    if !rows::any_checked(submission) {
        return json!({
            "version": 3,
            "status": "error",
            "message": rows::message(submission),
            "tests": [],
        });
    }
    let tests: Vec<Value> = (rows(submission, language).into_iter())
        .map(|row| {
            let mut test = json!({
                "name": row.title,
                "test_code": row.name,
                "status": match row.verdict {
                    Verdict::Pass => "pass",
                    Verdict::Fail => "fail",
                    _ => "error",
                },
                "task_id": row.task,
            });
            if row.verdict != Verdict::Pass {
                test["message"] = safe::short(&row.message, 2000).into();
            }
            if !row.output.is_empty() {
                let output: String = row.output.chars().take(OUTPUT).collect();
                test["output"] = output.into();
            }
            test
        })
        .collect();
    json!({
        "version": 3,
        "status": match submission.verdict {
            Verdict::Pass => "pass",
            Verdict::Infra => "error",
            _ => "fail",
        },
        "message": null,
        "tests": tests,
    })
}
