//! Making what strangers wrote harmless, in the way of each format.

use std::{fmt::Write as _, io};

/// Text without what does something to a terminal, to a parser of XML 1.0, or to the order of a line.
///
/// Line breaks and tabs stay; other characters of that kind become visible (`\u{202e}`).
pub fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => safe.push(c),
            '\r' => {}
            c if is_odd(c) => safe.extend(c.escape_unicode()),
            c => safe.push(c),
        }
    }
    safe
}

/// Whether a character does something to a terminal, to a parser, or to the order of a line.
fn is_odd(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // Not the two that join others to one: they are parts of emoji, and of letters of Persian.
            '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fffe}' | '\u{ffff}' | '\u{fff9}'..='\u{fffb}')
}

/// JSON that says the same, and is harmless in a terminal: odd characters are written as JSON's own escapes.
pub fn json(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // Between values, where it indents; within strings it is escaped already.
            '\n' => safe.push(c),
            c if is_odd(c) => {
                let _ = write!(safe, "\\u{:04x}", c as u32);
            }
            c => safe.push(c),
        }
    }
    safe
}

/// Makes JSON harmless as [`json`] does, while it is written: a line at a time.
pub struct Harmless<'a> {
    to: &'a mut dyn io::Write,
    line: Vec<u8>,
}

impl<'a> Harmless<'a> {
    /// Writes on to somebody else.
    pub fn new(to: &'a mut dyn io::Write) -> Self {
        Self {
            to,
            line: Vec::new(),
        }
    }
}

impl io::Write for Harmless<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Between values only: within strings a line break is escaped.
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                self.flush()?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        self.to
            .write_all(json(&String::from_utf8_lossy(&line)).as_bytes())
    }
}

/// Plain text of at most so many bytes, with a word about the rest.
pub fn short(text: &str, most: usize) -> String {
    let text = plain(text);
    if text.len() <= most {
        return text;
    }
    let mut end = most.saturating_sub(16);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}… ({} bytes)", &text[..end], text.len())
}

/// A cell that no spreadsheet takes for a formula: such a one begins with an apostrophe.
pub fn cell(text: &str) -> String {
    let text = plain(text).replace(['\n', '\t'], " ");
    match text.trim_start().chars().next() {
        Some('=' | '+' | '-' | '@' | '|' | '%') => format!("'{text}"),
        _ => text,
    }
}

/// HTML of text in which backticks mark code: none of its other characters is markup.
pub fn html(text: &str) -> String {
    let text = plain(text);
    let parts: Vec<&str> = text.split('`').collect();
    let mut safe = String::new();
    for (index, part) in parts.iter().enumerate() {
        // The last backtick of an odd number closes nothing.
        let code = index % 2 == 1 && index + 1 < parts.len();
        let (before, after) = match (code, index % 2) {
            (true, _) => ("<code>", "</code>"),
            (false, 1) => ("`", ""),
            (false, _) => ("", ""),
        };
        safe.push_str(before);
        for c in part.chars() {
            match c {
                '&' => safe.push_str("&amp;"),
                '<' => safe.push_str("&lt;"),
                '>' => safe.push_str("&gt;"),
                '"' => safe.push_str("&quot;"),
                '\'' => safe.push_str("&#39;"),
                c => safe.push(c),
            }
        }
        safe.push_str(after);
    }
    safe
}

/// Text of one line in Markdown or HTML: none of its characters is markup.
pub fn markdown(text: &str) -> String {
    let mut safe = String::new();
    for c in plain(text).chars() {
        match c {
            '\n' | '\t' => safe.push(' '),
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            // `:` too: a line that begins with `::` is an order to some runners.
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '!' | '|' | '~'
            | '@' | ':' => {
                let _ = write!(safe, "&#{};", c as u32);
            }
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backticks_mark_code_and_nothing_else_is_markup() {
        assert_eq!(html("`send` says"), "<code>send</code> says");
        assert_eq!(
            html("`<b>` & 'x'"),
            "<code>&lt;b&gt;</code> &amp; &#39;x&#39;"
        );
        assert_eq!(html("a ` b"), "a ` b");
        assert_eq!(html("`a` b ` c"), "<code>a</code> b ` c");
    }

    #[test]
    fn json_says_the_same_without_odd_characters() {
        let text = "a\u{1b}b\u{202e}c\n\u{7f}";
        let written = json(&serde_json::to_string(text).unwrap_or_default());
        assert!(written.chars().all(|c| !is_odd(c)), "{written}");
        assert_eq!(
            serde_json::from_str::<String>(&written).ok().as_deref(),
            Some(text)
        );
    }
}
