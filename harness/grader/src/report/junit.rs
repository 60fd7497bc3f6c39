//! JUnit's XML, in the flavour of Jenkins.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use workbook_course::Language;
use workbook_report::Verdict;

use super::{rows::rows, safe};
use crate::model::Submission;

/// The report: a suite for each exercise.
pub(super) fn xml(submission: &Submission, language: Language) -> String {
    let mut report = Report::new(safe::plain(&submission.name));
    let rows = rows(submission, language);
    for (index, exercise) in submission.exercises.iter().enumerate() {
        let mut suite = TestSuite::new(exercise.slug.as_str());
        for row in rows.iter().filter(|row| row.task == index + 1) {
            let kind = match row.verdict {
                Verdict::Pass => None,
                Verdict::Fail => Some(NonSuccessKind::Failure),
                _ => Some(NonSuccessKind::Error),
            };
            let status = kind.map_or_else(TestCaseStatus::success, |kind| {
                let mut status = TestCaseStatus::non_success(kind);
                status
                    .set_message(row.message.lines().next().unwrap_or_default())
                    .set_type(row.verdict.word())
                    .set_description(row.message.as_str());
                status
            });
            let name = row.name.rsplit('/').next().unwrap_or(&row.name);
            let mut case = TestCase::new(name, status);
            case.set_classname(exercise.slug.as_str())
                .set_time(Duration::from_millis(row.duration_ms))
                .set_system_out(row.output.as_str());
            suite.add_test_case(case);
        }
        report.add_test_suite(suite);
    }
    // It is written to memory.
    report.to_string().unwrap_or_default()
}
