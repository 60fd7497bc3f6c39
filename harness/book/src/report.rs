//! What is stale or broken in the book.

use std::path::Path;

use crate::{error::BookError, tongue, translate};

/// What is stale or broken, a line each.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Pages and how many of their texts are not translated, or of an older source.
    pub stale_translations: Vec<String>,
    /// A few words for each thing that was looked at.
    pub looked_at: Vec<String>,
}

impl Report {
    /// Looks at the sources and the catalogues.
    pub fn of(root: &Path) -> Result<Self, BookError> {
        let book = root.join("book");
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
        Ok(report)
    }

    /// Whether there is nothing to mend.
    pub fn is_clean(&self) -> bool {
        self.stale_translations.is_empty()
    }

    /// All of it, for a terminal.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = self.stale_translations.clone();
        lines.extend(self.looked_at.iter().cloned());
        lines
    }
}
