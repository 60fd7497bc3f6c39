//! The languages that the book is read in.

use workbook_course::Language;

/// A language of the book, and where its pages are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tongue {
    /// The language of the course's texts.
    pub language: Language,
    /// Its tag, as in HTML and in the name of its `.po` file: `zh-CN`.
    pub tag: &'static str,
    /// What its readers call it.
    pub name: &'static str,
    /// The folder of its pages below the book's root; empty for the language of the sources.
    pub folder: &'static str,
}

/// The language of the sources.
pub const ENGLISH: Tongue = Tongue {
    language: Language::English,
    tag: "en",
    name: "English",
    folder: "",
};

/// Translated with `po/zh-CN.po`.
pub const CHINESE: Tongue = Tongue {
    language: Language::Chinese,
    tag: "zh-CN",
    name: "中文",
    folder: "zh-CN",
};

/// All of them; the language of the sources is the first.
pub const ALL: [Tongue; 2] = [ENGLISH, CHINESE];

impl Tongue {
    /// The language of a tag; that of the sources for any that is not known.
    pub fn of(tag: Option<&str>) -> Self {
        ALL.into_iter()
            .find(|tongue| Some(tongue.tag) == tag)
            .unwrap_or(ENGLISH)
    }

    /// One of two texts.
    pub fn pick<'a>(self, english: &'a str, chinese: &'a str) -> &'a str {
        match self.language {
            Language::English => english,
            Language::Chinese => chinese,
        }
    }
}
