//! `cargo workbook tape EXERCISE`: the last run's conversation as a sequence diagram.

use std::{fs, path::Path};

use workbook_course::{Chapter, Language};
use workbook_report::{cause::groups, kept};

use super::{Context, find};
use crate::{
    cli,
    error::{Error, Exit},
    output,
};

pub(super) fn tape(context: &Context, arguments: &cli::Tape) -> Result<Exit, Error> {
    let (_, chapter) = find::chapter(context, &arguments.exercise)?;
    let check = match &arguments.check {
        Some(name) => find::check(context, chapter, name)?,
        None => first(context, chapter),
    };
    let folder = kept::tapes(&context.workspace.root, &chapter.slug).join(check);
    let pictures = |ending: &str| pictures(&folder, ending);
    let texts = pictures("picture.txt");
    if texts.is_empty() {
        let slug = &chapter.slug;
        let (what, hint) = match context.language {
            Language::English => (
                format!("there is no tape of `{check}` yet"),
                format!("run the checks first: cargo workbook check {slug}"),
            ),
            Language::Chinese => (
                format!("`{check}` 还没有录带"),
                format!("请先运行检查：cargo workbook check {slug}"),
            ),
        };
        return Err(Error::new(Exit::Usage, what).hint(hint));
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
            Error::from_source(Exit::Ours, &error).hint(match context.language {
                Language::English => format!("can {} be written?", path.display()),
                Language::Chinese => format!("{} 可以写入吗？", path.display()),
            })
        })?;
        output::line(&format!("{check}: {}", path.display()));
    }
    Ok(Exit::Ok)
}

/// The check that the first cause of the last run is shown with, else the first of all.
fn first<'a>(context: &Context, chapter: &'a Chapter) -> &'a str {
    let last = kept::last(&context.workspace.root, chapter);
    let groups = groups(&last);
    let failed = groups.first().and_then(|group| group.reports.first());
    failed
        .and_then(|report| chapter.check(&report.name))
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
