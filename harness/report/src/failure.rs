//! What a check says when it does not hold.

use std::fmt;

use serde::{Deserialize, Serialize};
use workbook_course::Language;

/// What a check, an exercise or a whole submission came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// All that was asked holds.
    Pass,
    /// A check did not hold.
    Fail,
    /// The submission's own fault: it does not compile, or it could not be run at all.
    Error,
    /// Not a submission.
    Ungradable,
    /// Our fault: no broker, no disk. Never worth 0 points: grade it again.
    Infra,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Pass,
        Self::Fail,
        Self::Error,
        Self::Ungradable,
        Self::Infra,
    ];

    /// Its word for programs.
    pub fn word(self) -> &'static str {
        self.word_in(Language::English)
    }

    /// Its word in a language.
    pub fn word_in(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Pass, Language::English) => "pass",
            (Self::Fail, Language::English) => "fail",
            (Self::Error, Language::English) => "error",
            (Self::Ungradable, Language::English) => "ungradable",
            (Self::Infra, Language::English) => "infra",
            (Self::Pass, Language::Chinese) => "通过",
            (Self::Fail, Language::Chinese) => "未通过",
            (Self::Error, Language::Chinese) => "出错",
            (Self::Ungradable, Language::Chinese) => "无法评分",
            (Self::Infra, Language::Chinese) => "未评判",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word_in(Language::English))
    }
}

/// What the body of a check returns.
pub type Checked = Result<(), Failure>;

/// Why a check did not hold: what was expected, what was observed, what to try.
///
/// It holds only what the check itself knows. The lab adds the programs'
/// output, the hint of the catalogue and the seed when it writes the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// `fail` or `infra` (`error` where a program cannot be started at all).
    pub verdict: Verdict,
    /// What a correct program would have done.
    pub expected: String,
    /// What happened instead, in AMQP's words.
    pub observed: String,
    /// Whether it took a deadline to find out.
    #[serde(default)]
    pub waited: bool,
    /// What to try next, where the check knows better than the hint of the catalogue.
    pub advice: Vec<String>,
}

impl Failure {
    /// A check that did not hold.
    pub fn new(expected: impl Into<String>, observed: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Fail,
            expected: expected.into(),
            observed: observed.into(),
            waited: false,
            advice: Vec::new(),
        }
    }

    /// Our own fault: nothing is said about the program.
    pub fn infra(what: impl Into<String>, source: &dyn std::error::Error) -> Self {
        let mut observed = source.to_string();
        let mut cause = source.source();
        while let Some(inner) = cause {
            observed.push_str(": ");
            observed.push_str(&inner.to_string());
            cause = inner.source();
        }
        Self {
            verdict: Verdict::Infra,
            ..Self::new(what, observed)
        }
    }

    /// A program that cannot be started.
    #[must_use]
    pub fn error(expected: impl Into<String>, observed: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Error,
            ..Self::new(expected, observed)
        }
    }

    /// Adds a sentence about what to try next.
    #[must_use]
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice.push(advice.into());
        self
    }

    /// Whether this says nothing about the program, because the fault is ours.
    pub fn is_infra(&self) -> bool {
        self.verdict == Verdict::Infra
    }
}

/// Holds a condition: `ensure!(condition, expected, observed)`.
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $expected:expr, $observed:expr $(, $advice:expr)* $(,)?) => {
        if !$condition {
            return Err($crate::Failure::new($expected, $observed)$(.advise($advice))*);
        }
    };
}
