//! A connection that is cut between a publish and its confirm, and what is published again.

use std::collections::{BTreeSet, HashMap};

use amqp_tap::{Cut, Fault, Injected, Rule, broker, client};
use proptest::{
    prop_oneof,
    strategy::{Just, Strategy},
};
use workbook_report::failure::{Checked, Failure};

use super::{Sent, Word, shown};
use crate::{program::Program, property::Words};

/// Where a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutPlace {
    /// Before this message reaches the broker, from 1.
    BeforeMessage(u64),
    /// After this message was passed on to the broker, from 1.
    AfterMessage(u64),
    /// Before the first confirm reaches the program.
    BeforeConfirm,
}

/// Where and how a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CutAt {
    /// Where.
    pub place: CutPlace,
    /// How.
    pub cut: Cut,
}

impl Words for CutAt {
    fn words(&self) -> String {
        let place = match self.place {
            CutPlace::BeforeMessage(nth) => format!("before message {nth}"),
            CutPlace::AfterMessage(nth) => format!("after message {nth}"),
            CutPlace::BeforeConfirm => "before the first confirm".to_owned(),
        };
        let cut = match self.cut {
            Cut::Clean => "closed",
            Cut::Reset => "reset",
        };
        format!("{place}, the connection is {cut}")
    }
}

impl CutAt {
    /// Any cut of a program that publishes so many messages, at least one.
    pub fn any(messages: usize) -> impl Strategy<Value = Self> {
        let nth = 1..=u64::try_from(messages.max(1)).unwrap_or(u64::MAX);
        let place = prop_oneof![
            nth.clone().prop_map(CutPlace::BeforeMessage),
            nth.prop_map(CutPlace::AfterMessage),
            Just(CutPlace::BeforeConfirm),
        ];
        let cut = prop_oneof![Just(Cut::Clean), Just(Cut::Reset)];
        (place, cut).prop_map(|(place, cut)| Self { place, cut })
    }

    /// Has it happen to a program that has not yet published.
    pub fn awaits(self, program: &Program) -> Option<Injected> {
        let rule = match self.place {
            CutPlace::BeforeMessage(nth) => Rule::before(client("basic.publish")).nth(nth),
            CutPlace::AfterMessage(nth) => Rule::after(client("basic.publish")).nth(nth),
            CutPlace::BeforeConfirm => Rule::before(broker("basic.ack")),
        };
        program.inject(Fault::Cut(self.cut), rule)
    }
}

impl Program {
    /// Resets all its connections, which it must still have.
    pub fn is_cut(&self) -> Checked {
        let injected = self.inject(Fault::Cut(Cut::Reset), Rule::now());
        if injected.is_some_and(|injected| injected.hit().is_some()) {
            return Ok(());
        }
        let expected = format!(
            "`{}` keeps its connection until it has the confirms of all its messages",
            self.name()
        );
        Err(self.explain(Failure::new(expected, "it has none any more")))
    }

    /// Holds that each of its messages has a `message_id` of its own, however often it was published; and that what it
    /// published again, on another connection, has the header `republished` = true.
    ///
    /// One that publishes `one_by_one` has read the confirm of each message before it published the next; so it has no
    /// reason to publish such a message again.
    pub fn republishes_as_agreed(&self, one_by_one: bool) -> Checked {
        let sent = self.sent();
        self.has_ids(&sent)?;
        let mut first: HashMap<&str, &Sent> = HashMap::new();
        let mut confirmed: BTreeSet<&str> = BTreeSet::new();
        for message in &sent {
            let id = message.id.as_deref().unwrap_or_default();
            if let Some(before) = first.get(id)
                && before.connection != message.connection
                && !message.marked
            {
                return Err(Failure::new(
                    format!(
                        "`{}` publishes {} again with the header republished = true",
                        self.name(),
                        shown(&message.body)
                    ),
                    "it published it again without that header",
                ));
            }
            if confirmed.contains(id) {
                return Err(Failure::new(
                    format!(
                        "`{}` publishes no message again that was confirmed to it",
                        self.name()
                    ),
                    format!("it published {} again", shown(&message.body)),
                ));
            }
            let goes_on = || {
                let mut later = sent.iter().filter(|it| it.event > message.event);
                later.any(|it| it.connection == message.connection)
            };
            if one_by_one && message.word == Some(Word::Confirmed) && goes_on() {
                confirmed.insert(id);
            }
            first.entry(id).or_insert(message);
        }
        Ok(())
    }

    /// One id for each message, and one message for each id.
    fn has_ids(&self, sent: &[Sent]) -> Checked {
        let expected = format!(
            "`{}` gives each message a message_id of its own, which it keeps when it is published again",
            self.name()
        );
        let mut bodies: HashMap<&str, (&[u8], u32)> = HashMap::new();
        for message in sent {
            let Some(id) = message.id.as_deref() else {
                let observed = format!("the message {} has none", shown(&message.body));
                return Err(Failure::new(expected, observed));
            };
            let own = (&message.body[..], message.connection);
            match bodies.insert(id, own) {
                Some((body, connection)) if body != own.0 || connection == own.1 => {
                    let observed = format!(
                        "the messages {} and {} have the same",
                        shown(body),
                        shown(own.0)
                    );
                    return Err(Failure::new(expected, observed));
                }
                _ => {}
            }
        }
        Ok(())
    }
}
