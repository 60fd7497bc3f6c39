//! What checks and errors say, in Chinese.
//!
//! Checks are written in English, sentence by sentence, where they are needed. So is their translation found: by the
//! English sentence, with `{}` for what changes in it. `locales/sentences.zh` holds a pair of lines for each: the
//! English pattern, and the Chinese one, in which `{1}` stands for the first of these parts. A part may be a sentence
//! of the catalogue itself. What the catalogue does not know stays as it is; a test holds that it knows all that the
//! checks say of the kept mistakes.

use std::sync::LazyLock;

use workbook_course::Language;

use crate::failure::Failure;

const CHINESE: &str = include_str!("../locales/sentences.zh");

static CATALOGUE: LazyLock<Vec<Sentence>> = LazyLock::new(|| read(CHINESE));

/// A sentence in both languages.
struct Sentence {
    /// What is between the parts that change: one piece more than there are parts.
    english: Vec<&'static str>,
    chinese: &'static str,
}

fn read(text: &'static str) -> Vec<Sentence> {
    let mut lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut all = Vec::new();
    while let (Some(english), Some(chinese)) = (lines.next(), lines.next()) {
        let english = english.split("{}").collect();
        all.push(Sentence { english, chinese });
    }
    // Of two that fit, the one that says more is meant.
    all.sort_by_key(|it| {
        let said: usize = it.english.iter().map(|piece| piece.len()).sum();
        std::cmp::Reverse(said)
    });
    all
}

impl Sentence {
    /// The parts of a text that change, where it is this sentence.
    fn parts<'a>(&self, text: &'a str) -> Option<Vec<&'a str>> {
        let (first, rest) = self.english.split_first()?;
        let mut left = text.strip_prefix(first)?;
        let Some((last, middle)) = rest.split_last() else {
            return left.is_empty().then(Vec::new);
        };
        let mut parts = Vec::new();
        for piece in middle {
            let (part, after) = left.split_once(piece)?;
            parts.push(part);
            left = after;
        }
        parts.push(left.strip_suffix(last)?);
        Some(parts)
    }
}

/// A text of checks or errors in a language, line by line.
pub fn in_language(text: &str, language: Language) -> String {
    match language {
        Language::English => text.to_owned(),
        Language::Chinese => {
            let lines = text.lines().map(|line| {
                let indent = line.len() - line.trim_start().len();
                let (indent, line) = line.split_at(indent);
                format!(
                    "{indent}{}",
                    chinese(line).unwrap_or_else(|| line.to_owned())
                )
            });
            lines.collect::<Vec<_>>().join("\n")
        }
    }
}

/// A line in Chinese; `None`: the catalogue does not know it.
fn chinese(line: &str) -> Option<String> {
    CATALOGUE.iter().find_map(|sentence| {
        let parts = sentence.parts(line)?;
        let mut text = String::new();
        // A part may hold anything, so what was filled in is not looked at again.
        for piece in sentence.chinese.split('{') {
            let filled = piece.split_once('}').and_then(|(number, after)| {
                let part = parts.get(number.parse::<usize>().ok()?.checked_sub(1)?)?;
                let part = chinese(part).unwrap_or_else(|| (*part).to_owned());
                Some(part + after)
            });
            text += filled.as_deref().unwrap_or(piece);
        }
        Some(text)
    })
}

/// A case in a language. The names of its parts are in the catalogue as `case: tasks`, so that they stand for no line of
/// a program.
pub fn case_in(case: &str, language: Language) -> String {
    let named = |word: &str| chinese(&format!("case: {word}"));
    let told = |words: &str| named(words).unwrap_or_else(|| in_language(words, language));
    if language == Language::English {
        return case.to_owned();
    }
    let parts = case.split("; ").map(|part| match part.split_once(": ") {
        Some((name, words)) => match named(name) {
            Some(name) => format!("{name}：{}", told(words)),
            None => format!("{name}: {}", told(words)),
        },
        None => told(part),
    });
    parts.collect::<Vec<_>>().join("；")
}

/// What a check says, in a language.
pub fn failure_in(mut failure: Failure, language: Language) -> Failure {
    let Failure {
        expected,
        observed,
        advice,
        ..
    } = &mut failure;
    for text in [expected, observed].into_iter().chain(advice) {
        *text = in_language(text, language);
    }
    failure
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_catalogue_is_well_formed() {
        let lines = CHINESE
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        assert_eq!(lines.count(), 2 * CATALOGUE.len());
        let mut known = BTreeSet::new();
        for Sentence { english, chinese } in CATALOGUE.iter() {
            let pattern = english.join("{}");
            assert!(known.insert(pattern.clone()), "twice: {pattern}");
            for number in 1..english.len() {
                assert!(
                    chinese.contains(&format!("{{{number}}}")),
                    "{pattern}: {{{number}}}"
                );
            }
            assert_eq!(chinese.matches('{').count(), english.len() - 1, "{pattern}");
        }
    }

    #[test]
    fn what_changes_in_a_sentence_is_taken_over_and_may_be_one_itself() {
        let said = |text| in_language(text, Language::Chinese);
        assert_eq!(
            said("it exited with code 3 before that"),
            "在此之前它以退出码 3 结束了"
        );
        assert_eq!(said("nobody ever said this"), "nobody ever said this");
        assert_eq!(in_language("it is empty", Language::English), "it is empty");
    }

    #[test]
    fn a_case_is_told_by_its_parts() {
        let case = r#"tasks: "one..", "done"; count: 2; free: none"#;
        assert_eq!(case_in(case, Language::English), case);
        assert_eq!(
            case_in(case, Language::Chinese),
            r#"任务："one..", "done"；数量：2；空闲的工作者：无"#
        );
    }

    /// The sentences of the kept mistakes' snapshots that the catalogue does not know.
    #[test]
    fn the_catalogue_knows_all_that_checks_say_of_the_kept_mistakes() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../solutions");
        let mut said = BTreeSet::new();
        for chapter in fs_err::read_dir(root).expect("the solutions") {
            let folder = chapter.expect("a chapter").path();
            // Beside the chapters lies a file that they share.
            if !folder.is_dir() {
                continue;
            }
            let folder = folder.join("mistakes/snapshots");
            for snapshot in fs_err::read_dir(folder).expect("the snapshots") {
                let text = fs_err::read_to_string(snapshot.expect("a snapshot").path());
                let text = text.expect("text");
                let mut in_observed = false;
                for line in text.lines() {
                    let names = ["  expected  ", "  observed  ", "  try       "];
                    let more = line.strip_prefix("            ").filter(|_| in_observed);
                    let sentence = names
                        .iter()
                        .find_map(|name| line.strip_prefix(name))
                        .or(more);
                    in_observed = line.starts_with("  observed  ") || more.is_some();
                    said.extend(sentence.map(str::to_owned));
                }
            }
        }
        assert!(said.len() > 300, "{}", said.len());
        let unknown: Vec<&String> = said.iter().filter(|it| chinese(it).is_none()).collect();
        assert!(unknown.is_empty(), "{unknown:#?}");
    }
}
