//! Reference models of routing: which messages an exchange copies to a queue, told by AMQP's rules and nothing else.
//!
//! A check holds what a broker delivers to a program against the model of the exchange that the chapter uses. The
//! models themselves are held against the broker in `tests/models.rs`.
//!
//! Each model is a function that tells whether *one* binding lets *one* message pass. What a queue gets follows from
//! that in the same way for all of them: one copy of each message that at least one of its bindings lets pass, in
//! the order in which the messages were published.

pub mod direct;
pub mod headers;
pub mod topic;

use std::fmt;

use self::headers::Headers;

/// A message, by what exchanges look at and by what consumers see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The routing key.
    pub key: String,
    /// The headers among its properties.
    pub headers: Headers,
    /// The body.
    pub body: String,
}

impl Message {
    /// A message with a routing key, and no headers.
    pub fn keyed(key: impl Into<String>, body: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            headers: Headers::new(),
            body: body.into(),
        }
    }

    /// A message with headers, and an empty routing key.
    pub fn headed(headers: Headers, body: impl Into<String>) -> Self {
        Self {
            key: String::new(),
            headers,
            body: body.into(),
        }
    }
}

/// By what it is routed.
impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.headers.is_empty() {
            return write!(f, "the routing key `{}`", self.key);
        }
        write!(f, "the headers {}", headers::shown(&self.headers))
    }
}

/// The messages of which a queue gets a copy; `passes` tells whether at least one of its bindings lets a message pass.
pub fn copies(
    published: &[Message],
    passes: impl Fn(&Message) -> bool,
) -> impl Iterator<Item = &Message> {
    published.iter().filter(move |message| passes(message))
}

/// Where what a queue got is not what the model says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// What the model says of a message, as the end of a sentence that begins with whoever gets it.
    pub expected: String,
    /// What it got of it, as a sentence.
    pub observed: String,
}

/// Holds the bodies that a queue got against the model: the first message of which it got too little or too much.
///
/// Messages with equal bodies are counted together: of each there is a copy.
pub fn disagreement(
    published: &[Message],
    passes: impl Fn(&Message) -> bool,
    got: &[String],
) -> Option<Disagreement> {
    for message in published {
        let count = got.iter().filter(|body| **body == message.body).count();
        let equal = published.iter().filter(|it| it.body == message.body);
        let wanted = equal.filter(|it| passes(it)).count();
        if count == wanted {
            continue;
        }
        let expected = match wanted {
            0 => format!("gets no message with {message}"),
            1 => format!("gets one copy of a message with {message}"),
            wanted => format!("gets a copy of each of the {wanted} equal messages with {message}"),
        };
        let mut others = got.iter();
        let other = others.find(|body| published.iter().all(|it| it.body != **body));
        let observed = match (count, other) {
            (0, Some(other)) => format!("it got {other:?} instead"),
            (0, None) => "it got none".to_owned(),
            (1, _) => "it got one".to_owned(),
            (count, _) => format!("it got {count} copies"),
        };
        return Some(Disagreement { expected, observed });
    }
    if let Some(other) = got
        .iter()
        .find(|body| published.iter().all(|it| it.body != **body))
    {
        return Some(Disagreement {
            expected: "gets only what was published".to_owned(),
            observed: format!("it got {other:?}"),
        });
    }
    let in_order = copies(published, passes).map(|message| &message.body);
    (!in_order.eq(got)).then(|| Disagreement {
        expected: "gets its messages in the order in which they were published".to_owned(),
        observed: format!("it got {got:?}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(got: &[&str]) -> Option<(String, String)> {
        let published = [
            Message::keyed("info", "one"),
            Message::keyed("error", "two"),
            Message::keyed("info", "three"),
        ];
        let got: Vec<_> = got.iter().map(ToString::to_string).collect();
        disagreement(&published, |it| direct::passes("info", &it.key), &got)
            .map(|it| (it.expected, it.observed))
    }

    #[test]
    fn what_the_model_says_is_right() {
        assert_eq!(told(&["one", "three"]), None);
    }

    #[test]
    fn of_equal_messages_each_counts() {
        let published = [(); 2].map(|()| Message::keyed("info", "same"));
        let told = |got: &[&str]| {
            let got: Vec<_> = got.iter().map(ToString::to_string).collect();
            disagreement(&published, |_| true, &got).map(|it| (it.expected, it.observed))
        };
        assert_eq!(told(&["same", "same"]), None);
        let expected = "gets a copy of each of the 2 equal messages with the routing key `info`";
        let observed = "it got one";
        assert_eq!(
            told(&["same"]),
            Some((expected.to_owned(), observed.to_owned()))
        );
    }

    #[test]
    fn the_first_message_that_differs_is_told() {
        let told = |got: &[&str]| told(got).expect("they disagree").1;
        assert_eq!(told(&["three"]), "it got none");
        assert_eq!(
            told(&["info: one", "three"]),
            "it got \"info: one\" instead"
        );
        assert_eq!(told(&["one", "one", "three"]), "it got 2 copies");
        assert_eq!(told(&["one", "two", "three"]), "it got one");
        assert_eq!(told(&["one", "three", "four"]), "it got \"four\"");
        assert_eq!(told(&["three", "one"]), "it got [\"three\", \"one\"]");
    }
}
