//! Search that finds Chinese words.
//!
//! mdBook takes what stands between two spaces for a word, and both its ends drop what is not a letter of English. So
//! the index is made anew, from the same documents: runs of Chinese characters are indexed as pairs, and the script
//! `book/theme/workbook.js` takes a query apart in the same way.

use std::path::{Path, PathBuf};

use elasticlunr::{Index, IndexBuilder, Language, Pipeline, lang::English};
use serde_json::Value;

use crate::{error::BookError, tongue::Tongue};

/// The fields of a document, in the order of the index.
const FIELDS: [&str; 3] = ["title", "body", "breadcrumbs"];
/// What the search page does to a word of the query after it was taken apart; both are no-ops for Chinese.
const PIPELINE: [&str; 2] = ["stopWordFilter", "stemmer"];
/// Longer words are ballast: generated names and addresses.
const LONGEST: usize = 80;

/// The words of a text, as they are indexed and looked up.
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut latin = String::new();
    let mut chinese: Vec<char> = Vec::new();
    for c in text.chars().chain(std::iter::once(' ')) {
        if is_chinese(c) {
            flush(&mut latin, &mut words);
            chinese.push(c);
            continue;
        }
        match chinese.as_slice() {
            [] => {}
            [single] => words.push(single.to_string()),
            run => words.extend(run.windows(2).map(String::from_iter)),
        }
        chinese.clear();
        if c.is_whitespace() || c == '-' || is_wide_mark(c) {
            flush(&mut latin, &mut words);
        } else {
            latin.extend(c.to_lowercase());
        }
    }
    words
}

fn flush(latin: &mut String, words: &mut Vec<String>) {
    // What elasticlunr's trimmer takes off, which is not in our pipeline.
    let word = latin.trim_matches(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    if !word.is_empty() && word.len() <= LONGEST {
        words.push(word.to_owned());
    }
    latin.clear();
}

/// Unified ideographs, the same range as in the script.
fn is_chinese(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}')
}

/// Chinese punctuation and full-width forms.
fn is_wide_mark(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{303f}' | '\u{ff00}'..='\u{ffef}' | '\u{2014}' | '\u{2026}' | '\u{201c}'..='\u{201d}')
}

/// Makes the index of a built book anew.
pub(crate) fn reindex(out: &Path, tongue: Tongue) -> Result<(), BookError> {
    let path = index_file(out)?;
    let script = fs_err::read_to_string(&path)?;
    let wrong = |what: &str| BookError::format(&path, what);
    let json = script
        .split_once("JSON.parse('")
        .and_then(|(_, rest)| rest.rsplit_once("')"))
        .map(|(json, _)| json.replace("\\'", "'").replace("\\\\", "\\"))
        .ok_or_else(|| wrong("it is not the index that mdBook 0.5 writes"))?;
    let mut whole: Value =
        serde_json::from_str(&json).map_err(|error| wrong(&error.to_string()))?;
    let documents = whole["index"]["documentStore"]["docs"]
        .as_object()
        .ok_or_else(|| wrong("it holds no documents"))?;
    let mut ordered: Vec<(usize, [String; 3])> = documents
        .iter()
        .filter_map(|(id, document)| {
            let field = |name: &str| document[name].as_str().unwrap_or_default().to_owned();
            Some((id.parse().ok()?, FIELDS.map(field)))
        })
        .collect();
    ordered.sort_by_key(|it| it.0);
    let mut index = empty();
    for (id, fields) in &ordered {
        let fields = fields.clone().map(|text| spaced(&text, tongue));
        index.add_doc(&id.to_string(), &fields);
    }
    whole["index"] = serde_json::to_value(&index).map_err(|error| wrong(&error.to_string()))?;
    // A teaser is so many words; a Chinese one is a clause.
    whole["results_options"]["teaser_word_count"] =
        tongue.pick("30", "12").parse::<u32>().unwrap_or(30).into();
    let json = whole.to_string().replace('\\', "\\\\").replace('\'', "\\'");
    fs_err::write(
        &path,
        format!("window.search = Object.assign(window.search, JSON.parse('{json}'));"),
    )?;
    Ok(())
}

fn empty() -> Index {
    let mut builder = IndexBuilder::with_language(Box::new(Both(English::new())));
    for field in FIELDS {
        builder = builder.add_field(field);
    }
    builder.build()
}

/// English words and pairs of Chinese characters.
#[derive(Clone)]
struct Both(English);

impl Language for Both {
    fn name(&self) -> String {
        self.0.name()
    }

    fn code(&self) -> String {
        self.0.code()
    }

    fn tokenize(&self, text: &str) -> Vec<String> {
        words(text)
    }

    fn make_pipeline(&self) -> Pipeline {
        let mut pipeline = self.0.make_pipeline();
        pipeline
            .queue
            .retain(|step| PIPELINE.contains(&step.name().as_str()));
        pipeline
    }
}

/// A space after each clause, so that a teaser can be cut there.
fn spaced(text: &str, tongue: Tongue) -> String {
    match tongue.folder {
        "" => text.to_owned(),
        _ => text
            .chars()
            .flat_map(|c| {
                let after = "，。；：！？、".contains(c).then_some(' ');
                std::iter::once(c).chain(after)
            })
            .collect(),
    }
}

/// The file of the index, whose name carries a hash.
fn index_file(out: &Path) -> Result<PathBuf, BookError> {
    for entry in fs_err::read_dir(out)? {
        let path = entry?.path();
        let name = path.file_stem().and_then(|name| name.to_str());
        let is_script = path.extension().is_some_and(|ending| ending == "js");
        if is_script && name.is_some_and(|name| name.starts_with("searchindex")) {
            return Ok(path);
        }
    }
    Err(BookError::format(out, "mdBook wrote no search index"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_is_taken_apart_in_pairs() {
        assert_eq!(words("死信交换机"), ["死信", "信交", "交换", "换机"]);
        assert_eq!(
            words("把 `basic.publish` 发到队列"),
            ["把", "basic.publish", "发到", "到队", "队列"]
        );
        assert_eq!(words("（Queue）"), ["queue"]);
    }
}
