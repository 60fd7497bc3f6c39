//! How a topic exchange compares the routing key of a message with the pattern of a binding.
//!
//! Both are words with dots between them; the empty text is no word at all, and a dot has a word on either side, be
//! it an empty one. In a pattern `*` stands for exactly one word, `#` for any number of them, also for none; every
//! other word stands for itself. In a key, `*` and `#` are words like any other.

/// Whether a message with this routing key goes where this pattern is bound.
///
/// Every way to share the words out is tried, so this is for keys of a few words.
pub fn passes(pattern: &str, key: &str) -> bool {
    words_pass(&words(pattern), &words(key))
}

fn words(text: &str) -> Vec<&str> {
    match text {
        "" => Vec::new(),
        text => text.split('.').collect(),
    }
}

fn words_pass(pattern: &[&str], key: &[&str]) -> bool {
    match pattern {
        [] => key.is_empty(),
        ["#", rest @ ..] => (0..=key.len()).any(|taken| words_pass(rest, &key[taken..])),
        [part, rest @ ..] => match key {
            [] => false,
            [word, more @ ..] => (*part == "*" || part == word) && words_pass(rest, more),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_without_wildcards_passes_itself_only() {
        assert!(passes("kern.critical", "kern.critical"));
        for key in [
            "kern",
            "kern.critical.disk",
            "kern.Critical",
            "kern..critical",
            "",
        ] {
            assert!(!passes("kern.critical", key), "{key}");
        }
    }

    #[test]
    fn a_star_is_one_word() {
        assert!(passes("*.orange.*", "quick.orange.rabbit"));
        assert!(passes("*", "lazy"));
        assert!(passes("*.a", ".a"), "an empty word is a word");
        for key in ["", "a.b", "."] {
            assert!(!passes("*", key), "{key}");
        }
        assert!(!passes("la*", "lazy"), "a star in a word is a letter");
    }

    #[test]
    fn a_hash_is_any_number_of_words() {
        for key in ["", "lazy", "lazy.orange.male.rabbit", ".", "*"] {
            assert!(passes("#", key), "{key}");
        }
        for key in ["lazy", "lazy.", "lazy.brown.fox"] {
            assert!(passes("lazy.#", key), "{key}");
        }
        assert!(passes("#.a.#.b", "a.b.a.c.b"));
        assert!(!passes("#.a.#.b", "b.c.a"));
        assert!(!passes("a#", "a.b"), "a hash in a word is a letter");
    }

    #[test]
    fn wildcards_in_a_key_stand_for_nothing() {
        assert!(!passes("lazy", "*"));
        assert!(!passes("lazy", "#"));
        assert!(passes("*", "#"));
    }
}
