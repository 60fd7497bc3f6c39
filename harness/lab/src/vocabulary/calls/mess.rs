//! A server that replies late, twice, in any order, and with what belongs to others.

use std::collections::BTreeSet;

use proptest::{
    collection::{btree_set, vec},
    sample::select,
    strategy::Strategy,
};
use workbook_report::failure::Checked;

use super::Call;
use crate::{judge::Letter, lab::Lab, property::Words};

/// What a server can do to a client before it replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trick {
    /// A reply with an id that nobody knows.
    Forged,
    /// A reply without an id.
    NoId,
    /// A reply with an id that is there, and empty.
    EmptyId,
    /// A reply whose id begins as the right one does.
    Longer,
    /// A reply with the beginning of the right id.
    Shorter,
    /// A reply with the right id, but for which of its letters are capital ones.
    OtherCase,
    /// The reply to another client.
    OfAnother,
    /// An error with an id that nobody knows.
    Error,
    /// Bytes that are no text, with an id that nobody knows.
    Bytes,
}

/// Clients that wait at the same time, and what the server does to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mess {
    /// Tricks, each on one of the clients.
    pub tricks: Vec<(usize, Trick)>,
    /// The numbers that are asked for, in the order in which the right replies come. Each reply comes twice.
    pub replies: Vec<u8>,
}

impl Words for Mess {
    fn words(&self) -> String {
        let asked: BTreeSet<&u8> = self.replies.iter().collect();
        let asked: Vec<String> = asked.into_iter().map(u8::to_string).collect();
        let tricks = self.tricks.iter().map(|(to, trick)| {
            let to = &asked[to % asked.len().max(1)];
            format!("who asks for {to} gets {}", trick.words())
        });
        let replies: Vec<String> = self.replies.iter().map(u8::to_string).collect();
        let replies = format!("then come the right replies, for {}", replies.join(", "));
        tricks.chain([replies]).collect::<Vec<_>>().join("; ")
    }
}

impl Mess {
    /// Any mess with one to three clients.
    pub fn any() -> impl Strategy<Value = Self> {
        let tricks = select(Trick::ALL.to_vec());
        let numbers = btree_set(0..=90_u8, 1..=3).prop_map(Vec::from_iter);
        let mess = (vec((0..3_usize, tricks), 0..=5), numbers.prop_shuffle());
        mess.prop_map(|(tricks, replies)| Self { tricks, replies })
    }

    /// One client, and one reply that is not its own.
    pub fn simplest() -> Self {
        Self {
            tricks: vec![(0, Trick::Forged)],
            replies: vec![7],
        }
    }

    /// One client, and every trick on it.
    pub fn every_trick() -> Self {
        Self {
            tricks: Trick::ALL.map(|trick| (0, trick)).to_vec(),
            replies: vec![7],
        }
    }

    /// Two clients, and the one gets the reply to the other.
    pub fn crossed() -> Self {
        Self {
            tricks: vec![(0, Trick::OfAnother)],
            replies: vec![7, 8],
        }
    }
}

impl Trick {
    const ALL: [Self; 9] = [
        Self::Forged,
        Self::NoId,
        Self::EmptyId,
        Self::Longer,
        Self::Shorter,
        Self::OtherCase,
        Self::OfAnother,
        Self::Error,
        Self::Bytes,
    ];

    fn words(self) -> &'static str {
        match self {
            Self::Forged => "a reply with an id that nobody knows",
            Self::NoId => "a reply without an id",
            Self::EmptyId => "a reply whose id is there, and empty",
            Self::Longer => "a reply whose id begins as its own does, and is longer",
            Self::Shorter => "a reply with the beginning of its own id",
            Self::OtherCase => "a reply with its own id in other upper and lower case",
            Self::OfAnother => "the reply to another client",
            Self::Error => "an error with an id that nobody knows",
            Self::Bytes => "bytes that are no text, with an id that nobody knows",
        }
    }

    fn letter(self, call: &Call, other: &Call) -> Letter {
        let wrong = Letter::new("666");
        let its = call.request.correlation_id.as_deref().unwrap_or_default();
        match self {
            Self::Forged => wrong.with_id("forged"),
            Self::NoId => wrong,
            Self::EmptyId => wrong.with_id(""),
            // A name is at most 255 bytes long.
            Self::Longer if its.len() < 255 => wrong.with_id(format!("{its}0")),
            Self::Longer => wrong.with_id("longer"),
            Self::Shorter => {
                let end = its.char_indices().next_back().map_or(0, |(end, _)| end);
                wrong.with_id(&its[..end])
            }
            Self::OtherCase => {
                let other = |c: char| match c.is_ascii_uppercase() {
                    true => c.to_ascii_lowercase(),
                    false => c.to_ascii_uppercase(),
                };
                match its.chars().map(other).collect::<String>() {
                    same if same == its => wrong.with_id("another"),
                    different => wrong.with_id(different),
                }
            }
            Self::OfAnother if other.request != call.request => other.reply("666"),
            Self::OfAnother => wrong.with_id("another"),
            Self::Error => Letter {
                error: true,
                ..wrong.with_id("another")
            },
            Self::Bytes => Letter::new(*b"\xff\xfe").with_id("bytes"),
        }
    }
}

impl Lab {
    /// Holds that each client prints the result in its own reply, whatever else comes to it.
    pub async fn replies_in_a_mess(&self, queue: &str, program: &str, mess: &Mess) -> Checked {
        let numbers: BTreeSet<u8> = mess.replies.iter().copied().collect();
        let asked: Vec<String> = numbers.iter().map(u8::to_string).collect();
        let clients: Vec<_> = asked.iter().map(|n| (program, n.as_str())).collect();
        let calls = self.is_asked_by(queue, &clients).await?;
        for (to, trick) in &mess.tricks {
            let (call, other) = (&calls[to % calls.len()], &calls[(to + 1) % calls.len()]);
            call.gets(&trick.letter(call, other)).await?;
        }
        for n in &mess.replies {
            let Some(place) = numbers.iter().position(|it| it == n) else {
                continue;
            };
            // Not what the client could have reckoned out by itself.
            let (call, result) = (&calls[place], (1000 + u32::from(*n)).to_string());
            let reply = call.reply(result.as_str());
            call.gets(&reply).await?;
            call.gets(&reply).await?;
            call.succeeds_with(&result).await?;
        }
        Ok(())
    }
}
