//! What is stale or broken in the book.

use crate::{Build, error::BookError, links, tongue, translate};

/// What is stale or broken, a line each.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Pages and how many of their texts are not translated, or of an older source.
    pub stale_translations: Vec<String>,
    /// Links that lead nowhere, parts that are missing, pages that are too large.
    pub broken: Vec<String>,
    /// A few words for each thing that was looked at.
    pub looked_at: Vec<String>,
}

impl Report {
    /// Builds the book, and looks at the pages, their sources and the catalogues.
    ///
    /// What is made from the course, the crates and the recorded runs is made at each build and cannot be stale; that the
    /// runs are still the same is held by a test, which needs a broker.
    pub fn of(build: &Build) -> Result<Self, BookError> {
        let seconds = build.run()?;
        let book = build.root.join("book");
        let sources = translate::sources(&book.join("src"))?;
        let mut report = Self::default();
        for tongue in tongue::ALL.into_iter().skip(1) {
            let catalog = translate::read(&book, tongue)?;
            let mut texts = 0;
            for (file, fresh) in translate::freshness(&sources, &catalog) {
                texts += fresh.texts;
                if let Some(first) = fresh.stale.first() {
                    let first: String = first.chars().take(60).collect();
                    report.stale_translations.push(format!(
                        "stale translation: {file} ({}): {} of {} texts, the first is {first:?}",
                        tongue.tag,
                        fresh.stale.len(),
                        fresh.texts
                    ));
                }
            }
            report
                .looked_at
                .push(format!("{}: {texts} texts looked at", tongue.tag));
        }
        let (broken, links) = links::check(&build.out)?;
        report.broken = broken;
        report
            .looked_at
            .push(format!("{links} links looked at; built in {seconds:.1} s"));
        Ok(report)
    }

    /// Whether there is nothing to mend.
    pub fn is_clean(&self) -> bool {
        self.stale_translations.is_empty() && self.broken.is_empty()
    }

    /// All of it, for a terminal.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = self.stale_translations.clone();
        lines.extend(self.broken.iter().cloned());
        lines.extend(self.looked_at.iter().cloned());
        lines
    }
}
