//! Names that strangers give.

use std::fmt::Write as _;

use unicode_normalization::UnicodeNormalization;

use super::ALLOWED;

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Whether a character does nothing to a terminal or to the order of a line.
pub(super) fn is_plain(c: char) -> bool {
    let invisible = matches!(c,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    !c.is_control() && !invisible
}

/// The beginning of a name in small ASCII letters and digits, fit for a folder's name on any system.
pub(super) fn slug(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name).to_lowercase();
    let mut slug = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug: String = slug.trim_matches('-').chars().take(24).collect();
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "s" } else { slug }.to_owned()
}

/// The parts of a plain relative path, or why it is none.
pub(super) fn parts(path: &[u8]) -> Result<Vec<&str>, String> {
    let path = std::str::from_utf8(path).map_err(|_| "its name is not UTF-8".to_owned())?;
    if path.starts_with('/') || path.contains('\\') {
        return Err("its name is absolute, or holds a backslash".to_owned());
    }
    let parts: Vec<&str> = path
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    if parts.contains(&"..") {
        return Err("its name leads out of the submission (..)".to_owned());
    }
    if parts.len() > ALLOWED.depth {
        return Err(format!("it lies more than {} folders deep", ALLOWED.depth));
    }
    if parts.iter().any(|part| part.len() > ALLOWED.name) {
        return Err(format!("its name is longer than {} bytes", ALLOWED.name));
    }
    if !path.chars().all(is_plain) {
        return Err("its name holds control characters".to_owned());
    }
    Ok(parts)
}

/// What two names have in common that some system takes for the same.
pub(super) fn folded(path: &str) -> String {
    path.nfkc().flat_map(char::to_lowercase).collect()
}
