//! The catalogue of the course, `exercises/course.toml`.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

/// All chapters, in order.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Course {
    /// The version of the file's format: 1.
    pub format_version: u32,
    /// The chapters.
    #[serde(rename = "chapter")]
    pub chapters: Vec<Chapter>,
}

/// A chapter and its exercise, joined by the slug.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chapter {
    /// Names the page, the package and, after `NN-`, the folders.
    pub slug: String,
    /// The chapter's title.
    pub title: Text,
    /// The programs that the learner writes, by name.
    pub programs: Vec<String>,
    /// How long a learner takes, roughly.
    pub minutes: u32,
    /// What is new in it.
    pub teaches: Text,
    /// The run that the book shows: what is started, and in which order.
    pub run: Vec<String>,
    /// What the exercise's text fixes, so that a finding can name a slip.
    #[serde(default)]
    pub given: ChapterGiven,
    /// What is checked, in order.
    #[serde(rename = "check")]
    pub checks: Vec<Check>,
}

/// What an exercise's text fixes about its programs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChapterGiven {
    /// The names of its queues.
    pub names: Vec<String>,
    /// The exchanges that its programs use.
    pub exchanges: Vec<String>,
    /// Bodies that it spells out.
    pub bodies: Vec<String>,
    /// What it asks for beyond its words.
    pub asks: BTreeSet<Ask>,
}

/// What a chapter may ask of its programs, and findings then hold them to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ask {
    /// Consumers set a prefetch.
    Prefetch,
    /// Messages survive a restart of the broker: durable queues, persistent messages.
    Durable,
    /// Each consumer has a queue of its own: exclusive, and bound to an exchange.
    OwnQueues,
    /// A publisher's first argument is its routing key; each argument of a consumer is the key of a binding.
    KeysFromArguments,
    /// A publisher's arguments before `--` are its headers; those of a consumer are what it binds with.
    HeadersFromArguments,
    /// Publishers ask for confirms, and mark what they publish again.
    Confirms,
    /// Every message reaches a queue, also through exchanges other than the default one.
    Routed,
}

/// One graded statement about a program.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The name of the test in `tests/grade.rs`.
    pub name: String,
    /// What it is worth.
    pub points: u32,
    /// The statement.
    pub title: Text,
    /// What to try when it does not hold.
    pub hint: Text,
    /// The page and anchor that teach it.
    pub chapter: String,
}

/// A text in the languages of the course.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

impl Text {
    /// The text in a language.
    pub fn get(&self, language: Language) -> &str {
        match language {
            Language::English => &self.en,
            Language::Chinese => &self.zh,
        }
    }
}

/// A language of the course.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Language {
    /// `en`
    #[default]
    #[serde(rename = "en")]
    English,
    /// `zh`
    #[serde(rename = "zh")]
    Chinese,
}

impl Language {
    /// The language that `WORKBOOK_LANG`, else the locale, asks for; English where neither does.
    pub fn from_env() -> Self {
        ["WORKBOOK_LANG", "LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
            .map_or(Self::English, |value| Self::from_tag(&value))
    }

    /// Its tag: `en`, `zh`.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh",
        }
    }

    /// The language of a tag such as `zh_CN.UTF-8`.
    pub fn from_tag(tag: &str) -> Self {
        if tag.to_ascii_lowercase().starts_with("zh") {
            Self::Chinese
        } else {
            Self::English
        }
    }
}

/// Why the catalogue cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CourseError {
    /// It cannot be read.
    #[error("cannot read the catalogue {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is not what it should be.
    #[error("the catalogue {} is not well formed", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// It is of another format.
    #[error("the catalogue {} has format version {found}, and this workbook knows 1", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
}

impl Course {
    /// Reads a catalogue.
    pub fn read(path: &Path) -> Result<Self, CourseError> {
        let path = path.to_owned();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(source) => return Err(CourseError::Read { path, source }),
        };
        match toml::from_str::<Self>(&text) {
            Ok(course) if course.format_version == 1 => Ok(course),
            Ok(course) => Err(CourseError::Version {
                path,
                found: course.format_version,
            }),
            Err(source) => Err(CourseError::Parse {
                path,
                source: Box::new(source),
            }),
        }
    }

    /// The chapter with a slug, and its number from 1.
    pub fn chapter(&self, slug: &str) -> Option<(usize, &Chapter)> {
        let index = self
            .chapters
            .iter()
            .position(|chapter| chapter.slug == slug)?;
        Some((index + 1, &self.chapters[index]))
    }
}

impl Chapter {
    /// The check with a name.
    pub fn check(&self, name: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.name == name)
    }

    /// What all checks together are worth.
    pub fn points(&self) -> u32 {
        self.checks.iter().map(|check| check.points).sum()
    }
}
