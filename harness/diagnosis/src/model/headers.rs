//! Headers exchanges (AMQP 0-9-1 §3.1.3.4): the message's headers hold all, or any, of the pairs that the binding names.
//!
//! RabbitMQ's own additions are part of the model: pairs whose name begins with `x-` do not count, and a text never
//! equals a number.

use std::{collections::BTreeMap, fmt};

use amq_protocol::types::{AMQPValue, FieldTable};

/// Headers, by name.
pub type Headers = BTreeMap<String, Value>;

/// The value of a header.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Integer(number) => write!(f, "{number}"),
        }
    }
}

/// As a person writes it, so that a case of a property can be read.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<&Value> for AMQPValue {
    fn from(value: &Value) -> Self {
        match value {
            Value::Text(text) => Self::LongString(text.as_str().into()),
            Value::Integer(number) => Self::LongLongInt(*number),
        }
    }
}

/// How many of a binding's pairs a message must have: `x-match`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Match {
    /// Every one of them. It is what a binding without `x-match` means.
    All,
    /// At least one of them.
    Any,
}

impl Match {
    /// The value of `x-match`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Any => "any",
        }
    }
}

/// What a binding to a headers exchange asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// How many of the pairs count.
    pub how: Match,
    /// The pairs.
    pub headers: Headers,
}

impl Binding {
    /// A binding that asks for so many of these pairs.
    pub fn new(how: Match, headers: Headers) -> Self {
        Self { how, headers }
    }

    /// The pairs that count: not those whose name begins with `x-`.
    pub fn counting(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.headers
            .iter()
            .filter(|(name, _)| !name.starts_with("x-"))
    }

    /// The arguments of `queue.bind`.
    pub fn arguments(&self) -> FieldTable {
        let mut arguments = table(&self.headers);
        arguments.insert(
            "x-match".into(),
            AMQPValue::LongString(self.how.as_str().into()),
        );
        arguments
    }
}

/// As [`shown_binding`] shows its arguments.
impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown_binding(&self.arguments()))
    }
}

/// Whether a binding lets a message with these headers pass.
pub fn passes(binding: &Binding, headers: &Headers) -> bool {
    let mut pairs = binding.counting();
    let has = |(name, value): (&String, &Value)| headers.get(name) == Some(value);
    match binding.how {
        Match::All => pairs.all(has),
        Match::Any => pairs.any(has),
    }
}

/// Headers as AMQP carries them: integers of 64 bits, and texts.
pub fn table(headers: &Headers) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in headers {
        table.insert(name.as_str().into(), value.into());
    }
    table
}

/// The headers that arguments such as `format=pdf` and `pages=3` stand for: `-` or nothing and then 1 to 18 digits is an
/// integer, everything else a text. Arguments without `=` are left out.
pub fn of(pairs: &[impl AsRef<str>]) -> Headers {
    let typed = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        let digits = value.strip_prefix('-').unwrap_or(value);
        let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
        let value = match value.parse() {
            Ok(number) if all_digits && digits.len() <= 18 => Value::Integer(number),
            _ => Value::Text(value.to_owned()),
        };
        Some((name.to_owned(), value))
    };
    pairs
        .iter()
        .filter_map(|pair| typed(pair.as_ref()))
        .collect()
}

/// Headers as one line: `format="pdf", pages=3`.
pub fn shown(headers: &Headers) -> String {
    shown_table(&table(headers))
}

/// A table of AMQP as one line, by name: integers are the same, in however many bytes they came.
pub fn shown_table(table: &FieldTable) -> String {
    let pairs: BTreeMap<&str, String> = table
        .inner()
        .iter()
        .map(|(name, value)| (name.as_str(), shown_value(value)))
        .collect();
    let pairs = pairs
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"));
    pairs.collect::<Vec<_>>().join(", ")
}

/// The arguments of a binding as one line, `x-match` first; where it is missing, `all` is meant.
pub fn shown_binding(arguments: &FieldTable) -> String {
    let shown = shown_table(&counting(arguments));
    let separator = if shown.is_empty() { "" } else { ", " };
    format!("x-match={}{separator}{shown}", x_match(arguments))
}

/// What a binding says about how many pairs must match.
pub fn x_match(arguments: &FieldTable) -> String {
    match arguments.inner().get("x-match") {
        None => Match::All.as_str().to_owned(),
        Some(AMQPValue::LongString(how)) => how.to_string(),
        Some(AMQPValue::ShortString(how)) => how.to_string(),
        Some(other) => format!("{other:?}"),
    }
}

/// The arguments of a binding without `x-match`.
pub fn counting(arguments: &FieldTable) -> FieldTable {
    let mut others = FieldTable::default();
    for (name, value) in arguments.inner() {
        if name.as_str() != "x-match" {
            others.insert(name.clone(), value.clone());
        }
    }
    others
}

fn shown_value(value: &AMQPValue) -> String {
    match value {
        AMQPValue::LongString(text) => format!("{:?}", text.to_string()),
        AMQPValue::ShortString(text) => format!("{:?}", text.to_string()),
        AMQPValue::ShortShortInt(number) => number.to_string(),
        AMQPValue::ShortShortUInt(number) => number.to_string(),
        AMQPValue::ShortInt(number) => number.to_string(),
        AMQPValue::ShortUInt(number) => number.to_string(),
        AMQPValue::LongInt(number) => number.to_string(),
        AMQPValue::LongUInt(number) => number.to_string(),
        AMQPValue::LongLongInt(number) => number.to_string(),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_integers_and_all_else_is_text() {
        let headers = of(&[
            "a=3",
            "b=-03",
            "c=",
            "d=-",
            "e=1.5",
            "f=1234567890123456789",
            "g=x=1",
            "h=+1",
            "none",
        ]);
        assert_eq!(
            shown(&headers),
            r#"a=3, b=-3, c="", d="-", e="1.5", f="1234567890123456789", g="x=1", h="+1""#
        );
    }

    #[test]
    fn a_binding_without_x_match_means_all() {
        let binding = Binding::new(Match::All, of(&["a=3"]));
        assert_eq!(binding.to_string(), "x-match=all, a=3");
        assert_eq!(shown_binding(&table(&binding.headers)), "x-match=all, a=3");
        let any = Binding::new(Match::Any, Headers::new());
        assert_eq!(any.to_string(), "x-match=any");
    }
}
