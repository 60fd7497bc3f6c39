//! What the lines claim that a program prints.

use super::{Printed, Seen};

/// The bodies that the program says it sent (`Sent 'Hello World!'`), each with the line.
pub(super) fn sent<'a>(seen: &Seen<'a>) -> impl Iterator<Item = (&'a Printed, &'a str)> {
    seen.printed
        .iter()
        .filter_map(|printed| Some((printed, after(&printed.line, "sent")?)))
}

/// The result that a line says the program got (`Got 13`).
pub fn got(line: &str) -> Option<&str> {
    let result = after(line, "got")?;
    // `Got b'13'`, as Python prints bytes.
    let bytes = result.strip_prefix('b').map(unquoted);
    Some(
        bytes
            .filter(|inside| inside.len() + 3 == result.len())
            .unwrap_or(result),
    )
}

/// Whether the program said that it waits (`Waiting for messages. To exit press CTRL+C`).
pub(super) fn waits(seen: &Seen<'_>) -> bool {
    seen.printed.iter().any(|printed| is_waiting(&printed.line))
}

/// Whether a line says that the program waits.
pub fn is_waiting(line: &str) -> bool {
    let line = line.to_lowercase();
    line.contains("waiting for") || line.contains("awaiting ")
}

/// Whether a line says that work is done.
pub fn is_done(line: &str) -> bool {
    after(line, "done").is_some()
}

/// Which line carries a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carrier<'a> {
    /// The first that does.
    Line(&'a Printed),
    /// Nobody can tell: the body is empty, or no text, or each language would print it in a way of its own.
    Unknown,
    /// None does.
    None,
}

/// Whether some line carries the body. In doubt it does.
pub(super) fn is_printed(seen: &Seen<'_>, body: &[u8]) -> bool {
    carrier(seen, body) != Carrier::None
}

/// The first line that carries the body.
pub(super) fn carrier<'a>(seen: &Seen<'a>, body: &[u8]) -> Carrier<'a> {
    let Ok(text) = std::str::from_utf8(body) else {
        return Carrier::Unknown;
    };
    let longest = text.lines().max_by_key(|line| line.len());
    let longest = longest.unwrap_or_default().trim();
    if longest.is_empty() {
        return Carrier::Unknown;
    }
    let escaped = longest.escape_debug().to_string();
    let mut lines = seen.printed.iter();
    match lines.find(|it| it.line.contains(longest) || it.line.contains(&escaped)) {
        Some(line) => Carrier::Line(line),
        None if is_plain(longest) => Carrier::None,
        None => Carrier::Unknown,
    }
}

/// Whether every language prints the text as it is.
fn is_plain(text: &str) -> bool {
    text.chars()
        .all(|c| c == ' ' || (c.is_ascii_graphic() && !matches!(c, '"' | '\'' | '\\')))
}

/// What a line says after a word, decorations aside.
fn after<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    let bare = line.trim_start_matches(|c: char| !c.is_alphanumeric());
    // Decorations such as ` [x] ` hold a letter of their own.
    let bare = match bare.split_once(']') {
        Some((mark, rest)) if mark.len() <= 3 => rest.trim_start(),
        _ => bare,
    };
    let (first, rest) = bare.split_at_checked(word.len())?;
    if !first.eq_ignore_ascii_case(word) || rest.starts_with(|c: char| c.is_alphanumeric()) {
        return None;
    }
    Some(unquoted(
        rest.trim_start_matches([':', ' ', '\t']).trim_end(),
    ))
}

fn unquoted(text: &str) -> &str {
    for quote in ['\'', '"', '`'] {
        if let Some(inside) = text
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
        {
            return inside;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sent_is_heard_in_every_decoration() {
        for line in [
            "Sent 'Hello'",
            " [x] Sent \"Hello\"",
            "[x] sent Hello",
            "Sent: Hello",
        ] {
            assert_eq!(after(line, "sent"), Some("Hello"), "{line}");
        }
        for line in ["Got 13", " [.] Got 13", "[x] got: '13'", " [.] Got b'13'"] {
            assert_eq!(got(line), Some("13"), "{line}");
        }
        assert_eq!(got("Got b13"), Some("b13"));
        for line in ["Sentence one", "Waiting", "", "consent 'x'"] {
            assert_eq!(after(line, "sent"), None, "{line}");
        }
    }
}
