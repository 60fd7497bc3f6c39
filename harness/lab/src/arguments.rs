//! What a person types after a program's name.

use proptest::strategy::Strategy;

/// A word that is one argument: not empty, with blanks, quotes and equals signs in it.
pub fn word() -> impl Strategy<Value = String> {
    "[a-zé消😀'\"\\\\.:=]{1,12}|[!-~][ -~]{0,30}[!-~]"
}

/// Arguments of an example.
pub fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}
