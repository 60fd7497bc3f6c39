//! Translation with gettext: what is to be translated, the catalogue, and how fresh it is.
//!
//! The messages are those of mdbook-i18n-helpers: a paragraph, a heading, an item, a cell of a table, a comment in a
//! block of code. Code that is included is not translated. Two things of ours pass through as they are: the first line
//! of an admonition (`> [!NOTE]`), which that library does not know, and directives, which are comments of HTML.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::{Path, PathBuf},
};

use mdbook_driver::book::{Book, BookItem};
use mdbook_i18n_helpers::{
    extract_messages,
    gettext::{add_stripped_summary_translations, translate_book},
};
use polib::{
    catalog::Catalog,
    message::{Message, MessageMutView as _},
    metadata::CatalogMetadata,
    po_file,
};

use crate::{error::BookError, markup, tongue::Tongue};

/// A text that is to be translated, and where it is: `hello-world.md`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The text.
    pub message: String,
    /// The files that hold it, relative to the folder of the pages.
    pub files: Vec<String>,
}

/// How fresh the translation of one page is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Freshness {
    /// How many texts the page has.
    pub texts: usize,
    /// Those that have no translation, or one of an older text.
    pub stale: Vec<String>,
}

/// The catalogue of a language: `po/zh-CN.po`.
pub fn path(book: &Path, tongue: Tongue) -> PathBuf {
    book.join("po").join(format!("{}.po", tongue.tag))
}

/// Reads the catalogue of a language; an empty one where there is none yet.
pub fn read(book: &Path, tongue: Tongue) -> Result<Catalog, BookError> {
    let path = path(book, tongue);
    if !path.exists() {
        return Ok(Catalog::new(metadata(tongue)));
    }
    po_file::parse(&path).map_err(|error| BookError::format(path, error.to_string()))
}

/// Translates all pages, their names and the titles of the parts.
pub fn translate(catalog: &Catalog, book: &mut Book) -> Result<(), BookError> {
    let mut catalog = clone(catalog);
    add_stripped_summary_translations(&mut catalog);
    each_page(book, |content| *content = shield(content));
    translate_book(&catalog, book).map_err(|error| BookError::mdbook(&error))?;
    each_page(book, |content| *content = unshield(content));
    Ok(())
}

fn each_page(book: &mut Book, mut change: impl FnMut(&mut String)) {
    book.for_each_mut(|item| {
        if let BookItem::Chapter(chapter) = item {
            change(&mut chapter.content);
        }
    });
}

/// The texts of the pages in a folder, in the order of the summary.
pub fn sources(pages: &Path) -> Result<Vec<Source>, BookError> {
    let mut found: Vec<Source> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let summary = fs_err::read_to_string(pages.join("SUMMARY.md"))?;
    let mut files = vec!["SUMMARY.md".to_owned()];
    files.extend(linked(&summary));
    for file in files {
        let text = fs_err::read_to_string(pages.join(&file))?;
        for message in messages(&file, &text)? {
            let place = *places.entry(message.clone()).or_insert_with(|| {
                found.push(Source {
                    message,
                    files: Vec::new(),
                });
                found.len() - 1
            });
            if found[place].files.last() != Some(&file) {
                found[place].files.push(file.clone());
            }
        }
    }
    Ok(found)
}

/// The pages that a summary links to.
fn linked(summary: &str) -> Vec<String> {
    summary
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(link, _)| link.to_owned())
        .collect()
}

/// The texts of one page.
fn messages(file: &str, text: &str) -> Result<Vec<String>, BookError> {
    let found = extract_messages(&shield(text))
        .map_err(|error| BookError::page(file, error.to_string()))?;
    let messages = found.into_iter().map(|(_, found)| found.message);
    let messages: Vec<String> = match file {
        // An entry of the summary is a link; what is translated is its text.
        "SUMMARY.md" => messages
            .map(|message| match message.strip_prefix('[') {
                Some(rest) => rest.rsplit_once("](").map_or(rest, |it| it.0).to_owned(),
                None => message,
            })
            .collect(),
        _ => messages.collect(),
    };
    Ok(messages.into_iter().filter(|it| has_words(it)).collect())
}

/// Whether a text has anything to translate: an include has not, and neither has a number.
fn has_words(message: &str) -> bool {
    let mut rest = message.to_owned();
    while let Some((before, after)) = rest.split_once("{{#") {
        let after = after.split_once("}}").map_or("", |it| it.1);
        rest = format!("{before}{after}");
    }
    let fenced = rest.lines().filter(|line| !line.starts_with("```"));
    fenced.flat_map(str::chars).any(char::is_alphabetic)
}

/// How fresh each page is, by its file, in the order of the summary.
pub fn freshness(sources: &[Source], catalog: &Catalog) -> Vec<(String, Freshness)> {
    let mut pages: Vec<(String, Freshness)> = Vec::new();
    for source in sources {
        for file in &source.files {
            let place = pages
                .iter()
                .position(|it| it.0 == *file)
                .unwrap_or_else(|| {
                    pages.push((file.clone(), Freshness::default()));
                    pages.len() - 1
                });
            let page = &mut pages[place].1;
            page.texts += 1;
            if !is_fresh(catalog, &source.message) {
                page.stale.push(source.message.clone());
            }
        }
    }
    pages
}

fn is_fresh(catalog: &Catalog, message: &str) -> bool {
    catalog
        .find_message(None, message, None)
        .is_some_and(|found| found.is_translated() && !found.flags().is_fuzzy())
}

/// The catalogue for these sources: what is translated stays, what is new is empty, what is gone goes. A new text that
/// is like one that went takes its translation over, marked as fuzzy.
pub fn renew(tongue: Tongue, sources: &[Source], old: &Catalog) -> Catalog {
    let wanted: BTreeSet<&str> = sources.iter().map(|it| it.message.as_str()).collect();
    let gone: Vec<(&str, &str)> = old
        .messages()
        .filter(|it| it.is_translated() && !wanted.contains(it.msgid()))
        .filter_map(|it| Some((it.msgid(), it.msgstr().ok()?)))
        .collect();
    let mut renewed = Catalog::new(metadata(tongue));
    for source in sources {
        let mut message = Message::build_singular();
        message
            .with_msgid(source.message.clone())
            .with_source(source.files.join(" "));
        let mut fuzzy = false;
        match old.find_message(None, &source.message, None) {
            Some(known) => {
                message.with_msgstr(known.msgstr().unwrap_or_default().to_owned());
                fuzzy = known.flags().is_fuzzy();
            }
            None => {
                let like = gone
                    .iter()
                    .map(|(id, translated)| (likeness(id, &source.message), translated))
                    .filter(|(likeness, _)| *likeness >= 60)
                    .max_by_key(|(likeness, _)| *likeness);
                if let Some((_, translated)) = like {
                    message.with_msgstr((*translated).to_owned());
                    fuzzy = true;
                }
            }
        }
        let mut message = message.done();
        if fuzzy {
            message.flags_mut().add_flag("fuzzy");
        }
        renewed.append_or_update(message);
    }
    renewed
}

/// How many of a hundred words two texts share.
fn likeness(one: &str, other: &str) -> usize {
    let words = |text: &str| -> BTreeSet<String> {
        text.split_whitespace().map(str::to_lowercase).collect()
    };
    let (one, other) = (words(one), words(other));
    100 * one.intersection(&other).count() / one.union(&other).count().max(1)
}

/// Writes the catalogue of a language.
pub fn write(book: &Path, tongue: Tongue, catalog: &Catalog) -> Result<(), BookError> {
    let path = path(book, tongue);
    if let Some(folder) = path.parent() {
        fs_err::create_dir_all(folder)?;
    }
    Ok(po_file::write(catalog, &path)?)
}

fn metadata(tongue: Tongue) -> CatalogMetadata {
    let mut metadata = CatalogMetadata::new();
    "The RabbitMQ Workbook".clone_into(&mut metadata.project_id_version);
    tongue.tag.clone_into(&mut metadata.language);
    "1.0".clone_into(&mut metadata.mime_version);
    "text/plain; charset=UTF-8".clone_into(&mut metadata.content_type);
    "8bit".clone_into(&mut metadata.content_transfer_encoding);
    metadata
}

fn clone(catalog: &Catalog) -> Catalog {
    let mut copy = Catalog::new(CatalogMetadata::new());
    for message in catalog.messages() {
        let mut built = Message::build_singular();
        built
            .with_msgid(message.msgid().to_owned())
            .with_msgstr(message.msgstr().unwrap_or_default().to_owned())
            .with_flags(message.flags().clone())
            .with_source(message.source().to_owned());
        copy.append_or_update(built.done());
    }
    copy
}

/// Hides the first lines of admonitions from the library, as comments of HTML, and shows it the text of summaries, which
/// would be HTML.
fn shield(markdown: &str) -> String {
    line_by_line(markdown, |line| {
        if let Some((quote, rest)) = line.split_once("> [!") {
            let kind = rest.strip_suffix(']')?;
            return Some(format!("{quote}> <!-- admonition {kind} -->"));
        }
        let summary = line.strip_prefix("<summary>")?.strip_suffix("</summary>")?;
        Some(format!(
            "<!-- summary -->\n\n{summary}\n\n<!-- /summary -->"
        ))
    })
}

fn unshield(markdown: &str) -> String {
    let mut shown: Vec<String> = Vec::new();
    let mut markdown = markdown.lines().peekable();
    while let Some(line) = markdown.next() {
        let kind = line
            .split_once("> <!-- admonition ")
            .and_then(|(quote, rest)| Some((quote, rest.trim_end().strip_suffix(" -->")?)));
        let Some((quote, kind)) = kind else {
            shown.push(line.to_owned());
            continue;
        };
        // The library sets empty lines around a comment; an admonition has to be the first line of its quotation.
        let is_empty = |line: &str| line.trim() == ">";
        if shown.last().is_some_and(|it| is_empty(it)) {
            shown.pop();
        }
        shown.push(format!("{quote}> [!{kind}]"));
        while markdown.next_if(|it| is_empty(it)).is_some() {}
    }
    shown.push(String::new());
    let lines = shown.join("\n");
    let mut whole = String::with_capacity(lines.len());
    let mut rest = lines.as_str();
    while let Some((before, after)) = rest.split_once("<!-- summary -->") {
        let (summary, after) = after.split_once("<!-- /summary -->").unwrap_or((after, ""));
        whole.push_str(before);
        let summary = markup::inline(summary.trim());
        let _ = write!(whole, "<summary>{summary}</summary>");
        rest = after;
    }
    whole.push_str(rest);
    starred(&whole)
}

/// Emphasis with stars. The library writes it with underscores, which mean nothing between letters, and a Chinese
/// sentence has no spaces.
fn starred(markdown: &str) -> String {
    let mut fenced = false;
    line_by_line(markdown, |line| {
        let fence = line.trim_start_matches([' ', '>']).starts_with("```");
        fenced ^= fence;
        (!fenced && !fence).then(|| starred_line(line))
    })
}

fn starred_line(line: &str) -> String {
    let mut whole = String::with_capacity(line.len());
    for (number, part) in line.split('`').enumerate() {
        if number > 0 {
            whole.push('`');
        }
        // Every other part is code.
        if number % 2 == 1 {
            whole.push_str(part);
            continue;
        }
        let letters: Vec<char> = part.chars().collect();
        let is_letter = |at: Option<&char>| at.is_some_and(char::is_ascii_alphanumeric);
        let mut open = false;
        for (at, letter) in letters.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|at| letters.get(at));
            let after = letters.get(at + 1);
            let is_mark = *letter == '_'
                && before != Some(&'\\')
                && if open {
                    !is_letter(after)
                } else {
                    !is_letter(before)
                };
            open ^= is_mark;
            whole.push(if is_mark { '*' } else { *letter });
        }
    }
    whole
}

fn line_by_line(text: &str, mut change: impl FnMut(&str) -> Option<String>) -> String {
    let mut whole = String::with_capacity(text.len());
    for line in text.lines() {
        whole.push_str(&change(line).unwrap_or_else(|| line.to_owned()));
        whole.push('\n');
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# Title {#title}\n\nA *word*.\n\n> [!NOTE]\n> **Note.** Text.\n>\n> ```bash\n> # Say it\n> echo a\n> ```\n\n```rust\n{{#include a.rs:b}}\n```\n\n<!-- workbook:card a -->\n\n<details>\n<summary>An `answer`</summary>\n\nYes.\n\n</details>\n";

    #[test]
    fn words_are_found_and_structure_is_not() {
        let found = messages("a.md", PAGE).unwrap();
        assert_eq!(
            found,
            [
                "Title",
                "A _word_.",
                "**Note.** Text.",
                "# Say it\n",
                "An `answer`",
                "Yes."
            ]
        );
    }

    #[test]
    fn emphasis_needs_no_spaces() {
        let page =
            "叫做_发布者确认_，_一_二`a_b _c_`，\\_x\\_ snake_case_name\n\n```text\n_a_\n```\n";
        let expected =
            "叫做*发布者确认*，*一*二`a_b _c_`，\\_x\\_ snake_case_name\n\n```text\n_a_\n```\n";
        assert_eq!(starred(page), expected);
    }

    #[test]
    fn a_translated_page_keeps_its_structure() {
        let mut catalog = Catalog::new(CatalogMetadata::new());
        for (id, translated) in [
            ("Title", "标题"),
            ("**Note.** Text.", "**注。** 文。"),
            ("# Say it\n", "# 说\n"),
        ] {
            let mut message = Message::build_singular();
            message
                .with_msgid(id.to_owned())
                .with_msgstr(translated.to_owned());
            catalog.append_or_update(message.done());
        }
        let mut book = Book::new();
        let chapter = mdbook_driver::book::Chapter::new("A", PAGE.to_owned(), "a.md", Vec::new());
        book.push_item(chapter);
        translate(&catalog, &mut book).unwrap();
        let BookItem::Chapter(chapter) = &book.items[0] else {
            panic!("a chapter");
        };
        let expected = "# 标题 { #title }\n\nA *word*.\n\n > [!NOTE]\n > **注。** 文。\n > \n > ```bash\n > # 说\n > echo a\n > ```\n\n```rust\n{{#include a.rs:b}}\n```\n\n<!-- workbook:card a -->\n\n<details>\n<summary>An <code>answer</code></summary>\n\nYes.\n\n</details>\n";
        assert_eq!(chapter.content, expected);
    }

    #[test]
    fn a_changed_text_is_stale_until_somebody_has_read_it() {
        let old = vec![Source {
            message: "One two three four five".to_owned(),
            files: vec!["a.md".to_owned()],
        }];
        let mut catalog = renew(
            crate::tongue::CHINESE,
            &old,
            &Catalog::new(CatalogMetadata::new()),
        );
        for mut message in catalog.messages_mut() {
            message.set_msgstr("一二三四五".to_owned()).unwrap();
        }
        assert_eq!(freshness(&old, &catalog)[0].1.stale.len(), 0);
        let new = vec![Source {
            message: "One two three four six".to_owned(),
            files: vec!["a.md".to_owned()],
        }];
        assert_eq!(
            freshness(&new, &catalog)[0].1.stale,
            ["One two three four six"]
        );
        let renewed = renew(crate::tongue::CHINESE, &new, &catalog);
        assert_eq!(
            renewed
                .find_message(None, "One two three four six", None)
                .unwrap()
                .msgstr()
                .unwrap(),
            "一二三四五"
        );
        assert_eq!(freshness(&new, &renewed)[0].1.stale.len(), 1);
    }
}
