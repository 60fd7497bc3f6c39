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

use std::{collections::BTreeSet, time::Duration};

use amqp_tap::What;
use workbook_diagnosis::{finding::Finding, recording::RecordedProgram};

/// How long anything may take.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// An event of a program in a few words: its method's name, or how the connection ended.
fn words(program: &RecordedProgram, event: u64) -> String {
    let event = program.events().iter().find(|it| it.number == event);
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

/// What a finding says about whom, and the frames that prove it, in words.
pub fn outline(parts: &[RecordedProgram], finding: &Finding) -> String {
    let mut proof: Vec<String> = Vec::new();
    for event in &finding.evidence {
        let words = words(&parts[finding.place], *event);
        // The same again says nothing more.
        if !proof.contains(&words) {
            proof.push(words);
        }
    }
    let others: BTreeSet<String> = finding
        .elsewhere
        .iter()
        .map(|it| format!("{} of {}", words(&parts[it.place], it.event), it.program))
        .collect();
    proof.extend(others);
    format!("{}: {}: {}", finding.program, finding.id, proof.join(", "))
}
