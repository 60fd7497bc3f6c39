//! Topic exchanges: random keys and patterns for the model.

use proptest::{collection::vec, sample::select, strategy::Strategy};

pub use workbook_diagnosis::model::topic::passes;

/// The most words of a random key or pattern.
const WORDS: usize = 6;

/// The most `#` of a pattern. RabbitMQ 3.10 takes any number; 4.3 answers one more with `406 PRECONDITION_FAILED`.
pub const HASHES: usize = 2;

/// Random routing keys of 0 to 6 words, with empty ones among them. The simplest is the empty key.
pub fn key() -> impl Strategy<Value = String> {
    dotted(&["a", "b", "a", "b", "", "*", "#", "a b"])
}

/// Random patterns of 0 to 6 words; about half of these are wildcards. The simplest is the empty pattern.
///
/// RabbitMQ 4.3 takes no pattern with more than [`HASHES`]. What is beyond becomes a `*`.
pub fn pattern() -> impl Strategy<Value = String> {
    dotted(&["a", "*", "#", "b", "*", "#", "", "a b"]).prop_map(|pattern| {
        let mut hashes = 0;
        let words = pattern.split('.').map(|word| {
            hashes += usize::from(word == "#");
            if word == "#" && hashes > HASHES {
                "*"
            } else {
                word
            }
        });
        words.collect::<Vec<_>>().join(".")
    })
}

/// The smallest of these texts is the empty one, then come those of the first words.
fn dotted(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    vec(select(words), 0..=WORDS).prop_map(|words| words.join("."))
}

#[cfg(test)]
mod tests {
    use proptest::{strategy::ValueTree as _, test_runner::TestRunner};

    use super::*;

    #[test]
    fn random_pairs_fit_now_and_then() {
        let mut runner = TestRunner::deterministic();
        let mut pair = || {
            let tree = (pattern(), key()).new_tree(&mut runner).unwrap();
            tree.current()
        };
        let fit = (0..2_000)
            .map(|_| pair())
            .filter(|(pattern, key)| passes(pattern, key));
        let fit = fit.count();
        assert!((200..1_000).contains(&fit), "{fit} of 2000");
    }
}
