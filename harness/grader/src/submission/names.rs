//! Names that strangers give.

use std::{borrow::Cow, fmt::Write as _};

use encoding_rs::GBK;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::{ALLOWED, refusal::Odd};

/// How many characters, and how many bytes, the beginning of a folder's name has.
const SLUG: (usize, usize) = (24, 96);

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Characters that join others to one: a family of three, a letter of Persian. They stand in names.
fn joins(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Whether a character does nothing to a terminal or to the order of a line.
pub(super) fn is_plain(c: char) -> bool {
    let invisible = matches!(c,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    !c.is_control() && (!invisible || joins(c))
}

/// The beginning of a name in small letters and digits of any script, fit for a folder's name on any system.
pub(super) fn slug(name: &str) -> String {
    let mut slug = String::new();
    let mut left = SLUG.0;
    // Composed, since some systems take names apart, and a mark alone is no letter.
    for c in name.nfc().flat_map(char::to_lowercase).nfc() {
        if c.is_alphanumeric() || (is_combining_mark(c) && !slug.ends_with('-') && left < SLUG.0) {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        } else {
            continue;
        }
        left -= 1;
        if left == 0 || slug.len() + char::MAX.len_utf8() > SLUG.1 {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "s" } else { slug }.to_owned()
}

/// Names as text, and `None` for those that are of no encoding that we know.
///
/// Windows packs the names of its own language without saying so. What is no UTF-8 is read as GBK where that is what it
/// is, and as `otherwise` says (code page 437, in a zip) where it is not.
pub(super) fn as_text<'a>(names: &[(&'a [u8], Option<&'a str>)]) -> Vec<Option<Cow<'a, str>>> {
    let gbk = |name: &'a [u8]| GBK.decode_without_bom_handling_and_without_replacement(name);
    let utf8 = |name: &'a [u8]| std::str::from_utf8(name);
    // All names of an archive are of one encoding, and not each of them tells which.
    let tells = names.iter().any(|(name, _)| {
        utf8(name).is_err() && gbk(name).is_some() && name.iter().any(|byte| tells_gbk(*byte))
    });
    let text = |(name, otherwise): &(&'a [u8], Option<&'a str>)| match utf8(name) {
        Ok(name) => Some(Cow::Borrowed(name)),
        Err(_) => (tells.then(|| gbk(name)).flatten()).or_else(|| otherwise.map(Cow::Borrowed)),
    };
    names.iter().map(text).collect()
}

/// Whether a byte that is not ASCII speaks for GBK, and against code page 437: there it would be a part of a table or a
/// formula, which nobody writes into a name. Most Chinese characters have one in each of their two bytes. The letters
/// with accents lie below, but for the German ß (0xE1).
fn tells_gbk(byte: u8) -> bool {
    matches!(byte, 0xb0..=0xf7) && !matches!(byte, 0xe1 | 0xe6)
}

/// The plain relative path that a name stands for, with `/` between its parts, and what is odd about it.
///
/// As every unpacking program does, this leaves out what leads to another place at its beginning: a drive, the root,
/// the folder above.
pub(super) fn path(name: &str) -> (String, Option<Odd>) {
    let mut rest = name;
    if let [letter, b':', b'/' | b'\\', ..] = name.as_bytes()
        && letter.is_ascii_alphabetic()
    {
        rest = &name[2..];
    }
    let parts = rest.split(['/', '\\']);
    let parts = parts.filter(|part| !part.is_empty() && *part != ".");
    let parts: Vec<&str> = parts.skip_while(|part| *part == "..").collect();
    let odd = if parts.contains(&"..") {
        Some(Odd::LeadsOut)
    } else if parts.len() > ALLOWED.depth {
        Some(Odd::Deep)
    } else if parts.iter().any(|part| part.len() > ALLOWED.name) {
        Some(Odd::LongName)
    } else if !rest.chars().all(is_plain) {
        Some(Odd::Control)
    } else {
        None
    };
    (parts.join("/"), odd)
}

/// What two names have in common that some system takes for the same.
pub(super) fn folded(path: &str) -> String {
    let seen = path.nfkc().filter(|c| !joins(*c));
    seen.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(names: &[&[u8]], otherwise: Option<&str>) -> Vec<Option<String>> {
        let names: Vec<_> = names.iter().map(|name| (*name, otherwise)).collect();
        let text = as_text(&names).into_iter();
        text.map(|it| it.map(Cow::into_owned)).collect()
    }

    #[test]
    fn names_of_windows_are_read_as_they_were_meant() {
        for meant in [
            "实验报告.docx",
            "王小明",
            "陶喆",
            "堃",
            "賴清德",
            "第一章/发送.rs",
        ] {
            let (gbk, _, _) = GBK.encode(meant);
            let told = text(&[&gbk, b"src/bin/send.rs"], Some("437"));
            assert_eq!(told[0].as_deref(), Some(meant));
            assert_eq!(told[1].as_deref(), Some("src/bin/send.rs"));
        }
        // Übung, résumé, straße, Größe, Ångström, señor in code page 437.
        for western in [
            &b"\x9abung"[..],
            b"r\x82sum\x82",
            b"stra\xe1e",
            b"Gr\x94\xe1e",
            b"\x8fngstr\x94m",
            b"se\xa4or",
        ] {
            assert_eq!(text(&[western], Some("437")), [Some("437".to_owned())]);
        }
        // One that does not tell, beside one that does.
        let told = text(&[b"\x86\x40", b"\xcf\xfb\xcf\xa2"], Some("437"));
        assert_eq!(told[0].as_deref(), Some("咢"));
        assert_eq!(text(&[b"\xff\xfe.rs"], None), [None]);
    }

    #[test]
    fn a_folder_has_the_letters_of_every_script() {
        for (name, slug) in [
            ("学生-王小明", "学生-王小明"),
            ("Zoë Ångström", "zoë-ångström"),
            ("Zoe\u{308}", "zoë"),
            ("हिन्दी", "हिन्दी"),
            ("../..", "s"),
            ("<b>bold", "b-bold"),
            ("CON", "con"),
            ("-rf", "rf"),
        ] {
            assert_eq!(super::slug(name), slug, "{name}");
        }
        let long = super::slug(&"𠮷".repeat(100));
        assert!(long.len() <= SLUG.1, "{} bytes", long.len());
        let long = super::slug(&format!("a{}", "\u{301}".repeat(100)));
        assert!(long.chars().count() <= SLUG.0, "{long}");
    }

    #[test]
    fn a_path_is_plain_whatever_its_name_is() {
        for (name, plain) in [
            ("./a/./b//c", "a/b/c"),
            ("a\\b\\c", "a/b/c"),
            ("C:\\Users\\wang\\a", "Users/wang/a"),
            ("/home/wang/a", "home/wang/a"),
            ("../../a", "a"),
            ("c:a", "c:a"),
        ] {
            assert_eq!(path(name), (plain.to_owned(), None), "{name}");
        }
        assert_eq!(path("a/../b").1, Some(Odd::LeadsOut));
        assert_eq!(path("a/\u{202e}b").1, Some(Odd::Control));
        assert_eq!(path("👩\u{200d}💻/a").1, None);
        let letters = |count| "消".repeat(count);
        assert_eq!(path(&letters(85)).1, None);
        assert_eq!(path(&letters(86)).1, Some(Odd::LongName));
        assert_eq!(folded("A\u{200d}b"), "ab");
    }
}
