//! Literals: text with escapes, as languages print it.

/// Whether an escaped literal stands for the body: as text, or as bytes.
pub(super) fn stands_for(literal: &str, bytes: bool, body: &str) -> bool {
    (!bytes && unescape(literal, false).as_deref() == Some(body.as_bytes()))
        || unescape(literal, true).as_deref() == Some(body.as_bytes())
}

/// Undoes the escapes of Rust, Python, JSON, Erlang and Ruby. `None`: not a well-formed literal.
///
/// `\xNN` is a byte where `bytes` is set, else the character with that number.
pub(super) fn unescape(literal: &str, bytes: bool) -> Option<Vec<u8>> {
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
            'e' => 0x1b,
            'x' | 'u' if chars.as_str().starts_with('{') => braced(&mut chars)?,
            'x' => {
                let code = hex(&mut chars, 2)?;
                if bytes {
                    text.push(u8::try_from(code).ok()?);
                    continue;
                }
                code
            }
            'U' => hex(&mut chars, 8)?,
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
            // Ruby marks what would be an interpolation.
            c @ ('\\' | '\'' | '"' | '/' | '`' | '#') => c.into(),
            _ => return None,
        };
        let c = char::from_u32(code)?;
        text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
    high.is_none().then_some(text)
}

/// A number in braces: `{1f600}`.
fn braced(chars: &mut std::str::Chars<'_>) -> Option<u32> {
    chars.next();
    let digits = chars.as_str().find('}')?;
    let code = hex(chars, digits)?;
    chars.next();
    Some(code)
}

fn hex(chars: &mut std::str::Chars<'_>, digits: usize) -> Option<u32> {
    let number = chars.as_str().get(..digits)?;
    let code = u32::from_str_radix(number, 16).ok()?;
    chars.nth(digits.checked_sub(1)?);
    Some(code)
}
