//! Findings and pictures of tapes that were recorded from real programs on a real broker (`tests/findings_record.rs`).

#![allow(
    clippy::expect_used,
    reason = "a test may stop at what it does not expect"
)]

use std::{
    io::BufReader,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use amqp_tap::{Event, Tape};
use serde::Deserialize;
use workbook_lab::{
    course::Language,
    finding::{Finding, Given, Printed, Seen, findings_given},
    picture::{self, Look},
    process::Ended,
};

#[derive(Deserialize)]
struct About {
    tape: String,
    program: String,
    printed: Vec<Line>,
    interrupted_us: Option<u64>,
    ended: Option<i32>,
    looked_us: u64,
}

#[derive(Deserialize)]
struct Line {
    at_us: u64,
    line: String,
}

/// A program of a case, as it was recorded.
struct Part {
    about: About,
    began: SystemTime,
    events: Vec<Arc<Event>>,
    printed: Vec<Printed>,
}

impl Part {
    fn seen(&self) -> Seen<'_> {
        Seen {
            program: &self.about.program,
            reachable: true,
            began: self.began,
            events: &self.events,
            printed: &self.printed,
            interrupted: self.about.interrupted_us.map(Duration::from_micros),
            ended: self
                .about
                .ended
                .map_or(Some(Ended::Signal(2)), |code| Some(Ended::Code(code))),
            looked: Duration::from_micros(self.about.looked_us),
        }
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/findings")
}

fn case(name: &str) -> Vec<Part> {
    let text = fs_err::read_to_string(folder().join(format!("{name}.json"))).expect("a case");
    let all: Vec<About> = serde_json::from_str(&text).expect("what is known of it");
    all.into_iter()
        .map(|about| {
            let file = fs_err::File::open(folder().join(&about.tape)).expect("a tape");
            let tape = Tape::read_jsonl(BufReader::new(file)).expect("a tape");
            let printed = about.printed.iter().map(|line| Printed {
                at: Duration::from_micros(line.at_us),
                line: line.line.clone(),
            });
            Part {
                began: tape.began(),
                events: tape.events(),
                printed: printed.collect(),
                about,
            }
        })
        .collect()
}

/// What is known of a case beside its tapes: whether the lab declared the queue.
fn given(name: &str) -> Given {
    let text = fs_err::read_to_string(folder().join(format!("{name}.json"))).expect("a case");
    let lab_first = text.contains(".1.jsonl") && !text.contains(".0.jsonl");
    Given {
        queues: lab_first.then(|| "hello".to_owned()).into_iter().collect(),
        names: ["hello".to_owned()].into(),
        bodies: vec![b"Hello World!".to_vec()],
        ..Given::default()
    }
}

fn found(name: &str) -> (Vec<Part>, Vec<Finding>) {
    let parts = case(name);
    let seen: Vec<Seen<'_>> = parts.iter().map(Part::seen).collect();
    let found = findings_given(&seen, &given(name));
    (parts, found)
}

#[test]
fn correct_programs_show_none() {
    for name in ["solution", "receive-first", "send-confirms", "transient"] {
        assert_eq!(found(name).1, [], "{name}");
    }
}

#[test]
fn every_mistake_shows_the_finding_that_names_it() {
    for (name, expected) in [
        ("send-wrong-queue", "unused-queue"),
        ("send-other-case", "body-in-other-case"),
        ("send-no-declare", "discarded-publish"),
        ("send-named-exchange", "exchange-not-found"),
        ("send-no-flush", "publish-not-flushed"),
        ("send-no-close", "connection-not-closed"),
        ("send-purges", "queue-purged"),
        ("receive-no-declare", "queue-not-found"),
        ("receive-other-arguments", "inequivalent-arguments"),
        ("receive-stops-after-one", "stopped-early"),
        ("receive-stops-when-empty", "stopped-early"),
        ("receive-prints-byte-list", "bytes-printed"),
        ("receive-never-acks", "unacked-deliveries"),
        ("receive-dies-on-bytes", "died-on-delivery"),
    ] {
        let (_, found) = found(name);
        let ids: Vec<&str> = found.iter().map(|finding| finding.id.as_str()).collect();
        assert_eq!(ids.first(), Some(&expected), "{name}: {ids:?}");
        let frames = found.iter().all(|finding| !finding.evidence.is_empty());
        assert!(frames, "{name}: each finding is proved by frames");
    }
}

/// The findings of a case in both languages, and its picture.
fn told(name: &str) -> String {
    let (parts, found) = found(name);
    let seen: Vec<Seen<'_>> = parts.iter().map(Part::seen).collect();
    let mut lines: Vec<String> = Vec::new();
    for (finding, number) in found.iter().zip(1..) {
        let (program, id) = (&finding.program, finding.id);
        lines.push(format!("{number}. {program}: {id} {:?}", finding.evidence));
        for language in [Language::English, Language::Chinese] {
            lines.push(format!("   {}", finding.title(language)));
            lines.push(format!("   {}", finding.explanation(language)));
        }
    }
    lines.push(String::new());
    lines.push(picture::text(&seen, &found, &Look::default()));
    lines.join("\n")
}

#[test]
fn what_is_told_of_a_discarded_message() {
    insta::assert_snapshot!(told("send-no-declare"));
}

#[test]
fn what_is_told_of_arguments_that_differ() {
    insta::assert_snapshot!(told("receive-other-arguments"));
}

#[test]
fn what_is_told_of_missing_acknowledgements() {
    insta::assert_snapshot!(told("receive-never-acks"));
}

#[test]
fn what_is_told_of_a_publish_that_never_left() {
    insta::assert_snapshot!(told("send-no-flush"));
}

#[test]
fn findings_can_be_stored_and_read_back() {
    let (_, found) = found("receive-other-arguments");
    let text = serde_json::to_string(&found).expect("JSON");
    let again: Vec<Finding> = serde_json::from_str(&text).expect("findings");
    assert_eq!(again, found);
    assert!(
        text.contains(r#""id":"inequivalent-arguments","severity":"error""#),
        "{text}"
    );
}

#[test]
fn every_recording_is_used() {
    let known = ["solution", "receive-first", "send-confirms", "transient"];
    let source = fs_err::read_to_string(file!().replace("harness/lab/", "")).expect("this file");
    for entry in fs_err::read_dir(folder()).expect("a folder") {
        let name = entry
            .expect("an entry")
            .file_name()
            .into_string()
            .expect("a name");
        let case = name.split('.').next().unwrap_or_default().to_owned();
        assert!(
            known.contains(&case.as_str()) || source.contains(&format!("\"{case}\"")),
            "{case}"
        );
    }
}
