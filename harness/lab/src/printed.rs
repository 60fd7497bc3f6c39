//! Printed lines: does the output of a program carry these bodies, a line each, in order?
//!
//! A line is compared by what it carries, not by its decoration. Stripped are
//! white space, `[x]`, words such as `Received message:`, and one pair of quotes
//! (also `b'…'`); what is left must equal the body exactly. A body with line
//! breaks may be printed raw, over several lines, or escaped as Rust's `{:?}`,
//! Python's `repr` or JSON do it, but a program keeps one style for its whole
//! output. Other lines ("Waiting for messages") are passed over, unless they
//! look like a message.
//!
//! Where a chapter routes by keys, the key may stand before the body, with a colon
//! between them: `info:BODY`, `info: 'BODY'`, `'info':'BODY'`.

#[cfg(test)]
mod tests;
mod words;

pub(crate) use words::{Said, said};

use crate::{finding::spoken, model::Message};

/// How a program writes bodies into lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    /// The text as it is, line breaks included.
    Raw,
    /// One line, with escapes such as `\n`, `\"`, `\x0a`, `\u{1f600}`.
    Escaped,
}

/// How far an output carries the expected bodies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carried {
    /// All of them, in order, and no line that looks like another message.
    All,
    /// This many of them; more output may bring the rest.
    SoFar(usize),
    /// A line that looks like a message is not the expected one.
    Wrong {
        /// The index of the body that was expected here.
        index: usize,
        /// The line that stands there instead.
        line: String,
    },
}

/// What a line may carry.
#[derive(Clone, Copy, Debug)]
struct Expected<'a> {
    /// The routing key that may stand before the body.
    key: Option<&'a str>,
    body: &'a str,
}

/// Compares an output with the bodies that it should carry.
///
/// `ended` tells that no more output will come, so that a last line without a
/// line break counts too.
pub fn carried(output: &str, bodies: &[String], ended: bool) -> Carried {
    let expected: Vec<_> = bodies
        .iter()
        .map(|body| Expected { key: None, body })
        .collect();
    carried_of(output, &expected, ended)
}

/// Compares an output with the messages that it should carry: the body of each, with or without its routing key.
pub fn messages_carried(output: &str, messages: &[Message], ended: bool) -> Carried {
    let expected: Vec<_> = messages
        .iter()
        .map(|message| Expected {
            key: Some(&message.key),
            body: &message.body,
        })
        .collect();
    carried_of(output, &expected, ended)
}

fn carried_of(output: &str, expected: &[Expected<'_>], ended: bool) -> Carried {
    let raw = carried_in(Style::Raw, output, expected, ended);
    let escaped = carried_in(Style::Escaped, output, expected, ended);
    match (raw, escaped) {
        (Carried::All, _) | (_, Carried::All) => Carried::All,
        // While one style is still possible, more output decides.
        (Carried::SoFar(a), Carried::SoFar(b)) => Carried::SoFar(a.max(b)),
        (Carried::SoFar(n), Carried::Wrong { .. }) | (Carried::Wrong { .. }, Carried::SoFar(n)) => {
            Carried::SoFar(n)
        }
        // Wrong either way: tell of the style in which the program came further.
        (Carried::Wrong { index: a, line: x }, Carried::Wrong { index: b, line: y }) => {
            if b > a {
                Carried::Wrong { index: b, line: y }
            } else {
                Carried::Wrong { index: a, line: x }
            }
        }
    }
}

fn carried_in(style: Style, output: &str, expected: &[Expected<'_>], ended: bool) -> Carried {
    let mut rest = output;
    let mut index = 0;
    loop {
        if let Some(next) = expected.get(index) {
            match match_message(style, rest, *next, ended) {
                Matched::Yes(length) => {
                    rest = &rest[length..];
                    index += 1;
                    continue;
                }
                Matched::NotYet => return Carried::SoFar(index),
                Matched::No => {}
            }
        }
        // Not the expected body: chatter, or another message?
        let Some((line, length)) = first_line(rest, ended) else {
            return if index == expected.len() {
                Carried::All
            } else {
                Carried::SoFar(index)
            };
        };
        let stands_for_a_body = || {
            expected.iter().any(|it| {
                let matched = match_message(style, rest, *it, ended);
                !it.body.is_empty() && matches!(matched, Matched::Yes(_))
            })
        };
        if looks_like_a_message(line) || stands_for_a_body() {
            return Carried::Wrong {
                index,
                line: line.to_owned(),
            };
        }
        rest = &rest[length..];
    }
}

/// The first line without its line break, and its length with it.
fn first_line(text: &str, ended: bool) -> Option<(&str, usize)> {
    match text.find('\n') {
        Some(end) => Some((text[..end].trim_end_matches('\r'), end + 1)),
        None if ended && !text.is_empty() => Some((text, text.len())),
        None => None,
    }
}

enum Matched {
    /// The body and the end of its line, so many bytes long.
    Yes(usize),
    /// Everything fits so far, but the output stops in the middle.
    NotYet,
    No,
}

impl Matched {
    /// The better of two: what fits, else what may still fit.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes(length), _) | (_, Self::Yes(length)) => Self::Yes(length),
            (Self::NotYet, _) | (_, Self::NotYet) => Self::NotYet,
            (Self::No, Self::No) => Self::No,
        }
    }
}

fn match_message(style: Style, text: &str, expected: Expected<'_>, ended: bool) -> Matched {
    let mut outcome = match_body(style, text, &openings(text), expected.body, ended);
    let Some(key) = expected.key else {
        return outcome;
    };
    // The key and the body as one text, and each by itself.
    let together = [":", ": "].map(|mark| format!("{key}{mark}{}", expected.body));
    for text_of_both in &together {
        let found = match_body(style, text, &openings(text), text_of_both, ended);
        outcome = outcome.or(found);
    }
    outcome.or(match_body(
        style,
        text,
        &openings_after(text, key),
        expected.body,
        ended,
    ))
}

fn match_body(style: Style, text: &str, openings: &[Opening], body: &str, ended: bool) -> Matched {
    let mut outcome = Matched::No;
    for opening in openings {
        outcome = outcome.or(match style {
            Style::Raw => match_raw(text, *opening, body, ended),
            Style::Escaped => match_escaped(text, *opening, body, ended),
        });
    }
    outcome
}

/// A place where the body may begin: after this decoration, inside these quotes.
#[derive(Clone, Copy)]
struct Opening {
    offset: usize,
    close: &'static str,
    bytes: bool,
}

fn match_raw(text: &str, opening: Opening, body: &str, ended: bool) -> Matched {
    let found = &text[opening.offset..];
    let Some(after) = found.strip_prefix(body) else {
        let cut_short = !ended && body.starts_with(found);
        return if cut_short {
            Matched::NotYet
        } else {
            Matched::No
        };
    };
    let Some(tail) = after.strip_prefix(opening.close) else {
        let cut_short = !ended && after.is_empty();
        return if cut_short {
            Matched::NotYet
        } else {
            Matched::No
        };
    };
    let tail = tail.strip_prefix('\r').unwrap_or(tail);
    match tail.chars().next() {
        Some('\n') => Matched::Yes(text.len() - tail.len() + 1),
        // Even an empty body takes a line, so an output that is over holds none.
        None if ended && !text.is_empty() => Matched::Yes(text.len()),
        None if ended => Matched::No,
        None => Matched::NotYet,
        Some(_) => Matched::No,
    }
}

fn match_escaped(text: &str, opening: Opening, body: &str, ended: bool) -> Matched {
    let Some((line, length)) = first_line(text, ended) else {
        return Matched::NotYet;
    };
    let literal = line
        .get(opening.offset..)
        .and_then(|found| found.strip_suffix(opening.close));
    match literal {
        Some(literal) if stands_for(literal, opening.bytes, body) => Matched::Yes(length),
        _ => Matched::No,
    }
}

/// Every place in the first line where a body may begin.
fn openings(text: &str) -> Vec<Opening> {
    let ends = decoration_ends(text).into_iter();
    ends.flat_map(|offset| openings_at(text, offset)).collect()
}

/// Every place in the first line where a body may begin after its key and a colon.
fn openings_after(text: &str, key: &str) -> Vec<Opening> {
    let mut openings = Vec::new();
    for offset in decoration_ends(text) {
        let found = &text[offset..];
        for (open, close) in std::iter::once(("", "")).chain(QUOTES) {
            let after = found
                .strip_prefix(open)
                .and_then(|found| found.strip_prefix(key))
                .and_then(|found| found.strip_prefix(close))
                .and_then(|found| found.strip_prefix(':'));
            if let Some(after) = after {
                let offset = text.len() - after.len();
                openings.extend(openings_at(text, offset));
                if after.starts_with(' ') {
                    openings.extend(openings_at(text, offset + 1));
                }
            }
        }
    }
    openings
}

static QUOTES: [(&str, &str); 7] = [
    ("'", "'"),
    ("\"", "\""),
    ("`", "`"),
    ("“", "”"),
    ("‘", "’"),
    ("「", "」"),
    ("«", "»"),
];

/// The body begins here, or inside quotes that open here.
fn openings_at(text: &str, offset: usize) -> Vec<Opening> {
    let found = &text[offset..];
    let mut openings = vec![Opening {
        offset,
        close: "",
        bytes: false,
    }];
    for (prefix, bytes) in [("", false), ("b", true)] {
        let Some(quoted) = found.strip_prefix(prefix) else {
            continue;
        };
        for (open, close) in QUOTES {
            if quoted.starts_with(open) {
                let offset = offset + prefix.len() + open.len();
                openings.push(Opening {
                    offset,
                    close,
                    bytes,
                });
                // `'{:?}'`: a literal inside a pair of quotes.
                for (inner, inner_close) in [("\"", "\"'"), ("'", "'\"")] {
                    if text[offset..].starts_with(inner) && inner_close.ends_with(close) {
                        let offset = offset + inner.len();
                        openings.push(Opening {
                            offset,
                            close: inner_close,
                            bytes,
                        });
                    }
                }
            }
        }
    }
    openings
}

/// Words that programs put before a body.
const WORDS: [&str; 19] = [
    "sent",
    "sending",
    "发送",
    "received",
    "receive",
    "recv",
    "got",
    "a",
    "the",
    "new",
    "message",
    "msg",
    "body",
    "data",
    "收到了",
    "收到",
    "接收到",
    "接收",
    "消息",
];

/// The offsets at which a decoration may end, in rising order; 0 is one of them.
fn decoration_ends(text: &str) -> Vec<usize> {
    let mut ends = vec![0];
    let mut offset = 0;
    let blanks = |offset: &mut usize, ends: &mut Vec<usize>| {
        while text[*offset..].starts_with([' ', '\t']) {
            *offset += 1;
            ends.push(*offset);
        }
    };
    blanks(&mut offset, &mut ends);
    if text[offset..].starts_with("[x]") {
        offset += 3;
        ends.push(offset);
        blanks(&mut offset, &mut ends);
    }
    while let Some(word) = leading_word(&text[offset..]) {
        offset += word;
        ends.push(offset);
        blanks(&mut offset, &mut ends);
    }
    for mark in [":", "：", "->", "=>", "="] {
        if text[offset..].starts_with(mark) {
            offset += mark.len();
            ends.push(offset);
            blanks(&mut offset, &mut ends);
            break;
        }
    }
    ends
}

/// The length of the decoration word that the text begins with.
fn leading_word(text: &str) -> Option<usize> {
    WORDS.iter().find_map(|word| {
        let head = text.get(..word.len())?;
        let ascii = word.is_ascii();
        let ends = !ascii || !text[word.len()..].starts_with(|c: char| c.is_ascii_alphanumeric());
        (head.eq_ignore_ascii_case(word) && ends).then_some(word.len())
    })
}

/// Whether a line has the decoration of a received message.
fn looks_like_a_message(line: &str) -> bool {
    let line = line.trim_start();
    // The tutorials of RabbitMQ print ` [x] Done` after a task; others name the task.
    (line.starts_with("[x]") && !spoken::is_done(line))
        || leading_word(line).is_some_and(|length| {
            // An article alone makes no message.
            !matches!(
                line[..length].to_ascii_lowercase().as_str(),
                "a" | "the" | "new"
            )
        })
}

/// Whether an escaped literal stands for the body: as text, or as bytes.
fn stands_for(literal: &str, bytes: bool, body: &str) -> bool {
    (!bytes && unescape(literal, false).as_deref() == Some(body.as_bytes()))
        || unescape(literal, true).as_deref() == Some(body.as_bytes())
}

/// Undoes the escapes of Rust, Python and JSON. `None`: not a well-formed literal.
///
/// `\xNN` is a byte where `bytes` is set, else the character with that number.
fn unescape(literal: &str, bytes: bool) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let mut chars = literal.chars();
    let mut high: Option<u32> = None;
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let code = match chars.next()? {
            'n' => 0x0a,
            'r' => 0x0d,
            't' => 0x09,
            '0' => 0x00,
            'a' => 0x07,
            'b' => 0x08,
            'f' => 0x0c,
            'v' => 0x0b,
            'x' => {
                let code = hex(&mut chars, 2)?;
                if bytes {
                    text.push(u8::try_from(code).ok()?);
                    continue;
                }
                code
            }
            'U' => hex(&mut chars, 8)?,
            'u' if chars.as_str().starts_with('{') => {
                chars.next();
                let digits = chars.as_str().find('}')?;
                let code = hex(&mut chars, digits)?;
                chars.next();
                code
            }
            'u' => {
                let code = hex(&mut chars, 4)?;
                match (high.take(), code) {
                    // JSON writes a character beyond U+FFFF as a pair of surrogates.
                    (None, 0xd800..=0xdbff) => {
                        high = Some(code);
                        continue;
                    }
                    (Some(high), 0xdc00..=0xdfff) => {
                        0x1_0000 + ((high - 0xd800) << 10) + (code - 0xdc00)
                    }
                    _ => code,
                }
            }
            c @ ('\\' | '\'' | '"' | '/' | '`') => c.into(),
            _ => return None,
        };
        let c = char::from_u32(code)?;
        text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
    high.is_none().then_some(text)
}

fn hex(chars: &mut std::str::Chars<'_>, digits: usize) -> Option<u32> {
    let number = chars.as_str().get(..digits)?;
    let code = u32::from_str_radix(number, 16).ok()?;
    chars.nth(digits.checked_sub(1)?);
    Some(code)
}
