//! What programs print, fit to be shown.

use std::fmt::Write as _;

/// How many lines of each stream a report quotes.
const QUOTED_LINES: usize = 12;
/// How many characters of a line a report quotes.
const QUOTED_CHARS: usize = 200;

/// The last lines of an output, fit to be shown: control characters made visible, long lines cut.
pub fn quote(output: &str) -> Vec<String> {
    let lines: Vec<&str> = output.lines().collect();
    let left_out = lines.len().saturating_sub(QUOTED_LINES);
    let mut quoted: Vec<String> = lines[left_out..].iter().map(|line| visible(line)).collect();
    if left_out > 0 {
        quoted.insert(0, format!("… {left_out} lines before these"));
    }
    quoted
}

/// A line that harms no terminal: what is not printable is escaped, what is too long is cut.
pub fn visible(line: &str) -> String {
    let mut shown = String::new();
    for c in line.chars().take(QUOTED_CHARS) {
        let bidirectional = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c != '\t' && (c.is_control() || bidirectional) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    if line.chars().nth(QUOTED_CHARS).is_some() {
        let _ = write!(shown, "… ({} bytes)", line.len());
    }
    shown
}
