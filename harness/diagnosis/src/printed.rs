//! Printed lines: does the output of a program carry these bodies, a line each, in order?
//!
//! A line is compared by what it carries, not by its decoration. Stripped are
//! white space, `[x]`, words such as `Received message:`, and one pair of quotes
//! (also `b'…'` and Erlang's `<<"…">>`); what is left must equal the body exactly. A body with line
//! breaks may be printed raw, over several lines, or escaped as Rust's `{:?}`,
//! Python's `repr` or JSON do it, but a program keeps one style for its whole
//! output. Other lines ("Waiting for messages") are passed over, unless they
//! look like a message. A blank line is an empty body, or it is decoration as well:
//! a program keeps to that, too.
//!
//! Where a chapter routes by keys, the key may stand before the body, with a colon
//! between them: `info:BODY`, `info: 'BODY'`, `'info':'BODY'`; or in brackets: `[info] BODY`.

mod literal;
#[cfg(test)]
mod tests;
mod words;

pub use words::{Said, find_words};

use literal::stands_for;

use crate::{finding::spoken, model::Message};

/// How a program writes bodies into lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Style {
    writing: Writing,
    /// An empty body is a blank line. Else it is a line with some decoration, and blank lines say nothing.
    blank_is_body: bool,
    /// A blank stands at the end of each line that carries a body.
    blank_at_end: bool,
}

/// How a program writes the text of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writing {
    /// As it is, line breaks included.
    Raw,
    /// In one line, with escapes such as `\n`, `\"`, `\x0a`, `\u{1f600}`.
    Escaped,
}

/// Every style, the commonest first.
const STYLES: [Style; 8] = [
    Style::of(Writing::Raw, true, false),
    Style::of(Writing::Escaped, true, false),
    Style::of(Writing::Raw, false, false),
    Style::of(Writing::Escaped, false, false),
    Style::of(Writing::Raw, true, true),
    Style::of(Writing::Escaped, true, true),
    Style::of(Writing::Raw, false, true),
    Style::of(Writing::Escaped, false, true),
];

impl Style {
    const fn of(writing: Writing, blank_is_body: bool, blank_at_end: bool) -> Self {
        Self {
            writing,
            blank_is_body,
            blank_at_end,
        }
    }

    /// What comes after a body and its quotes, without what belongs to the style; `None`: that is missing.
    fn after(self, tail: &str) -> Option<&str> {
        match self.blank_at_end {
            true => tail.strip_prefix(' '),
            false => Some(tail),
        }
    }
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
        /// The body was printed but for the line break at its end.
        cut: bool,
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
    // Who ends no line with a blank does not do so with each.
    let blank_at_end = output.lines().any(|line| line.ends_with(' '));
    let styles = STYLES
        .into_iter()
        .filter(|style| blank_at_end || !style.blank_at_end);
    let carried = styles.map(|style| carried_in(style, output, expected, ended));
    carried.reduce(Carried::or).unwrap_or(Carried::SoFar(0))
}

impl Carried {
    /// What is known of an output that may be meant in either way. While one is still possible, more output decides.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, _) | (_, Self::All) => Self::All,
            (Self::SoFar(one), Self::SoFar(other)) => Self::SoFar(one.max(other)),
            (Self::SoFar(count), Self::Wrong { .. }) | (Self::Wrong { .. }, Self::SoFar(count)) => {
                Self::SoFar(count)
            }
            // Wrong either way: tell of the way in which the program came further.
            (one, other) => match (one.index(), other.index()) {
                (one_index, other_index) if other_index > one_index => other,
                _ => one,
            },
        }
    }

    fn index(&self) -> Option<usize> {
        match self {
            Self::Wrong { index, .. } => Some(*index),
            Self::All | Self::SoFar(_) => None,
        }
    }
}

fn carried_in(style: Style, output: &str, expected: &[Expected<'_>], ended: bool) -> Carried {
    let mut rest = output;
    let mut index = 0;
    let mut cut = false;
    loop {
        let next = expected.get(index);
        if let Some(next) = next {
            match match_message(style, rest, *next, ended) {
                Matched::Yes(length) => {
                    rest = &rest[length..];
                    index += 1;
                    cut = false;
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
        cut |= next.is_some_and(|next| lacks_its_line_break(rest, *next, ended));
        let stands_for_a_body = || {
            let mut bodies = expected.iter().filter(|it| !it.body.is_empty());
            bodies.any(|it| stands_for_body(rest, *it, ended))
        };
        if looks_like_a_message(line) || stands_for_a_body() {
            return Carried::Wrong {
                index,
                line: line.to_owned(),
                cut,
            };
        }
        rest = &rest[length..];
    }
}

/// Whether the first line carries the body but for the line break at its end.
fn lacks_its_line_break(text: &str, expected: Expected<'_>, ended: bool) -> bool {
    let body = expected.body.trim_end_matches(['\r', '\n']);
    let shorter = Expected { body, ..expected };
    body.len() < expected.body.len() && stands_for_body(text, shorter, ended)
}

/// Whether the first line carries the body, in whatever style.
fn stands_for_body(text: &str, expected: Expected<'_>, ended: bool) -> bool {
    STYLES.into_iter().any(|style| {
        let matched = match_message(style, text, expected, ended);
        matches!(matched, Matched::Yes(_))
    })
}

/// The first line without its line break, and its length with it.
fn first_line(text: &str, ended: bool) -> Option<(&str, usize)> {
    match text.find('\n') {
        Some(end) => Some((text[..end].trim_end_matches('\r'), end + 1)),
        None if ended && !text.is_empty() => Some((text, text.len())),
        None => None,
    }
}

/// Whether there is nothing to see in the first line; `None`: there is no whole line yet.
fn is_blank(text: &str, ended: bool) -> Option<bool> {
    first_line(text, ended).map(|(line, _)| line.trim().is_empty())
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
    let together = [
        format!("{key}:{}", expected.body),
        format!("{key}: {}", expected.body),
        format!("[{key}] {}", expected.body),
    ];
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
    if body.is_empty() && is_blank(text, ended).is_some_and(|blank| blank != style.blank_is_body) {
        return outcome;
    }
    for opening in openings {
        outcome = outcome.or(match style.writing {
            Writing::Raw => match_raw(style, text, *opening, body, ended),
            Writing::Escaped => match_escaped(style, text, *opening, body, ended),
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

fn match_raw(style: Style, text: &str, opening: Opening, body: &str, ended: bool) -> Matched {
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
    let Some(tail) = style.after(tail) else {
        return if !ended && tail.is_empty() {
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

fn match_escaped(style: Style, text: &str, opening: Opening, body: &str, ended: bool) -> Matched {
    let Some((line, length)) = first_line(text, ended) else {
        return Matched::NotYet;
    };
    let end = if style.blank_at_end { " " } else { "" };
    let literal = line
        .get(opening.offset..)
        .and_then(|found| found.strip_suffix(end)?.strip_suffix(opening.close));
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

/// Every place in the first line where a body may begin after its key: `key:`, `'key':`, `[key]`.
fn openings_after(text: &str, key: &str) -> Vec<Opening> {
    let mut openings = Vec::new();
    let quotes = || std::iter::once(("", "")).chain(QUOTES).chain(ERLANG);
    for offset in decoration_ends(text) {
        let found = &text[offset..];
        let after = |(open, close): (&str, &str), mark: &str| {
            let after = found.strip_prefix(open)?.strip_prefix(key)?;
            after.strip_prefix(close)?.strip_prefix(mark)
        };
        let after_colon = quotes().filter_map(|around| after(around, ":"));
        for after in after_colon.chain(after(("[", "]"), "")) {
            let offset = text.len() - after.len();
            openings.extend(openings_at(text, offset));
            if after.starts_with(' ') {
                openings.extend(openings_at(text, offset + 1));
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

/// How Erlang writes bytes that are text.
const ERLANG: [(&str, &str); 2] = [("<<\"", "\">>"), ("<<\"", "\"/utf8>>")];

/// The body begins here, or inside quotes that open here.
fn openings_at(text: &str, offset: usize) -> Vec<Opening> {
    let found = &text[offset..];
    let mut openings = vec![Opening {
        offset,
        close: "",
        bytes: false,
    }];
    for (open, close) in ERLANG {
        if found.starts_with(open) {
            let offset = offset + open.len();
            openings.push(Opening {
                offset,
                close,
                bytes: false,
            });
        }
    }
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
const WORDS: [&str; 20] = [
    "sent",
    "send",
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
    if let Some(mark) = ["[x]", "[*]"]
        .iter()
        .find(|mark| text[offset..].starts_with(**mark))
    {
        offset += mark.len();
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
