//! `cargo workbook tape EXERCISE`: the last run's conversation as a sequence diagram.

use std::{fs, path::Path};

use workbook_lab::{Verdict, course::Chapter};

use super::{Context, check::find_chapter, list::remembered};
use crate::{
    cli,
    error::{Error, Exit},
    output,
};

pub(super) fn tape(context: &Context, arguments: &cli::Tape) -> Result<Exit, Error> {
    let chapter = find_chapter(context, &arguments.exercise)?;
    let check = match &arguments.check {
        Some(name) => known(chapter, name)?,
        None => first(context, chapter),
    };
    let folder = context.tapes(&chapter.slug).join(check);
    let pictures = |ending: &str| pictures(&folder, ending);
    let texts = pictures("picture.txt");
    if texts.is_empty() {
        return Err(
            Error::new(Exit::Usage, format!("there is no tape of `{check}` yet")).hint(format!(
                "run the checks first: cargo workbook check {}",
                chapter.slug
            )),
        );
    }
    let Some(file) = &arguments.svg else {
        output::line(check);
        for picture in texts {
            output::line(&picture);
        }
        return Ok(Exit::Ok);
    };
    // A check with several worlds has a picture of each; the first goes to the file's own name.
    for (index, picture) in pictures("picture.svg").into_iter().enumerate() {
        let path = match index {
            0 => file.clone(),
            _ => file.with_extension(format!("{}.svg", index + 1)),
        };
        fs::write(&path, picture).map_err(|error| {
            Error::from_source(Exit::Ours, &error)
                .hint(format!("can {} be written?", path.display()))
        })?;
        output::line(&format!("{check}: {}", path.display()));
    }
    Ok(Exit::Ok)
}

fn known<'a>(chapter: &'a Chapter, name: &str) -> Result<&'a str, Error> {
    chapter
        .check(name)
        .map(|check| check.name.as_str())
        .ok_or_else(|| {
            let names: Vec<&str> = chapter
                .checks
                .iter()
                .map(|check| check.name.as_str())
                .collect();
            Error::new(
                Exit::Usage,
                format!("`{}` has no check `{name}`", chapter.slug),
            )
            .hint(format!("its checks are: {}", names.join(", ")))
        })
}

/// The first check that did not pass last time, else the first of all.
fn first<'a>(context: &Context, chapter: &'a Chapter) -> &'a str {
    let failed = remembered(context, &chapter.slug).and_then(|(_, results)| {
        let failed = results
            .into_iter()
            .find(|result| result.report.verdict != Verdict::Pass)?;
        chapter.check(&failed.report.name)
    });
    failed
        .or(chapter.checks.first())
        .map_or("", |check| check.name.as_str())
}

/// The files of a folder with that ending, in order.
fn pictures(folder: &Path, ending: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    paths.sort();
    paths
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .collect()
}
