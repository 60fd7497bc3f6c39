//! Publisher confirms: what the broker said of each message that a program published, and what the program says of it.
//!
//! The broker's word is on the tape: `basic.ack`, `basic.nack`, and `basic.return` before the ack of a message that
//! found no queue. A program that publishes a message again after a lost connection is judged by the last time.

mod cuts;
mod held;

use std::collections::{BTreeMap, HashMap};

use amqp_tap::story::Publish;
use workbook_diagnosis::{
    Ended,
    printed::{Said, find_words},
    quote::visible,
};
use workbook_report::failure::{Checked, Failure};

use crate::program::Program;

pub use cuts::{CutAt, CutPlace};
pub use held::{HeldConfirms, Release};

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Word {
    /// A queue has it.
    Confirmed,
    /// It found no queue: the broker returned it, and acknowledged it all the same.
    Returned,
    /// The broker could not or would not take it: `basic.nack`.
    Refused,
}

/// The words, as they are printed, in the order of [`Word`].
const WORDS: [&str; 3] = ["confirmed", "returned", "refused"];

impl Word {
    const ALL: [Self; 3] = [Self::Confirmed, Self::Returned, Self::Refused];

    /// As it is printed.
    pub fn as_str(self) -> &'static str {
        WORDS[self as usize]
    }

    /// What the broker did.
    fn deed(self) -> &'static str {
        match self {
            Self::Confirmed => {
                "the broker confirmed it, and a queue has it: basic.ack without basic.return"
            }
            Self::Returned => {
                "the broker returned it: basic.return 312 NO_ROUTE, and then basic.ack"
            }
            Self::Refused => "the broker refused it: basic.nack",
        }
    }
}

/// A message that a program published, each time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The connection that it was published on, from 1.
    pub connection: u32,
    /// Its event on the tape.
    pub event: u64,
    /// The body.
    pub body: Vec<u8>,
    /// The property `message_id`.
    pub id: Option<String>,
    /// The header `republished` is true.
    pub marked: bool,
    /// The exchange, and the routing key.
    pub target: (String, String),
    /// The flag `mandatory`.
    pub mandatory: bool,
    /// Published in confirm mode.
    pub confirms: bool,
    /// What the broker said of it, and the program could hear.
    pub word: Option<Word>,
}

impl Sent {
    fn of(publish: &Publish) -> Self {
        let headers = publish.headers.inner();
        Self {
            connection: publish.lane.connection,
            event: publish.asked.event,
            body: publish.body.clone(),
            id: publish.message_id.clone().filter(|id| !id.is_empty()),
            marked: headers.get("republished") == Some(&lapin::types::AMQPValue::Boolean(true)),
            target: (publish.exchange.clone(), publish.key.clone()),
            mandatory: publish.mandatory,
            confirms: publish.confirms,
            word: publish.confirmed.map(|_| match publish {
                Publish { nacked: true, .. } => Word::Refused,
                Publish {
                    returned: Some(_), ..
                } => Word::Returned,
                _ => Word::Confirmed,
            }),
        }
    }

    /// The body as text.
    pub fn text(&self) -> String {
        text(&self.body)
    }
}

impl Program {
    /// All messages that it published so far and that reached the broker, in order.
    pub fn sent(&self) -> Vec<Sent> {
        let story = self.story();
        let whole = story.publishes.iter().filter(|it| it.complete);
        whole.map(Sent::of).collect()
    }

    /// Waits until it has ended, and holds that it published each of these bodies, prints what became of it, once,
    /// and exits with code 0 if all were confirmed and with code 1 if not. Returns what became of them, in order.
    pub async fn tells_what_became_of(&self, bodies: &[Vec<u8>]) -> Result<Vec<Word>, Failure> {
        let ended = match self.ends().await {
            Ok(ended) => ended,
            Err(failure) => {
                // Without confirm mode there is nothing that it could wait for, and that is what to tell.
                if self.sent().iter().any(|sent| !sent.confirms) {
                    self.what_became_of(bodies)?;
                }
                return Err(failure);
            }
        };
        let words = self.what_became_of(bodies)?;
        let pairs: Vec<_> = words.iter().copied().zip(bodies.iter()).collect();
        self.printed_all(&pairs)?;
        let code = i32::from(words.iter().any(|word| *word != Word::Confirmed));
        if ended != Ended::Code(code) {
            let why = match code {
                0 => "all were confirmed",
                _ => "not all were confirmed",
            };
            let expected = format!("`{}` exits with code {code}: {why}", self.name());
            return Err(self.explain(Failure::new(expected, format!("it {ended}"))));
        }
        Ok(words)
    }

    /// What the broker said of each of these bodies, the last time that it was published.
    fn what_became_of(&self, bodies: &[Vec<u8>]) -> Result<Vec<Word>, Failure> {
        // A message that was published again is one message. Without an id, each is one of its own.
        let mut last: BTreeMap<(Option<String>, u64), Sent> = BTreeMap::new();
        for sent in self.sent() {
            let key = match &sent.id {
                Some(id) => (Some(id.clone()), 0),
                None => (None, sent.event),
            };
            last.insert(key, sent);
        }
        let mut by_body: HashMap<Vec<u8>, Vec<Sent>> = HashMap::new();
        let mut messages: Vec<Sent> = last.into_values().collect();
        messages.sort_by_key(|sent| sent.event);
        for sent in messages.into_iter().rev() {
            by_body.entry(sent.body.clone()).or_default().push(sent);
        }
        let mut words = Vec::new();
        for body in bodies {
            let shown = shown(body);
            let Some(sent) = by_body.get_mut(body).and_then(Vec::pop) else {
                let expected = format!(
                    "`{}` publishes a message for each line of its input, among them {shown}",
                    self.name()
                );
                let observed = "there is no such message, or fewer than there are such lines";
                return Err(self.explain(Failure::new(expected, observed)));
            };
            let Some(word) = sent.word else {
                let expected = format!(
                    "`{}` waits for the broker's confirm of each message, among them {shown}",
                    self.name()
                );
                let observed = match sent.confirms {
                    true => "it ended without that confirm",
                    false => "the channel was not in confirm mode: no confirm.select came before",
                };
                return Err(self.explain(Failure::new(expected, observed)));
            };
            words.push(word);
        }
        if let Some(sent) = by_body.into_values().flatten().min_by_key(|it| it.event) {
            let expected = format!(
                "`{}` publishes one message for each line of its input",
                self.name()
            );
            let observed = format!(
                "it published {} once more, as another message",
                shown(&sent.body)
            );
            return Err(Failure::new(expected, observed));
        }
        Ok(words)
    }

    /// Holds that the output says just this, in any order.
    fn printed_all(&self, wanted: &[(Word, &Vec<u8>)]) -> Checked {
        let output = self.stdout();
        let forms = find_words(&output, &WORDS, self.ended().is_some());
        let difference = |form: &Vec<Said>| {
            let mut extra: Vec<(Word, String)> = form
                .iter()
                .map(|(index, body)| (Word::ALL[*index], body.clone()))
                .collect();
            let mut missing = Vec::new();
            for (word, body) in wanted {
                let line = (*word, text(body));
                match extra.iter().position(|printed| *printed == line) {
                    Some(place) => drop(extra.remove(place)),
                    None => missing.push(line),
                }
            }
            (missing, extra)
        };
        let best = forms
            .iter()
            .map(difference)
            .min_by_key(|(missing, extra)| missing.len() + extra.len());
        let Some((missing, extra)) = best else {
            return Ok(());
        };
        let Some((expected, observed)) = self.told_of(&missing, &extra) else {
            return Ok(());
        };
        Err(self.explain(Failure::new(expected, observed)))
    }

    /// What is wrong with an output that misses some lines and has others too many; `None`: nothing is.
    fn told_of(
        &self,
        missing: &[(Word, String)],
        extra: &[(Word, String)],
    ) -> Option<(String, String)> {
        let name = self.name();
        let line = |(word, body): &(Word, String)| format!("`{} {}`", word.as_str(), visible(body));
        let swapped = |(word, body): &(Word, String)| {
            extra
                .iter()
                .any(|(other, text)| other != word && text == body)
        };
        let Some(first) = missing.first() else {
            let first = extra.first()?;
            return Some((
                format!("`{name}` prints one line for each message"),
                format!("it printed {} once too often", line(first)),
            ));
        };
        let (some, others) = (first.0, missing.iter().find(|it| it.0 != first.0));
        if let Some((other, _)) = others
            && missing.iter().all(swapped)
        {
            // Which of them it mixes up may be another time another one.
            return Some((
                format!("`{name}` prints of each message what became of this message"),
                format!(
                    "it mixed some of them up: it printed `{}` of one that was {}, and the other way round",
                    other.as_str(),
                    some.as_str(),
                ),
            ));
        }
        let observed = match extra.iter().find(|(_, text)| *text == first.1) {
            Some(other) => format!("it printed {}", line(other)),
            None => "it printed no such line".to_owned(),
        };
        Some((
            format!("`{name}` prints {}: {}", line(first), first.0.deed()),
            observed,
        ))
    }
}

/// A body as it is printed.
fn text(body: &[u8]) -> String {
    String::from_utf8_lossy(body).into_owned()
}

/// A body as it is shown in a failure.
fn shown(body: &[u8]) -> String {
    visible(&format!("{:?}", text(body)))
}
