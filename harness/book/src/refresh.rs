//! Bringing up to date what is kept in files: the catalogues of translations, and the recorded runs.

use std::path::Path;

use workbook_broker::Broker;
use workbook_course::Workspace;

use crate::{
    error::BookError,
    runs::{self, Run},
    tongue, translate,
};

/// Records the runs of the solutions again, and tells each.
pub async fn runs(
    workspace: &Workspace,
    broker: &Broker,
    tell: impl Fn(&str),
) -> Result<(), BookError> {
    for chapter in &workspace.course.chapters {
        let (parts, tapes) = runs::play(workspace, broker, chapter).await?;
        Run::write(&workspace.root, &chapter.slug, &parts, &tapes)?;
        tell(&format!("recorded: {}", chapter.slug));
    }
    Ok(())
}

/// Brings the catalogues up to date with the pages, and returns a line for each.
pub fn translations(root: &Path) -> Result<Vec<String>, BookError> {
    let book = root.join("book");
    let sources = translate::sources(&book.join("src"))?;
    let mut lines = Vec::new();
    for tongue in tongue::ALL.into_iter().skip(1) {
        let old = translate::read(&book, tongue)?;
        let renewed = translate::renew(tongue, &sources, &old);
        translate::write(&book, tongue, &renewed)?;
        let stale: usize = translate::freshness(&sources, &renewed)
            .iter()
            .map(|(_, fresh)| fresh.stale.len())
            .sum();
        lines.push(format!(
            "{}: {} texts, {stale} to translate",
            translate::path(&book, tongue).display(),
            sources.len()
        ));
    }
    Ok(lines)
}
