//! `gradebook.csv`: a line for each submission, a column for each exercise.

use super::safe;
use crate::model::{Results, Submission};

/// The gradebook. Points that could not be graded are left empty.
pub(super) fn csv(results: &Results) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut header = vec!["name", "verdict", "points", "max_points"];
    let exercises = results.submissions.first();
    let exercises = exercises
        .map(|it| it.exercises.as_slice())
        .unwrap_or_default();
    header.extend(exercises.iter().map(|it| it.slug.as_str()));
    header.extend(["sha256", "message"]);
    let points = |points: Option<u32>| points.map_or_else(String::new, |it| it.to_string());
    let mut rows = vec![header.into_iter().map(str::to_owned).collect::<Vec<_>>()];
    for submission in &results.submissions {
        let mut row = vec![
            safe::cell(&submission.name),
            submission.verdict.word().to_owned(),
            points(submission.points),
            submission.max_points.to_string(),
        ];
        row.extend(submission.exercises.iter().map(|it| points(it.points)));
        row.push(submission.sha256.clone());
        row.push(safe::cell(&message(submission)));
        rows.push(row);
    }
    for row in rows {
        // A vector takes everything, and all rows are of one length.
        let _ = writer.write_record(row);
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Why it got no marks, or got none for an exercise.
fn message(submission: &Submission) -> String {
    let own = submission.message.iter().cloned();
    let exercises = submission.exercises.iter().filter_map(|it| {
        let message = it
            .message
            .as_ref()
            .filter(|it| submission.message.as_ref() != Some(*it))?;
        Some(format!("{}: {message}", it.slug))
    });
    own.chain(exercises).collect::<Vec<_>>().join("\n")
}
