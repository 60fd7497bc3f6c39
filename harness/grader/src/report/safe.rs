//! Making what strangers wrote harmless, in the way of each format.

/// Text without what does something to a terminal, to a parser of XML 1.0, or to the order of a line.
///
/// Line breaks and tabs stay; other characters of that kind become visible (`\u{202e}`).
pub fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        let odd = matches!(c,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fffe}' | '\u{ffff}' | '\u{fff9}'..='\u{fffb}');
        match c {
            '\n' | '\t' => safe.push(c),
            '\r' => {}
            c if c.is_control() || odd => safe.extend(c.escape_unicode()),
            c => safe.push(c),
        }
    }
    safe
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
                safe.push_str(&format!("&#{};", c as u32));
            }
            c => safe.push(c),
        }
    }
    safe
}
