//! `<!-- workbook:glossary -->`: the terms of the book in both languages, from `book/terms.toml`.

use std::{fmt::Write as _, path::Path};

use serde::Deserialize;
use workbook_course::Text;

use crate::{error::BookError, markup, page::Page};

/// The table of terms.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// In the order of the glossary.
    pub term: Vec<Term>,
}

/// One thing, and its word in each language.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// The English word, and other forms of it that the test knows: `queue`.
    pub en: String,
    /// The Chinese word.
    pub zh: String,
    /// Chinese words for the same thing that the book does not use.
    #[serde(default)]
    pub not: Vec<String>,
    /// The English word has other meanings in this book: the test holds only that `not` is kept.
    #[serde(default)]
    pub loose: bool,
    /// What it means.
    pub about: Text,
}

/// Reads the table.
pub fn terms(root: &Path) -> Result<Terms, BookError> {
    let path = root.join("book/terms.toml");
    let text = fs_err::read_to_string(&path)?;
    toml::from_str(&text).map_err(|error| BookError::format(path, error.to_string()))
}

/// An anchor of a term: `dead-letter-exchange`.
pub(crate) fn anchor(term: &Term) -> String {
    term.en.to_lowercase().replace(' ', "-")
}

pub(crate) fn glossary(page: &Page<'_>) -> Result<String, BookError> {
    let mut table = format!(
        "| {} | {} | {} |\n| --- | --- | --- |\n",
        page.tongue.pick("English", "英文"),
        page.tongue.pick("Chinese", "中文"),
        page.tongue.pick("Meaning", "含义"),
    );
    for term in terms(&page.workspace.root)?.term {
        let _ = writeln!(
            table,
            "| <span id=\"{}\" lang=\"en\">{}</span> | <span lang=\"zh-CN\">{}</span> | {} |",
            anchor(&term),
            term.en,
            term.zh,
            markup::cell(term.about.get(page.tongue.language))
        );
    }
    Ok(table)
}
