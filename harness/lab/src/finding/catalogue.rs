//! Titles and explanations, from the message catalogues `locales/en.ftl` and `locales/zh.ftl`.

use std::sync::LazyLock;

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};

use super::Finding;
use crate::course::Language;

const ENGLISH: &str = include_str!("../../locales/en.ftl");
const CHINESE: &str = include_str!("../../locales/zh.ftl");

/// The arguments that count something: their texts may depend on the number.
const NUMBERS: &[&str] = &["count", "all"];

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
    // Chinese needs no space where a line of the catalogue ends.
    let glue = match language {
        Language::English => " ",
        Language::Chinese => "",
    };
    Some(text.lines().map(str::trim).collect::<Vec<_>>().join(glue))
}

/// The catalogue of a language, and what is wrong with it.
fn load(language: Language) -> (Bundle, Vec<String>) {
    let (source, tag) = match language {
        Language::English => (ENGLISH, "en"),
        Language::Chinese => (CHINESE, "zh"),
    };
    let mut wrong = Vec::new();
    let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(rest, errors)| {
        wrong.extend(errors.iter().map(ToString::to_string));
        rest
    });
    let mut bundle = FluentBundle::new_concurrent(vec![tag.parse().unwrap_or_default()]);
    // The marks that isolate directions would show in a terminal.
    bundle.set_use_isolating(false);
    if let Err(errors) = bundle.add_resource(resource) {
        wrong.extend(errors.iter().map(ToString::to_string));
    }
    (bundle, wrong)
}
