//! `cargo workbook hint EXERCISE`

use workbook_lab::{Verdict, course::Language};

use super::{Context, check::find_chapter, list::remembered};
use crate::{
    error::{Error, Exit},
    output,
};

/// Shows the hint of the first check that failed last time; of the first of all before any run.
pub(super) fn hint(context: &Context, slug: &str) -> Result<Exit, Error> {
    let chapter = find_chapter(context, slug)?;
    let next = match remembered(context, slug) {
        None => chapter.checks.first(),
        Some((_, results)) => results
            .iter()
            .find(|result| result.report.verdict != Verdict::Pass)
            .and_then(|result| chapter.check(&result.report.name)),
    };
    match next {
        Some(check) => {
            output::line(check.title.get(context.language));
            output::line(&format!("  {}", check.hint.get(context.language)));
        }
        None => output::line(match context.language {
            Language::English => "every check passed last time: there is nothing left to hint at",
            Language::Chinese => "上次所有检查都已通过，没有更多提示",
        }),
    }
    Ok(Exit::Ok)
}
