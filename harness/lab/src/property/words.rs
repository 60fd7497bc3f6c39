//! How the case of a property is told to people.

use workbook_diagnosis::model::headers::Match;

/// A case, or a part of one, in words that need no knowledge of how it is made.
pub trait Words {
    /// The whole of it, in a line.
    fn words(&self) -> String;

    /// What it consists of, where that has names.
    fn parts(&self) -> Vec<String> {
        vec![self.words()]
    }

    /// It as one of several, where they are told apart.
    fn item(&self) -> String {
        self.words()
    }

    /// Whether several of them are one thing, as bytes are.
    const FUSE: bool = false;

    /// Several of them.
    fn list(all: &[Self]) -> String
    where
        Self: Sized,
    {
        let items: Vec<String> = all.iter().map(Words::item).collect();
        match items.as_slice() {
            [] => "none".to_owned(),
            items => items.join(", "),
        }
    }
}

impl Words for String {
    fn words(&self) -> String {
        format!("{self:?}")
    }
}

impl Words for u8 {
    const FUSE: bool = true;

    fn words(&self) -> String {
        self.to_string()
    }

    fn list(all: &[Self]) -> String {
        format!("\"{}\"", all.escape_ascii())
    }
}

impl Words for usize {
    fn words(&self) -> String {
        self.to_string()
    }
}

impl Words for bool {
    fn words(&self) -> String {
        if *self { "yes" } else { "no" }.to_owned()
    }
}

impl Words for Match {
    fn words(&self) -> String {
        self.as_str().to_owned()
    }
}

impl<T: Words> Words for Vec<T> {
    fn words(&self) -> String {
        T::list(self)
    }

    fn item(&self) -> String {
        match T::FUSE {
            true => self.words(),
            // One must see where each of them ends.
            false => format!("[{}]", self.words()),
        }
    }
}

macro_rules! tuples {
    ($(($($part:ident)+))+) => {$(
        impl<$($part: Words),+> Words for ($($part,)+) {
            fn words(&self) -> String {
                self.parts().join("; ")
            }

            #[expect(non_snake_case, reason = "a part has the name of its type")]
            fn parts(&self) -> Vec<String> {
                let ($($part,)+) = self;
                vec![$($part.words()),+]
            }

            fn item(&self) -> String {
                format!("({})", self.parts().join(", "))
            }
        }
    )+};
}

tuples! { (A B) (A B C) }

/// A case in words: each of its parts with the name that the check gives it.
pub(super) fn shown_case(case: &impl Words, pattern: &str) -> String {
    let names = names(pattern);
    let parts = case.parts();
    if names.len() != parts.len() {
        return case.words();
    }
    let named = names.iter().zip(parts);
    let named = named.map(|(name, part)| format!("{name}: {part}"));
    named.collect::<Vec<_>>().join("; ")
}

/// The names that a pattern binds: `(mode, Body(text))` binds `mode` and `text`.
fn names(pattern: &str) -> Vec<String> {
    let words = pattern.split(|c: char| !c.is_alphanumeric() && c != '_');
    let bound = words.filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase()));
    let bound = bound.filter(|word| !["mut", "ref"].contains(word));
    bound.map(|name| name.replace('_', " ")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn each_part_has_the_name_that_the_check_gives_it() {
        let case = (texts(&["one...", "two"]), 1_usize);
        assert_eq!(
            shown_case(&case, "(tasks, worker_count)"),
            r#"tasks: "one...", "two"; worker count: 1"#
        );
        assert_eq!(shown_case(&texts(&[]), "words"), "words: none");
        let three = (true, "x".to_owned(), 3_usize);
        assert_eq!(
            shown_case(&three, "(mut direct, Body(text), ref n)"),
            r#"direct: yes; text: "x"; n: 3"#
        );
        // A name for the whole says nothing of its parts.
        assert_eq!(shown_case(&case, "case"), r#""one...", "two"; 1"#);
    }

    #[test]
    fn bytes_are_text_and_lists_of_lists_are_told_apart() {
        let bodies = vec![vec![0xff_u8], b"caf\xe9".to_vec()];
        assert_eq!(bodies.words(), r#""\xff", "caf\xe9""#);
        let lists = vec![texts(&["a", "b"]), texts(&[]), texts(&["c"])];
        assert_eq!(lists.words(), r#"["a", "b"], [none], ["c"]"#);
        let pairs = vec![("a".to_owned(), false)];
        assert_eq!(pairs.words(), r#"("a", no)"#);
    }
}
