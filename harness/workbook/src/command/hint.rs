//! `cargo workbook hint EXERCISE`: one hint, and the next one the next time.

use std::{fs, path::PathBuf};

use workbook_course::{Chapter, Language, reading};
use workbook_report::{cause::groups, kept};

use super::{Context, find};
use crate::{
    error::{Error, Exit},
    output,
};

/// Shows the hint of the next check that failed last time: those of the first cause first, and before any run those of
/// all checks. After the last one it begins again.
pub(super) fn hint(context: &Context, typed: &str) -> Result<Exit, Error> {
    let (number, chapter) = find::chapter(context, typed)?;
    let language = context.language;
    let names = due(context, chapter);
    if names.is_empty() {
        output::line(match language {
            Language::English => "every check passed last time: there is nothing left to hint at",
            Language::Chinese => "上次所有检查都已通过，没有更多提示",
        });
        return Ok(Exit::Ok);
    }
    let path = seen(context, &chapter.slug);
    let told: Vec<String> = fs::read(&path)
        .ok()
        .and_then(|json| serde_json::from_slice(&json).ok())
        .unwrap_or_default();
    // Those that have passed since are forgotten.
    let mut told: Vec<String> = told.into_iter().filter(|it| names.contains(it)).collect();
    let next = names.iter().position(|name| !told.contains(name));
    let Some(check) = next.and_then(|next| chapter.check(&names[next])) else {
        keep(&path, &[])?;
        let solution = format!("solutions/{number:02}-{}/src/bin", chapter.slug);
        let root = &context.workspace.root;
        let solution = reading::shown(root, &root.join(solution));
        output::line(&match language {
            Language::English => {
                format!("these were all the hints, and they begin again. Our solution: {solution}")
            }
            Language::Chinese => {
                format!("提示到此全部给出，下次从头开始。参考解答：{solution}")
            }
        });
        return Ok(Exit::Ok);
    };
    told.push(check.name.clone());
    keep(&path, &told)?;
    let (at, all) = (told.len(), names.len());
    output::line(&match language {
        Language::English => format!("hint {at} of {all}: {}", check.title.en),
        Language::Chinese => format!("提示 {at}/{all}：{}", check.title.zh),
    });
    output::line(&format!("  {}", check.hint.get(language)));
    let place = reading::place(&context.workspace.root, language, &check.chapter);
    output::line(&match language {
        Language::English => format!("  read: {place}"),
        Language::Chinese => format!("  阅读：{place}"),
    });
    Ok(Exit::Ok)
}

/// The checks that there are hints for, by name.
fn due(context: &Context, chapter: &Chapter) -> Vec<String> {
    let last = kept::last(&context.workspace.root, chapter);
    if last.is_empty() {
        return chapter.checks.iter().map(|it| it.name.clone()).collect();
    }
    let groups = groups(&last);
    let reports = groups.iter().flat_map(|group| &group.reports);
    reports.map(|report| report.name.clone()).collect()
}

fn seen(context: &Context, slug: &str) -> PathBuf {
    let folder = context.workspace.state().join("hints");
    folder.join(format!("{slug}.json"))
}

fn keep(path: &PathBuf, told: &[String]) -> Result<(), Error> {
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    let json = serde_json::to_vec(told).map_err(|error| Error::from_source(Exit::Ours, &error))?;
    Ok(fs::write(path, json)?)
}
