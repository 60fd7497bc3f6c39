//! What the pages say: the original of chapter 1 is kept whole, and each thing has one word.

#![expect(clippy::unwrap_used, reason = "a test that panics fails")]

use std::path::{Path, PathBuf};

use workbook_book::{Build, glossary, original, report::Report, tongue::CHINESE, translate};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// Text without what is not text: white space, and marks of Markdown.
fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace() && !"*#>`_".contains(*c))
        .collect()
}

fn built() -> (tempfile::TempDir, Build) {
    let folder = tempfile::tempdir().unwrap();
    let build = Build {
        out: folder.path().join("book"),
        ..Build::of(&root())
    };
    build.run().unwrap();
    (folder, build)
}

/// The text of a page.
fn text_of(page: &Path) -> String {
    let html = scraper::Html::parse_document(&fs_err::read_to_string(page).unwrap());
    let main = scraper::Selector::parse("main").unwrap();
    html.select(&main).flat_map(|main| main.text()).collect()
}

#[test]
fn the_original_is_kept_whole_in_both_languages() {
    let (_folder, build) = built();
    for page in ["zh-CN/hello-world.html", "hello-world.html"] {
        let text = plain(&text_of(&build.out.join(page)));
        for section in original::sections(&root()).unwrap() {
            for line in section.lines().filter_map(original::shown) {
                let line = plain(&line);
                let line = line
                    .strip_prefix("python")
                    .or(line.strip_prefix("bash"))
                    .unwrap_or(&line);
                // A paragraph of the original may be cut in two, at the end of a sentence.
                let whole = text.contains(line)
                    || line.split_inclusive('。').all(|part| text.contains(part));
                assert!(whole, "{page} lacks a line of the original: {line}");
            }
        }
    }
}

#[test]
fn nothing_is_stale_or_broken() {
    let folder = tempfile::tempdir().unwrap();
    let build = Build {
        out: folder.path().join("book"),
        ..Build::of(&root())
    };
    let report = Report::of(&build).unwrap();
    assert!(report.is_clean(), "{}", report.lines().join("\n"));
}

/// A text without its code, and without what it quotes, which may be the words of a page of RabbitMQ's.
fn prose(text: &str) -> String {
    if text.starts_with("```") {
        return String::new();
    }
    let outside = |text: &str, mark: char| -> String { text.split(mark).step_by(2).collect() };
    outside(&outside(text, '`'), '"')
}

/// Whether a word of English is in a text, alone or as a plural.
fn says(text: &str, word: &str) -> bool {
    let text = prose(text).to_lowercase();
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let rest = &text[at + word.len()..];
        let rest = rest.strip_prefix('s').unwrap_or(rest);
        let outside = |c: char| !(c.is_ascii_alphanumeric() || "_-./`=#".contains(c));
        before.is_none_or(outside) && rest.chars().next().is_none_or(|c| outside(c) || c == '.')
    })
}

#[test]
fn each_thing_has_one_word() {
    let terms = glossary::terms(&root()).unwrap().term;
    let catalog = translate::read(&root().join("book"), CHINESE).unwrap();
    let original = plain(&original::sections(&root()).unwrap().concat());
    let mut wrong = Vec::new();
    for message in catalog.messages().filter(|it| it.is_translated()) {
        let (english, chinese) = (message.msgid(), message.msgstr().unwrap());
        // The original has its own words.
        if original.contains(&plain(chinese)) {
            continue;
        }
        for term in &terms {
            for not in term.not.iter().filter(|not| chinese.contains(not.as_str())) {
                wrong.push(format!("{not}, where {} is meant: {chinese}", term.zh));
            }
            if !term.loose && says(english, &term.en) && !chinese.contains(&term.zh) {
                wrong.push(format!(
                    "{} without {}: {english} / {chinese}",
                    term.en, term.zh
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
