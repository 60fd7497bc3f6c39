//! `cargo workbook list`, and what is kept between runs for it.

use std::{fs, io::Write, path::PathBuf};

use serde_json::json;
use workbook_grader::{CheckResult, Score};
use workbook_lab::Verdict;

use super::Context;
use crate::{
    error::{Error, Exit},
    output,
};

/// Shows the exercises, their points and what was reached last time.
pub(super) fn list(context: &Context, json: bool) -> Exit {
    let mut rows = Vec::new();
    for (index, chapter) in context.workspace.course.chapters.iter().enumerate() {
        let last = remembered(context, &chapter.slug);
        let points = last.as_ref().map(|(score, _)| score.points);
        let state = match &last {
            None => "not checked yet",
            Some((score, _)) if score.verdict == Verdict::Pass => "solved",
            Some(_) => "in work",
        };
        if json {
            rows.push(json!({
                "number": index + 1,
                "slug": chapter.slug,
                "title": chapter.title,
                "programs": chapter.programs,
                "minutes": chapter.minutes,
                "checks": chapter.checks.len(),
                "max_points": chapter.points(),
                "points": points,
                "state": state,
            }));
        } else {
            output::line(&format!(
                "{:>2}  {:<24} {:>3}/{:<3} {:<16} {}",
                index + 1,
                chapter.slug,
                points.map_or("-".to_owned(), |points| points.to_string()),
                chapter.points(),
                state,
                chapter.title.get(context.language),
            ));
        }
    }
    if json {
        output::line(&serde_json::Value::from(rows).to_string());
    }
    Exit::Ok
}

/// Keeps the outcome of a check of the learner's own programs.
pub(super) fn remember(
    context: &Context,
    score: &Score,
    results: &[CheckResult],
) -> Result<(), Error> {
    let path = path(context, &score.exercise);
    let folder = path.parent().unwrap_or(&path);
    fs::create_dir_all(folder)?;
    let json = serde_json::to_vec(&(score, results))
        .map_err(|error| Error::from_source(Exit::Ours, &error))?;
    // Written beside and renamed, so that a run that is stopped leaves the old one.
    let beside = folder.join(format!(".{}.{}", score.exercise, std::process::id()));
    fs::File::create(&beside)?.write_all(&json)?;
    fs::rename(&beside, &path)?;
    Ok(())
}

/// What the last check of the learner's own programs came to.
pub(super) fn remembered(context: &Context, slug: &str) -> Option<(Score, Vec<CheckResult>)> {
    serde_json::from_slice(&fs::read(path(context, slug)).ok()?).ok()
}

fn path(context: &Context, slug: &str) -> PathBuf {
    context
        .workspace
        .state()
        .join("last")
        .join(format!("{slug}.json"))
}
