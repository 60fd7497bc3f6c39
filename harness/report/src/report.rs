//! What one check reports: to a person in the terminal, and to whoever runs it as a file.

use std::{fmt::Write as _, io, path::Path};

use serde::{Deserialize, Serialize};
use unicode_width::UnicodeWidthStr;
use workbook_course::Language;
use workbook_diagnosis::finding::{FindingId, Severity};

use crate::failure::{Failure, Verdict};

/// The outcome of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckReport {
    /// The check's name.
    pub name: String,
    /// What it came to.
    pub verdict: Verdict,
    /// Why, when it did not pass.
    pub failure: Option<Failure>,
    /// How many cases a property was tried with; 0: it is none.
    #[serde(default)]
    pub cases: u32,
    /// The smallest case that a property found to fail, when the check is one.
    pub case: Option<String>,
    /// What the tapes prove to have gone wrong; a check that passes may have some, too.
    #[serde(default)]
    pub findings: Vec<ToldFinding>,
    /// The tapes as a sequence diagram for a terminal.
    #[serde(default)]
    pub picture: String,
    /// What the programs of the check printed, in the order of their start.
    pub programs: Vec<ProgramReport>,
    /// The catalogue's hint, in the learner's language.
    pub hint: Option<String>,
    /// The seed that repeats it.
    pub seed: u64,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The virtual hosts that were lent to it and have nothing in them, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub given_back: Vec<String>,
}

/// What a program did, as far as it can be seen from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramReport {
    /// Its name and arguments, as they are shown.
    pub name: String,
    /// Its name, and then its arguments.
    #[serde(default)]
    pub argv: Vec<String>,
    /// The last lines of its standard output.
    pub stdout: Vec<String>,
    /// The last lines of its standard error.
    pub stderr: Vec<String>,
    /// How it ended, in words; `None` while it runs.
    pub ended: Option<String>,
    /// What it said to the broker and heard from it, in normal form.
    #[serde(default)]
    pub conversation: serde_json::Value,
}

/// How many rows of the sequence diagram a failure shows in a terminal.
const PICTURE_ROWS: usize = 40;

/// A finding as it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldFinding {
    /// What it is about.
    pub id: FindingId,
    /// How grave it is.
    pub severity: Severity,
    /// The program's name and arguments, as they are shown.
    pub program: String,
    /// Its name, and then its arguments.
    #[serde(default)]
    pub argv: Vec<String>,
    /// A short name for it.
    pub title: String,
    /// What happened in AMQP's words, why, and what to do.
    pub explanation: String,
    /// The page and anchor that teach it.
    pub chapter: String,
    /// The numbers of the events on the program's tape that prove it.
    pub evidence: Vec<u64>,
    /// The frames that prove it, cut out of the sequence diagram; empty where no frame does.
    #[serde(default)]
    pub frames: String,
}

impl CheckReport {
    /// The report as text for a terminal, without colours.
    pub fn text(&self) -> String {
        self.text_in(Language::English)
    }

    /// The same, with its fixed words in a language.
    pub fn text_in(&self, language: Language) -> String {
        let say = |english: &'static str, chinese: &'static str| match language {
            Language::English => english,
            Language::Chinese => chinese,
        };
        let Some(failure) = &self.failure else {
            return format!("{} {}\n", self.verdict, self.name);
        };
        let mut text = String::new();
        let mut field = |name: &str, value: &str| {
            for (index, line) in value.lines().enumerate() {
                let name = if index == 0 { name } else { "" };
                let gap = " ".repeat(9_usize.saturating_sub(name.width()));
                let _ = writeln!(text, "{}", format!("  {name}{gap} {line}").trim_end());
            }
        };
        field(say("expected", "预期"), &failure.expected);
        field(say("observed", "实际"), &failure.observed);
        if let Some(case) = &self.case {
            field(say("for case", "用例"), case);
        }
        for program in &self.programs {
            let who = format!("[{}]", program.name);
            let mut tell = |line: &str| field("", &format!("{who} {line}"));
            program.stdout.iter().for_each(|line| tell(line));
            program
                .stderr
                .iter()
                .for_each(|line| tell(&format!("(stderr) {line}")));
            match &program.ended {
                Some(ended) => tell(ended),
                None => tell(say("is still running", "仍在运行")),
            }
        }
        if !self.findings.is_empty() {
            field("", say("\nwhat the broker saw", "\n代理看到的情况"));
        }
        for (number, finding) in self.findings.iter().enumerate() {
            field(
                "",
                &format!(
                    "{}. {} ({}, {})",
                    number + 1,
                    finding.title,
                    finding.id,
                    finding.program
                ),
            );
            field(
                "",
                &textwrap::fill(
                    &finding.explanation,
                    textwrap::Options::new(88)
                        .initial_indent("   ")
                        .subsequent_indent("   "),
                ),
            );
            field(
                "",
                &format!("   {}: {}", say("read", "阅读"), finding.chapter),
            );
        }
        if !self.picture.is_empty() {
            field("", "");
            let rows: Vec<&str> = self.picture.lines().collect();
            rows.iter()
                .take(PICTURE_ROWS)
                .for_each(|row| field("", row));
            if rows.len() > PICTURE_ROWS {
                let left_out = rows.len() - PICTURE_ROWS;
                field(
                    "",
                    &format!("… {left_out} {}", say("more rows", "行未显示")),
                );
            }
        }
        for advice in &failure.advice {
            field(say("try", "建议"), advice);
        }
        // What is proved outranks what is only likely.
        let proved = self
            .findings
            .iter()
            .any(|it| it.severity == Severity::Error);
        if let Some(hint) = &self.hint
            && self.verdict != Verdict::Infra
            && !proved
        {
            field(say("hint", "提示"), hint);
        }
        field(say("seed", "种子"), &self.seed.to_string());
        text
    }

    /// Writes the report whole or not at all.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer(&mut file, self)?;
        file.persist(path)?;
        Ok(())
    }
}
