//! Findings: what went wrong between a program and the broker, named, explained, and proved by frames.
//!
//! [`findings`] reads the tapes of all programs of one lab, which share a virtual host, and applies one short rule
//! after the other. A rule claims nothing that the tapes do not prove: where another program, or the lab itself, may
//! have done something that is on no tape, it stays silent. A correct program shows no finding at all.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `id` | the table of all findings |
//! | `account` | the [story](amqp_tap::story) of one program's tape, and what was seen of it beside |
//! | `world` | the stories of all programs side by side: which queue was there when |
//! | `spoken` | what printed lines claim |
//! | `refusals`, `publishing`, `confirming`, `leftovers`, `routing`, `headed`, `calls`, `settling`, `consuming`, `connections` | the rules |
//! | `catalogue` | titles and explanations, in the languages of the course |

mod account;
mod calls;
mod catalogue;
mod confirming;
mod connections;
mod consuming;
mod headed;
mod id;
mod leftovers;
mod publishing;
mod refusals;
mod routing;
mod settling;
pub mod spoken;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod world;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use account::Account;
use amqp_tap::Event;
use serde::{Deserialize, Serialize};
use workbook_course::{Ask, Language};

use crate::{Ended, quote::visible};
pub use id::FindingId;
pub use refusals::anonymous;
use world::World;

/// The queue of direct reply-to: a request that names it gets an address of its own in its place.
pub const DIRECT: &str = "amq.rabbitmq.reply-to";

/// What is known of one program when findings are drawn.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Its name and arguments, as they are shown.
    pub program: &'a str,
    /// Its name, and then its arguments.
    pub argv: &'a [String],
    /// Whether there was a broker that it could connect to.
    pub reachable: bool,
    /// When its tape began: tapes of several programs are merged by it.
    pub began: SystemTime,
    /// How long it works for each `.` in a body; it prints `Done` afterwards. `None`: it is no worker.
    pub task_unit: Option<Duration>,
    /// Its tape.
    pub events: &'a [Arc<Event>],
    /// What it printed on standard output.
    pub printed: &'a [Printed],
    /// When Ctrl-C was pressed, since the tape began.
    pub interrupted: Option<Duration>,
    /// How it ended; `None` while it runs.
    pub ended: Option<Ended>,
    /// When all this was looked at, since the tape began.
    pub looked: Duration,
}

/// A line on a program's standard output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printed {
    /// When its end was read, since the tape began.
    pub at: Duration,
    /// The line, without its end.
    pub line: String,
}

/// What the caller knows beside the tapes, and which rules its chapter asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// Queues that were there, at some time, for a reason that is on no tape: the lab declared them.
    ///
    /// Nothing is said to be discarded on its way to one of these.
    pub queues: BTreeSet<String>,
    /// The queue names that the exercise's text gives: what comes near to one of them is a slip.
    pub names: BTreeSet<String>,
    /// The bodies that the exercise's text gives, for a program that gets no arguments.
    pub bodies: Vec<Vec<u8>>,
    /// The exchanges that the exercise's text gives.
    pub exchanges: BTreeSet<String>,
    /// What the chapter asks for.
    pub asks: BTreeSet<Ask>,
    /// What was left when all programs had ended, where a check looked.
    pub left: Left,
    /// The virtual host was empty at first, and the lab declares no exchange but those of the text: what no tape
    /// shows to be declared is not there.
    pub fresh: bool,
}

/// What stays in a virtual host although no exercise's text gives it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Queues, by name.
    pub queues: BTreeSet<String>,
    /// Exchanges, by name.
    pub exchanges: BTreeSet<String>,
    /// Bindings: the exchange that messages come from, and the queue or exchange that they go to.
    pub bindings: BTreeSet<(String, String)>,
}

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It is why a check does not hold.
    Error,
    /// It works, but not as it should.
    Advice,
}

/// One thing that went wrong, with the frames that prove it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What it is about.
    pub id: FindingId,
    /// How grave it is.
    pub severity: Severity,
    /// The program's name and arguments.
    pub program: String,
    /// Which of the programs it is: its place among those that were given.
    pub place: usize,
    /// The numbers of the events on the program's tape that prove it, in order.
    pub evidence: Vec<u64>,
    /// Events on other programs' tapes that belong to it.
    pub elsewhere: Vec<Elsewhere>,
    /// What the message catalogue puts into its texts: harmless to show.
    pub arguments: BTreeMap<String, String>,
    /// The page and anchor that teach it, such as `hello-world.html#receiving`.
    pub chapter: Cow<'static, str>,
}

/// An event on another program's tape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elsewhere {
    /// The program's name and arguments.
    pub program: String,
    /// Its place among those that were given.
    pub place: usize,
    /// The event's number on its tape.
    pub event: u64,
}

/// What the tapes of one lab prove, with nothing known beside them.
pub fn findings(all: &[Seen<'_>]) -> Vec<Finding> {
    findings_given(all, &Given::default())
}

/// What the tapes of one lab prove: errors first, then advice, each in the order of the programs.
pub fn findings_given(all: &[Seen<'_>], given: &Given) -> Vec<Finding> {
    let world = World::of(all, given);
    let mut found: Vec<Finding> = Vec::new();
    for story in &world.stories {
        let mut own: Vec<Finding> = refusals::refusals(&world, story);
        own.extend(RULES.iter().filter_map(|rule| rule(&world, story)));
        hush(&mut own);
        found.extend(own);
    }
    found.sort_by_key(|finding| (finding.severity, finding.place));
    found
}

/// A rule: what it finds in one program's story.
type Rule = fn(&World<'_>, &Account<'_>) -> Option<Finding>;

/// Causes come before what follows from them.
const RULES: &[Rule] = &[
    connections::unreadable,
    connections::frame_too_large,
    connections::negotiation_refused,
    connections::not_opened,
    connections::limit_passed,
    publishing::discarded,
    publishing::not_flushed,
    publishing::sent_too_early,
    publishing::other_body,
    publishing::unused_queue,
    publishing::purged,
    publishing::confirm_not_awaited,
    confirming::reported_as_confirmed,
    publishing::returned_ignored,
    confirming::mode_missing,
    confirming::multiple_ignored,
    confirming::unmarked,
    publishing::declared_nothing,
    publishing::queue_not_durable,
    publishing::message_not_persistent,
    leftovers::left_behind,
    routing::other_exchange,
    routing::other_key,
    headed::other_headers,
    headed::other_x_match,
    routing::shared_queue,
    routing::queue_per_binding,
    routing::not_exclusive,
    routing::not_bound,
    routing::argument_not_bound,
    calls::misdirected_reply,
    calls::reply_without_id,
    calls::ack_before_reply,
    calls::reused_id,
    calls::foreign_reply,
    settling::unacked,
    settling::ack_before_done,
    settling::redelivery_loop,
    consuming::stopped_early,
    consuming::polls,
    consuming::died_on_delivery,
    consuming::bytes_printed,
    settling::work_lost,
    consuming::prefetch_too_late,
    consuming::prefetch_missing,
    consuming::prefetch_global,
    connections::never_connected,
    connections::not_closed,
    connections::lost_and_ignored,
    connections::interrupt_ignored,
    connections::heartbeat_missed,
    connections::churn,
    connections::blocked,
];

/// Leaves out what only follows from something else that was found.
fn hush(own: &mut Vec<Finding>) {
    use FindingId as Id;
    let has = |id: &[Id]| own.iter().any(|finding| id.contains(&finding.id));
    let refused = own
        .iter()
        .any(|finding| refusals::IDS.contains(&finding.id));
    let cut = has(&[
        Id::Unreadable,
        Id::FrameTooLarge,
        Id::NegotiationRefused,
        Id::ConnectionNotOpened,
        Id::LimitPassed,
    ]);
    let missing = has(&[Id::DiscardedPublish, Id::UnusedQueue]) || refused;
    let dead = has(&[Id::DiedOnDelivery, Id::HeartbeatMissed]);
    // Whether a message still reached a program that is about to leave is up to the moment.
    let left = has(&[Id::StoppedEarly]);
    let transient: Vec<String> = own
        .iter()
        .filter(|finding| finding.id == Id::QueueNotDurable)
        .map(|finding| finding.arguments["queue"].clone())
        .collect();
    own.retain(|finding| match finding.id {
        Id::InequivalentArguments => {
            finding.arguments["argument"] != "durable"
                || !transient.contains(&finding.arguments["name"])
        }
        Id::DeclaredNothing => !missing && !cut,
        Id::ConnectionNotClosed
        | Id::StoppedEarly
        | Id::PublishNotFlushed
        | Id::ConfirmNotAwaited
        | Id::DiedOnDelivery
        | Id::UnackedDeliveries => !refused && !cut,
        Id::WorkLost => !refused && !cut && !left && !dead,
        Id::LostConnectionIgnored => !refused && !cut && !dead,
        _ => true,
    });
}

impl Finding {
    fn new(id: FindingId, story: &Account<'_>) -> Self {
        Self {
            id,
            severity: id.severity(),
            program: story.seen.program.to_owned(),
            place: story.place,
            evidence: Vec::new(),
            elsewhere: Vec::new(),
            arguments: BTreeMap::from([("program".to_owned(), visible(story.seen.program))]),
            chapter: Cow::Borrowed(id.chapter()),
        }
    }

    fn proved_by(mut self, events: impl IntoIterator<Item = u64>) -> Self {
        self.evidence.extend(events);
        self.evidence.sort_unstable();
        self.evidence.dedup();
        self
    }

    fn and_by(mut self, story: &Account<'_>, event: u64) -> Self {
        if story.place == self.place {
            return self.proved_by([event]);
        }
        self.elsewhere.push(Elsewhere {
            program: story.seen.program.to_owned(),
            place: story.place,
            event,
        });
        self
    }

    /// It is no advice here, but why a check does not hold.
    fn graver(mut self, is: bool) -> Self {
        if is {
            self.severity = Severity::Error;
        }
        self
    }

    fn with(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.arguments
            .insert(name.to_owned(), visible(&value.to_string()));
        self
    }

    /// A short name for it, in a language.
    pub fn title(&self, language: Language) -> String {
        catalogue::title(self, language)
    }

    /// A paragraph: what happened in AMQP's words, why, and what to do.
    pub fn explanation(&self, language: Language) -> String {
        catalogue::explanation(self, language)
    }
}
