//! Findings with their evidence: drawn from the tapes that the lab's tests keep, or from the verdict on a mistake.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use workbook_course::Language;
use workbook_diagnosis::{
    finding::{Finding, FindingId, Seen, findings_given},
    picture::{self, Look},
    recording::{self, RecordedProgram},
};

use crate::error::BookError;

/// A finding as a page tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingText {
    /// A short name for it.
    pub title: String,
    /// What happened, why, and what to do.
    pub explanation: String,
    /// The conversation, with the frames that prove it pointed at.
    pub picture: String,
}

/// A finding in both languages, from a real run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Whose run it is.
    pub run: String,
    /// In English.
    pub en: FindingText,
    /// In Chinese.
    pub zh: FindingText,
}

impl Shown {
    /// In a language.
    pub fn get(&self, language: Language) -> &FindingText {
        match language {
            Language::English => &self.en,
            Language::Chinese => &self.zh,
        }
    }
}

/// The findings that the lab's recordings show.
pub fn from_tapes(root: &Path) -> Result<BTreeMap<FindingId, Shown>, BookError> {
    let folder = root.join("harness/lab/tests/findings");
    let mut names: Vec<PathBuf> = Vec::new();
    for entry in fs_err::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "json") {
            names.push(path);
        }
    }
    names.sort();
    let mut shown = BTreeMap::new();
    for path in names {
        let run = RecordedProgram::read_run(&path)
            .map_err(|error| BookError::format(&path, error.to_string()))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let given = recording::given(&name, &run);
        let seen: Vec<Seen<'_>> = run.iter().map(RecordedProgram::seen).collect();
        let found = findings_given(&seen, &given);
        for finding in &found {
            shown.entry(finding.id).or_insert_with(|| Shown {
                run: name.to_string(),
                en: texts_of(&seen, finding, Language::English),
                zh: texts_of(&seen, finding, Language::Chinese),
            });
        }
    }
    Ok(shown)
}

fn texts_of(seen: &[Seen<'_>], finding: &Finding, language: Language) -> FindingText {
    let look = Look {
        language,
        ..Look::default()
    };
    FindingText {
        title: finding.title(language),
        explanation: finding.explanation(language),
        picture: picture::text(seen, std::slice::from_ref(finding), &look),
    }
}

/// A finding that no recording shows: its texts with `…` for what differs from run to run, and for its evidence what the
/// checks said of the mistake that shows it.
pub fn from_mistake(
    root: &Path,
    id: FindingId,
    program: &str,
    verdict: &str,
) -> Result<Shown, BookError> {
    let path = root.join("harness/diagnosis/locales/en.ftl");
    let catalogue = fs_err::read_to_string(&path)?;
    let finding = serde_json::json!({
        "id": id,
        "severity": id.severity(),
        "place": 0,
        "program": program,
        "arguments": arguments(&catalogue, id, program),
        "evidence": [],
        "elsewhere": [],
        "chapter": id.chapter(),
    });
    let finding: Finding = serde_json::from_value(finding)
        .map_err(|error| BookError::format(path, format!("{id}: {error}")))?;
    let texts = |language| FindingText {
        title: finding.title(language),
        explanation: finding.explanation(language),
        picture: verdict.to_owned(),
    };
    Ok(Shown {
        run: program.to_owned(),
        en: texts(Language::English),
        zh: texts(Language::Chinese),
    })
}

/// The arguments that the texts of a finding take.
fn arguments(catalogue: &str, id: FindingId, program: &str) -> BTreeMap<String, String> {
    let begin = format!("{id} =");
    let own = catalogue
        .lines()
        .skip_while(|line| !line.starts_with(&begin))
        .enumerate()
        .take_while(|(at, line)| {
            *at == 0 || line.is_empty() || line.starts_with(' ') || line.starts_with('}')
        })
        .map(|(_, line)| line);
    let mut arguments = BTreeMap::new();
    for line in own {
        for part in line.split('$').skip(1) {
            let name: String = part
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_')
                .collect();
            let value = match name.as_str() {
                "program" => program,
                "count" | "all" | "interval" | "silent" => "2",
                _ => "…",
            };
            arguments.insert(name, value.to_owned());
        }
    }
    arguments
}
