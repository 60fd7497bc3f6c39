//! `classroom50/result/v1`.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use workbook_course::Language;
use workbook_report::Verdict;

use super::rows::rows;
use crate::model::Submission;

/// The variables that tell whose result it is.
pub(super) const VARIABLES: [&str; 10] = [
    "CLASSROOM",
    "ASSIGNMENT",
    "ASSIGNMENT_TYPE",
    "OWNER",
    "USERNAME",
    "SUBMISSION_TAG",
    "COMMIT_URL",
    "COMMIT_DATETIME",
    "RELEASE_URL",
    "REVIEW_URL",
];

/// The result of a submission; who it is comes from the environment, else from the submission's name.
pub(super) fn result(
    submission: &Submission,
    environment: &BTreeMap<String, String>,
    language: Language,
) -> Value {
    let given = |name: &str| {
        environment
            .get(name)
            .filter(|value| !value.is_empty())
            .cloned()
    };
    let slugs: Vec<&str> = submission
        .exercises
        .iter()
        .map(|it| it.slug.as_str())
        .collect();
    let kind = given("ASSIGNMENT_TYPE").filter(|kind| kind == "group");
    let tag = given("SUBMISSION_TAG").unwrap_or_else(|| submission.folder.clone());
    let tag = if tag.starts_with("submit/") {
        tag
    } else {
        format!("submit/{tag}")
    };
    let tests: Vec<Value> = (rows(submission, language).into_iter())
        .map(|row| {
            json!({
                "test-name": row.name,
                "passed": row.verdict == Verdict::Pass,
                "score": row.points,
                "max-score": row.max_points,
                "message": row.message,
            })
        })
        .collect();
    json!({
        "schema": "classroom50/result/v1",
        "classroom": given("CLASSROOM").unwrap_or_default(),
        "assignment": given("ASSIGNMENT").unwrap_or_else(|| slugs.join("+")),
        "assignment_type": kind.unwrap_or_else(|| "individual".to_owned()),
        "owner": given("OWNER").or_else(|| given("USERNAME")).unwrap_or_else(|| submission.name.clone()),
        "submission": tag,
        "commit": given("COMMIT_URL").unwrap_or_default(),
        "release": given("RELEASE_URL").unwrap_or_default(),
        "review": given("REVIEW_URL").unwrap_or_default(),
        "datetime": given("COMMIT_DATETIME").and_then(|it| in_utc(&it)).unwrap_or_else(|| submission.handed_in.clone()),
        "score": submission.points.unwrap_or_default(),
        "max-score": submission.max_points,
        "tests": tests,
    })
}

/// A time with any offset, as the format has it; `None`: it is no time.
fn in_utc(time: &str) -> Option<String> {
    let time: jiff::Timestamp = time.parse().ok()?;
    Some(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_utc() {
        let told = in_utc("2026-11-28T08:30:00+02:00");
        assert_eq!(told.as_deref(), Some("2026-11-28T06:30:00Z"));
        assert_eq!(in_utc("yesterday"), None);
    }
}
