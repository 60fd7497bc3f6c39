//! Lines that begin with a word and carry a body: `confirmed BODY`, `returned BODY`.
//!
//! The decoration may be anything that a body's may be elsewhere, but a program keeps to one for its whole output.

use super::{QUOTES, first_line, literal::unescape};

/// A word, by its place in the list of those that are looked for, and the body after it.
pub type Said = (usize, String);

/// How a program writes a body after a word.
#[derive(Clone, Copy, Debug)]
struct Form {
    /// Between the word and the body.
    mark: &'static str,
    /// Around the body, one of these.
    around: &'static [(&'static str, &'static str)],
    inside: Inside,
}

/// How what stands inside is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inside {
    Plain,
    /// With escapes, as in a literal of a text.
    Text,
    /// With escapes, as in a literal of bytes.
    Bytes,
}

/// What an output says, in each form in which it may be meant; the plain one comes first.
///
/// Lines that begin with none of the words are passed over. `ended` tells that no more output will come, so that a last
/// line without a line break counts, too. Bytes that are no text are U+FFFD, in what is printed and in what is answered.
pub fn find_words(output: &str, words: &[&str], ended: bool) -> Vec<Vec<Said>> {
    let mut rest = output;
    let mut lines = Vec::new();
    while let Some((line, length)) = first_line(rest, ended) {
        rest = &rest[length..];
        lines.extend(words.iter().enumerate().find_map(|(index, word)| {
            let after = after_word(undecorated(line), word)?;
            Some((index, after))
        }));
    }
    forms()
        .filter_map(|form| {
            let read = |(index, after): &(usize, &str)| Some((*index, form.body(after)?));
            lines.iter().map(read).collect()
        })
        .collect()
}

/// All forms, the plain one first.
fn forms() -> impl Iterator<Item = Form> {
    // Python takes the other quotes where the first ones are in the body.
    const AROUND: [(&[(&str, &str)], Inside); 5] = [
        (&[("", "")], Inside::Plain),
        (&[("'", "'"), ("\"", "\"")], Inside::Text),
        (&[("b'", "'"), ("b\"", "\"")], Inside::Bytes),
        (&[("'\"", "\"'")], Inside::Text),
        (&[("", "")], Inside::Text),
    ];
    let quotes = QUOTES
        .iter()
        .map(|pair| (std::slice::from_ref(pair), Inside::Plain));
    let around: Vec<_> = AROUND.into_iter().chain(quotes).collect();
    [" ", ": ", ":", " -> "].into_iter().flat_map(move |mark| {
        let form = move |(around, inside)| Form {
            mark,
            around,
            inside,
        };
        around.clone().into_iter().map(form)
    })
}

impl Form {
    /// The body that is written so; `None`: it is not.
    fn body(self, after: &str) -> Option<String> {
        let written = match after.strip_prefix(self.mark) {
            Some(written) => written,
            // The mark before an empty body may end in white space that is left out.
            None if after == self.mark.trim_end() => "",
            None => return None,
        };
        self.around.iter().find_map(|(open, close)| {
            let inside = written.strip_prefix(open)?.strip_suffix(close)?;
            if self.inside == Inside::Plain {
                return Some(inside.to_owned());
            }
            let bytes = unescape(inside, self.inside == Inside::Bytes)?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        })
    }
}

/// The line without what programs put before their words: white space, `[x]`.
fn undecorated(line: &str) -> &str {
    let bare = line.trim_start();
    let mark = bare.strip_prefix('[').and_then(|rest| {
        let mut chars = rest.chars();
        chars.next()?;
        chars.as_str().strip_prefix(']')
    });
    mark.map_or(bare, str::trim_start)
}

/// What comes after a word at the beginning of a line.
fn after_word<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    let (head, after) = line.split_at_checked(word.len())?;
    let whole = !after.starts_with(char::is_alphanumeric);
    (head.eq_ignore_ascii_case(word) && whole).then_some(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: [&str; 2] = ["confirmed", "returned"];

    fn is_said(output: &str, wanted: &[(usize, &str)]) -> bool {
        let wanted: Vec<Said> = wanted
            .iter()
            .map(|(word, body)| (*word, (*body).to_owned()))
            .collect();
        find_words(output, &WORDS, true).contains(&wanted)
    }

    #[test]
    fn a_body_may_be_decorated() {
        for line in [
            "confirmed one",
            " [x] Confirmed 'one'",
            "confirmed: one",
            "confirmed: \"one\"",
            "confirmed -> “one”",
            "[.] confirmed b'one'",
            "confirmed one\r\n",
        ] {
            assert!(is_said(line, &[(0, "one")]), "{line}");
        }
        for line in ["confirmedone", "is confirmed one", "one", "confirmed  one"] {
            assert!(!is_said(line, &[(0, "one")]), "{line}");
        }
    }

    #[test]
    fn a_body_is_compared_as_it_is() {
        assert!(is_said("confirmed   two  ", &[(0, "  two  ")]));
        assert!(is_said("confirmed 'two'", &[(0, "'two'")]));
        assert!(is_said("confirmed", &[(0, "")]));
        assert!(is_said("confirmed \n", &[(0, "")]));
        assert!(is_said("confirmed ''", &[(0, "")]));
        assert!(is_said("confirmed:\n", &[(0, "")]));
        assert!(is_said("confirmed \"a\\\"b\"", &[(0, "a\"b")]));
        assert!(is_said(
            "confirmed b\"it's\"\nreturned b'two'",
            &[(0, "it's"), (1, "two")]
        ));
        assert!(is_said("confirmed b'caf\\xe9'", &[(0, "caf\u{fffd}")]));
        assert!(is_said("confirmed confirmed", &[(0, "confirmed")]));
    }

    #[test]
    fn a_program_keeps_to_one_form() {
        let both = [(0, "one"), (1, "two")];
        assert!(is_said("confirmed 'one'\nchatter\nreturned 'two'\n", &both));
        assert!(!is_said("confirmed 'one'\nreturned two\n", &both));
        assert!(is_said("", &[]));
    }

    #[test]
    fn an_unfinished_line_says_nothing_yet() {
        assert_eq!(find_words("confirmed on", &WORDS, false)[0], []);
        assert_eq!(find_words("confirmed on", &WORDS, true)[0].len(), 1);
    }
}
