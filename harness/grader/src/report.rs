//! Reports: one model, one small writer each.
//!
//! A writer makes a text of results, and knows nothing of files; where each goes is
//! said here. Everything that a learner wrote passes through [`safe`], in the way of the
//! format that it goes into.

mod classroom50;
mod ctrf;
mod exercism;
mod github;
mod gradebook;
mod gradescope;
mod html;
mod junit;
mod prairielearn;
mod rows;
pub mod safe;
mod summary;

use std::{collections::BTreeMap, io};

use serde::{Serialize, Serializer, ser::SerializeSeq as _};
use workbook_course::Language;

use crate::{
    model::{Conditions, Results, SCHEMA, Submission},
    store::{Store, StoreError},
};

const CLASSROOM50: &str = "classroom50.json";
const RESULTS: &str = "results.json";

/// Every file that tells of one submission, by its name in the submission's folder.
///
/// `environment` holds what a workflow knows of whose submission it is.
pub fn of_submission(
    submission: &Submission,
    conditions: &Conditions,
    environment: &BTreeMap<String, String>,
    language: Language,
) -> BTreeMap<&'static str, Vec<u8>> {
    let results = Results {
        schema: SCHEMA.to_owned(),
        conditions: conditions.clone(),
        submissions: vec![submission.clone()],
        passed_over: Vec::new(),
    };
    let mut files = BTreeMap::from([
        (RESULTS, json(&results)),
        (
            "report.html",
            html::submission(submission, conditions, language).into_bytes(),
        ),
        (
            CLASSROOM50,
            json(&classroom50::result(submission, environment, language)),
        ),
        (
            "github-classroom.json",
            json(&github::result(submission, language)),
        ),
        (
            "github-output.txt",
            github::output(submission, language).into_bytes(),
        ),
        (
            "gradescope.json",
            json(&gradescope::result(submission, language)),
        ),
        (
            "exercism.json",
            json(&exercism::result(submission, language)),
        ),
        ("junit.xml", junit::xml(submission, language).into_bytes()),
        (
            "ctrf.json",
            json(&ctrf::report(submission, conditions, language)),
        ),
        (
            "prairielearn.json",
            json(&prairielearn::result(submission, language)),
        ),
        (
            "summary.md",
            summary::summary(submission, conditions, language).into_bytes(),
        ),
    ]);
    if submission.points.is_none() {
        // It has no word for what is not graded, and a score of 0 would be one.
        files.remove(CLASSROOM50);
    }
    files
}

/// Every file that tells of the whole class, by its name, but for [`results_of_class`].
pub fn of_class(results: &Results, language: Language) -> BTreeMap<&'static str, Vec<u8>> {
    BTreeMap::from([
        ("gradebook.csv", gradebook::csv(results).into_bytes()),
        ("index.html", html::class(results, language).into_bytes()),
    ])
}

/// `results.json` of a class: all that is told of all submissions. Each comes from `whole` when its turn has come, as
/// all of them together may be large.
pub fn results_of_class(
    results: &Results,
    whole: &dyn Fn(&Submission) -> io::Result<Submission>,
    to: &mut dyn io::Write,
) -> io::Result<()> {
    #[derive(Serialize)]
    struct Whole<'a> {
        schema: &'a str,
        #[serde(flatten)]
        conditions: &'a Conditions,
        submissions: Each<'a>,
        #[serde(skip_serializing_if = "<[String]>::is_empty")]
        passed_over: &'a [String],
    }
    struct Each<'a>(
        &'a [Submission],
        &'a dyn Fn(&Submission) -> io::Result<Submission>,
    );
    impl Serialize for Each<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut each = serializer.serialize_seq(Some(self.0.len()))?;
            for submission in self.0 {
                let whole = (self.1)(submission).map_err(serde::ser::Error::custom)?;
                each.serialize_element(&whole)?;
            }
            each.end()
        }
    }
    let all = Whole {
        schema: &results.schema,
        conditions: &results.conditions,
        submissions: Each(&results.submissions, whole),
        passed_over: &results.passed_over,
    };
    let mut to = safe::Harmless::new(to);
    serde_json::to_writer_pretty(&mut to, &all)?;
    io::Write::write_all(&mut to, b"\n")
}

/// Writes what is told of one submission.
pub(crate) fn write_submission(
    store: &Store,
    conditions: &Conditions,
    submission: &Submission,
    language: Language,
) -> Result<(), StoreError> {
    let known = (classroom50::VARIABLES.into_iter())
        .filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)));
    let files = of_submission(submission, conditions, &known.collect(), language);
    if !files.contains_key(CLASSROOM50) {
        store.remove(&format!("{}/{CLASSROOM50}", submission.folder))?;
    }
    for (name, contents) in files {
        store.write(&format!("{}/{name}", submission.folder), &contents)?;
    }
    Ok(())
}

/// Writes what is told of the whole class.
pub(crate) fn write_class(
    store: &Store,
    results: &Results,
    language: Language,
) -> Result<(), StoreError> {
    for (name, contents) in of_class(results, language) {
        store.write(name, &contents)?;
    }
    let whole = |submission: &Submission| {
        let json = store.read(&format!("{}/{RESULTS}", submission.folder))?;
        let mut results: Results = serde_json::from_slice(&json)?;
        results.submissions.pop().ok_or_else(|| {
            io::Error::other(format!("there is no submission in {}", submission.folder))
        })
    };
    store.write_with(RESULTS, |to| results_of_class(results, &whole, to))
}

/// JSON for people: indented, with a line break at its end.
fn json(value: &impl serde::Serialize) -> Vec<u8> {
    // Plain structures with text keys cannot fail to be written.
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    let mut text = safe::json(&text).into_bytes();
    text.push(b'\n');
    text
}
