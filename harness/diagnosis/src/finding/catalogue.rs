//! Titles and explanations, from the message catalogues `locales/en.ftl` and `locales/zh.ftl`.

use std::sync::LazyLock;

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use workbook_course::Language;

use super::Finding;

const ENGLISH: &str = include_str!("../../locales/en.ftl");
const CHINESE: &str = include_str!("../../locales/zh.ftl");

/// The arguments that count something: their texts may depend on the number.
const NUMBERS: &[&str] = &["count", "all", "interval", "silent"];

type Bundle = FluentBundle<FluentResource>;

static IN_ENGLISH: LazyLock<Bundle> = LazyLock::new(|| load(Language::English).0);
static IN_CHINESE: LazyLock<Bundle> = LazyLock::new(|| load(Language::Chinese).0);

/// The finding's title; its name where the catalogue has none.
pub(super) fn title(finding: &Finding, language: Language) -> String {
    format(finding, language, None, &mut Vec::new())
        .unwrap_or_else(|| finding.id.as_str().to_owned())
}

/// The finding's explanation; its title where the catalogue has none.
pub(super) fn explanation(finding: &Finding, language: Language) -> String {
    format(finding, language, Some("explanation"), &mut Vec::new())
        .unwrap_or_else(|| title(finding, language))
}

/// A text of the catalogue, in one line. What is missing in it is noted in `errors`.
fn format(
    finding: &Finding,
    language: Language,
    attribute: Option<&str>,
    errors: &mut Vec<String>,
) -> Option<String> {
    let bundle = match language {
        Language::English => &IN_ENGLISH,
        Language::Chinese => &IN_CHINESE,
    };
    let message = bundle.get_message(finding.id.as_str())?;
    let pattern = match attribute {
        None => message.value()?,
        Some(name) => message.get_attribute(name)?.value(),
    };
    let mut arguments = FluentArgs::new();
    for (name, value) in &finding.arguments {
        let number = value.parse::<f64>().ok();
        match number.filter(|_| NUMBERS.contains(&name.as_str())) {
            Some(number) => arguments.set(name.as_str(), number),
            None => arguments.set(name.as_str(), FluentValue::from(value.as_str())),
        }
    }
    let mut wrong = Vec::new();
    let text = bundle.format_pattern(pattern, Some(&arguments), &mut wrong);
    errors.extend(wrong.iter().map(ToString::to_string));
    Some(joined(&text, language))
}

/// The lines of a text as one. Chinese needs a space where they meet only beside a word in Latin letters.
fn joined(text: &str, language: Language) -> String {
    let mut whole = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let meet = whole.chars().next_back().zip(line.chars().next());
        let space = meet.is_some_and(|(before, after)| match language {
            Language::English => true,
            Language::Chinese => {
                let wide = |c: char| "，。；：、（）“”".contains(c);
                (before.is_ascii() || after.is_ascii()) && !wide(before) && !wide(after)
            }
        });
        if space {
            whole.push(' ');
        }
        whole.push_str(line);
    }
    whole
}

/// The catalogue of a language, and what is wrong with it.
fn load(language: Language) -> (Bundle, Vec<String>) {
    let source = match language {
        Language::English => ENGLISH,
        Language::Chinese => CHINESE,
    };
    let mut wrong = Vec::new();
    let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(rest, errors)| {
        wrong.extend(errors.iter().map(ToString::to_string));
        rest
    });
    let mut bundle = FluentBundle::new_concurrent(vec![language.tag().parse().unwrap_or_default()]);
    // The marks that isolate directions would show in a terminal.
    bundle.set_use_isolating(false);
    if let Err(errors) = bundle.add_resource(resource) {
        wrong.extend(errors.iter().map(ToString::to_string));
    }
    (bundle, wrong)
}

/// What the catalogues miss to tell of a finding.
#[cfg(test)]
pub(super) fn complaints(finding: &Finding) -> Vec<String> {
    let mut errors = Vec::new();
    for language in [Language::English, Language::Chinese] {
        for attribute in [None, Some("explanation")] {
            if format(finding, language, attribute, &mut errors).is_none() {
                errors.push(format!("{language:?}: no {attribute:?} of {}", finding.id));
            }
        }
    }
    errors
}

#[cfg(test)]
mod tests {
    use std::{
        borrow::Cow,
        collections::{BTreeMap, BTreeSet},
    };

    use super::*;
    use crate::finding::FindingId;

    const BOTH: [Language; 2] = [Language::English, Language::Chinese];

    /// The arguments that a message of a catalogue uses.
    fn used(source: &str, id: &str) -> BTreeSet<String> {
        let start = source
            .find(&format!("\n{id} = "))
            .expect("there is a message");
        let message = &source[start + 1..];
        let end = message.find("\n\n").unwrap_or(message.len());
        message[..end]
            .split('$')
            .skip(1)
            .map(|rest| {
                rest.split(|c: char| !c.is_alphanumeric())
                    .next()
                    .unwrap_or("")
            })
            .map(str::to_owned)
            .collect()
    }

    fn finding(id: FindingId, value: &str) -> Finding {
        let arguments = used(ENGLISH, id.as_str());
        Finding {
            id,
            severity: id.severity(),
            program: "send".to_owned(),
            place: 0,
            evidence: Vec::new(),
            elsewhere: Vec::new(),
            arguments: arguments
                .into_iter()
                .map(|name| (name, value.to_owned()))
                .collect::<BTreeMap<_, _>>(),
            chapter: Cow::Borrowed(id.chapter()),
        }
    }

    #[test]
    fn the_catalogues_are_well_formed() {
        for language in BOTH {
            assert_eq!(load(language).1, Vec::<String>::new());
        }
    }

    #[test]
    fn both_languages_say_everything_with_the_same_arguments() {
        for id in FindingId::ALL {
            let (english, chinese) = (used(ENGLISH, id.as_str()), used(CHINESE, id.as_str()));
            assert_eq!(english, chinese, "{id}");
        }
        for source in [ENGLISH, CHINESE] {
            let messages = source
                .lines()
                .filter(|line| line.contains(" = ") && !line.starts_with([' ', '#']));
            assert_eq!(messages.count(), FindingId::ALL.len());
        }
    }

    #[test]
    fn no_text_misses_anything() {
        for id in FindingId::ALL {
            for value in [
                "none", "0", "1", "2", "yes", "no", "login", "consumer", "exchange",
            ] {
                for language in BOTH {
                    let finding = finding(*id, value);
                    let mut errors = Vec::new();
                    let title = format(&finding, language, None, &mut errors);
                    let text = format(&finding, language, Some("explanation"), &mut errors);
                    assert_eq!(errors, Vec::<String>::new(), "{id}");
                    assert!(title.is_some_and(|title| !title.is_empty()), "{id}");
                    let text = text.expect("there is an explanation");
                    assert!(!text.contains("  ") && !text.contains("{ "), "{id}: {text}");
                    assert!(text.len() > 60, "{id}: {text}");
                }
            }
        }
    }

    #[test]
    fn every_page_and_anchor_is_there() {
        let book = concat!(env!("CARGO_MANIFEST_DIR"), "/../../book/src/");
        let chapters = fs_err::read_dir(book).expect("the book");
        let slugs = chapters.map(|entry| entry.expect("a page").path());
        let slugs: Vec<String> = slugs
            .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
            .collect();
        for id in FindingId::ALL {
            for section in slugs.iter().map(|slug| id.chapter_in(slug)) {
                let (page, anchor) = section.split_once('#').expect("page and anchor");
                let page = page.replace(".html", ".md");
                let text = fs_err::read_to_string(format!("{book}{page}"));
                let text = text.expect("there is a page");
                assert!(text.contains(&format!("{{#{anchor}}}")), "{id}: {anchor}");
            }
        }
    }

    #[test]
    fn the_page_that_somebody_works_on_comes_before_those_of_other_chapters() {
        let id = FindingId::UnackedDeliveries;
        assert_eq!(
            id.chapter_in("hello-world"),
            "hello-world.html#never-acknowledges"
        );
        for other in ["work-queues", "rpc"] {
            assert_eq!(id.chapter_in(other), "work-queues.html#forgets-to-ack");
        }
    }
}
