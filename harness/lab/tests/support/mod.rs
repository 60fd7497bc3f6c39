//! What is recorded of a program, and small lapin programs that each do one thing wrong.

// Each user needs a part of it.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "it is shared by two tests and an example"
)]
#![allow(
    clippy::expect_used,
    reason = "a test may stop at what it does not expect"
)]

pub mod scenes;
mod stage;
mod wire;

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, SystemTime},
};

use amqp_tap::{Event, Tape, What};
use serde::{Deserialize, Serialize};
use workbook_diagnosis::{
    Ended,
    finding::{Finding, Printed, Seen},
};

/// How long anything may take.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// What is known of a program beside its tape.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct About {
    pub tape: String,
    pub program: String,
    pub printed: Vec<Line>,
    pub interrupted_us: Option<u64>,
    /// Its exit code; nothing where a signal ended it.
    pub ended: Option<i32>,
    /// It had not ended when it was looked at.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub runs: bool,
    pub looked_us: u64,
}

/// A line on its standard output.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Line {
    pub at_us: u64,
    pub line: String,
}

/// A program as it was recorded.
pub struct Part {
    about: About,
    began: SystemTime,
    events: Vec<Arc<Event>>,
    printed: Vec<Printed>,
}

impl Part {
    pub fn new(about: About, tape: &Tape) -> Self {
        let printed = about.printed.iter().map(|line| Printed {
            at: Duration::from_micros(line.at_us),
            line: line.line.clone(),
        });
        Self {
            began: tape.began(),
            events: tape.events(),
            printed: printed.collect(),
            about,
        }
    }

    pub fn seen(&self) -> Seen<'_> {
        let code = self.about.ended.map(Ended::Code);
        Seen {
            program: &self.about.program,
            reachable: true,
            began: self.began,
            task_unit: self
                .about
                .program
                .starts_with("worker")
                .then_some(Duration::from_millis(200)),
            events: &self.events,
            printed: &self.printed,
            interrupted: self.about.interrupted_us.map(Duration::from_micros),
            ended: (!self.about.runs).then(|| code.unwrap_or(Ended::Signal(2))),
            looked: Duration::from_micros(self.about.looked_us),
        }
    }

    /// An event in a few words: its method's name, or how the connection ended.
    fn words(&self, event: u64) -> String {
        let event = self.events.iter().find(|it| it.number == event);
        match &event.expect("it is on the tape").what {
            What::Method(method) => method.name().to_owned(),
            What::Content(content) => format!("{}'s content", content.method.name()),
            What::Connected => "connected".to_owned(),
            // Which of them it is depends on what was under way.
            What::HalfClosed | What::Reset { .. } => "gone".to_owned(),
            What::Closed(ending) => ending.to_string(),
            What::Heartbeat { .. } => "heartbeat".to_owned(),
            What::Limit { limit, .. } => format!("limit: {limit}"),
            What::Unreadable(_) => "unreadable".to_owned(),
            other => format!("{other:?}"),
        }
    }
}

/// What a finding says about whom, and the frames that prove it, in words.
pub fn outline(parts: &[Part], finding: &Finding) -> String {
    let mut proof: Vec<String> = Vec::new();
    for event in &finding.evidence {
        let words = parts[finding.place].words(*event);
        // The same again says nothing more.
        if !proof.contains(&words) {
            proof.push(words);
        }
    }
    let others: BTreeSet<String> = finding
        .elsewhere
        .iter()
        .map(|it| format!("{} of {}", parts[it.place].words(it.event), it.program))
        .collect();
    proof.extend(others);
    format!("{}: {}: {}", finding.program, finding.id, proof.join(", "))
}
