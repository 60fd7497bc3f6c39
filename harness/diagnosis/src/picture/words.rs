//! A frame in AMQP's words: its name, the arguments that matter, and the beginning of its body.

use std::{collections::BTreeMap, fmt::Write as _};

use amqp_tap::{Content, Method};
use serde_json::Value;

use crate::{finding::anonymous, quote::visible};

/// How many characters of a body, a name or a text are shown.
const SHOWN: usize = 48;

/// Arguments that say nothing to a reader: generated, or the same for everyone.
const LEFT_OUT: &[&str] = &[
    "consumer-tag",
    "no-wait",
    "no-local",
    "immediate",
    "class-id",
    "method-id",
    "server-properties",
    "client-properties",
    "capabilities",
    "response",
    "locale",
    "locales",
    "virtual-host",
    "consumer-count",
];

/// The arguments of a method, those that are as usual left out.
pub(super) fn arguments(method: &Method) -> String {
    let mut said: Vec<String> = Vec::new();
    // Sorted: in which order a map of serde_json keeps them depends on whatever else is built with it.
    let mut arguments: BTreeMap<String, Value> = method.arguments().into_iter().collect();
    if let Some(exchange) = take(&mut arguments, "exchange") {
        said.push(match (exchange.as_str(), method.name()) {
            ("", "basic.publish") => "default exchange".to_owned(),
            (name, _) => name.to_owned(),
        });
    }
    // In the order in which a person would say them.
    for name in ["queue", "source", "destination"] {
        if let Some(value) = take(&mut arguments, name) {
            said.push(value);
        }
    }
    for (name, word) in [("routing-key", "key"), ("delivery-tag", "tag")] {
        if let Some(value) = arguments.remove(name) {
            said.push(format!("{word}={}", value_text(&value)));
        }
    }
    if let Some(code) = arguments.remove("reply-code") {
        let text = take(&mut arguments, "reply-text").unwrap_or_default();
        said.push(format!("{code} {}", anonymous(&text)).trim_end().to_owned());
    }
    said.extend(
        arguments
            .iter()
            .filter_map(|(name, value)| plain(name, value)),
    );
    said.retain(|word| !word.is_empty());
    visible(&said.join(" "))
}

fn take(arguments: &mut BTreeMap<String, Value>, name: &str) -> Option<String> {
    arguments.remove(name).map(|value| value_text(&value))
}

/// A further argument, unless it is as usual.
fn plain(name: &str, value: &Value) -> Option<String> {
    if LEFT_OUT.contains(&name) {
        return None;
    }
    match value {
        Value::Bool(false) | Value::Null => None,
        Value::Bool(true) => Some(name.to_owned()),
        Value::Object(table) => {
            let words = table
                .iter()
                .map(|(name, value)| format!("{name}={}", value_text(value)));
            let words: Vec<String> = words.collect();
            (!words.is_empty()).then(|| words.join(" "))
        }
        Value::String(text) if text.is_empty() => None,
        other => Some(format!("{name}={}", value_text(other))),
    }
}

fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => short(text),
        other => short(&other.to_string()),
    }
}

/// The beginning of a body, in quotation marks, or in hexadecimal where it is no text.
pub(super) fn body(content: &Content) -> String {
    let more = content.length > content.body.len() as u64;
    let text = match std::str::from_utf8(&content.body) {
        Ok(text) => Some(text),
        // The tape may have cut a character in two.
        Err(error) if more && error.valid_up_to() + 4 > content.body.len() => {
            std::str::from_utf8(&content.body[..error.valid_up_to()]).ok()
        }
        Err(_) => None,
    };
    let mut shown = match text {
        Some(text) => {
            let start: String = text.chars().take(SHOWN).collect();
            let cut = if more || start.len() < text.len() {
                "…"
            } else {
                ""
            };
            visible(&format!("{start:?}{cut}"))
        }
        None => {
            let bytes: Vec<String> = content
                .body
                .iter()
                .take(SHOWN / 4)
                .map(|byte| format!("{byte:02x}"))
                .collect();
            let cut = if content.length > bytes.len() as u64 {
                " …"
            } else {
                ""
            };
            format!("0x {}{cut}", bytes.join(" "))
        }
    };
    if content.length > SHOWN as u64 {
        let _ = write!(shown, " ({} bytes)", content.length);
    }
    if !content.complete {
        shown.push_str(" (cut short)");
    }
    shown
}

/// A text that is not too long.
fn short(text: &str) -> String {
    match text.char_indices().nth(SHOWN * 3) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
