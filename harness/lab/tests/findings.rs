//! Findings and pictures of tapes that were recorded from real programs on a real broker (`examples/record-findings.rs`).

#![allow(
    clippy::expect_used,
    reason = "a test may stop at what it does not expect"
)]

mod support;

use std::{collections::BTreeSet, path::PathBuf};

use support::{outline, scenes::SCENES};
use workbook_course::Language;
use workbook_diagnosis::{
    finding::{Finding, FindingId, Seen, findings_given},
    picture::{self, Look},
    recording::{RecordedProgram, given},
};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/findings")
}

fn case(name: &str) -> Vec<RecordedProgram> {
    RecordedProgram::read_run(&folder().join(format!("{name}.json"))).expect("a case")
}

fn found(name: &str) -> (Vec<RecordedProgram>, Vec<Finding>) {
    let parts = case(name);
    let seen: Vec<Seen<'_>> = parts.iter().map(RecordedProgram::seen).collect();
    let found = findings_given(&seen, &given(name, &parts));
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
        ("send-other-case", "other-body"),
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
        ("send-claims-too-early", "sent-too-early"),
        ("new_task-not-persistent", "message-not-persistent"),
        ("new_task-transient-queue", "queue-not-durable"),
        ("worker-acks-before-work", "ack-before-done"),
        ("worker-automatic-ack", "work-lost"),
        ("worker-no-prefetch", "prefetch-missing"),
        ("worker-prefetch-after-consume", "prefetch-too-late"),
        ("worker-global-prefetch", "prefetch-global"),
        ("worker-requeues-forever", "redelivery-loop"),
    ] {
        let (_, found) = found(name);
        let ids: Vec<&str> = found.iter().map(|finding| finding.id.as_str()).collect();
        assert_eq!(ids.first(), Some(&expected), "{name}: {ids:?}");
        let frames = found.iter().all(|finding| !finding.evidence.is_empty());
        assert!(frames, "{name}: each finding is proved by frames");
    }
}

/// Each scene shows its finding and no other, with the frames that prove it; and what is told of it, in both languages.
#[test]
fn every_scene_shows_its_finding() {
    for scene in SCENES {
        let (parts, found) = found(scene.name);
        let outlines: Vec<String> = found.iter().map(|it| outline(&parts, it)).collect();
        assert_eq!(outlines, [scene.finding], "{}", scene.name);
        insta::assert_snapshot!(scene.name, told(scene.name));
    }
}

#[test]
fn what_is_told_of_workers_that_lose_or_repeat_work() {
    for name in [
        "worker-acks-before-work",
        "worker-automatic-ack",
        "worker-no-prefetch",
        "worker-prefetch-after-consume",
        "worker-requeues-forever",
    ] {
        insta::assert_snapshot!(name, told(name));
    }
}

/// The findings of a case in both languages, and its picture.
fn told(name: &str) -> String {
    let (parts, found) = found(name);
    let seen: Vec<Seen<'_>> = parts.iter().map(RecordedProgram::seen).collect();
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

/// The findings that the mistakes of the chapters name: the grader's tests play each of them on a real broker.
fn named_by_mistakes() -> BTreeSet<String> {
    let solutions = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../solutions");
    let chapters = fs_err::read_dir(solutions).expect("a folder");
    let folders = chapters.map(|it| it.expect("an entry").path().join("mistakes/src"));
    let mut named = BTreeSet::new();
    for folder in folders.filter(|it| it.is_dir()) {
        for mistake in fs_err::read_dir(folder).expect("a folder") {
            let source = fs_err::read_to_string(mistake.expect("an entry").path());
            let source = source.expect("a mistake");
            let lines = source.lines();
            named.extend(
                lines
                    .filter_map(|line| line.strip_prefix("//! Finding: "))
                    .map(str::to_owned),
            );
        }
    }
    named
}

#[test]
fn every_finding_has_a_real_run_and_nearly_all_a_recording() {
    let mistakes = named_by_mistakes();
    let (mut unplayed, mut unrecorded) = (Vec::new(), Vec::new());
    let mut recorded = BTreeSet::new();
    for entry in fs_err::read_dir(folder()).expect("a folder") {
        let name = entry.expect("an entry").file_name();
        if let Some(name) = name.to_str().and_then(|name| name.strip_suffix(".json")) {
            recorded.extend(found(name).1.into_iter().map(|finding| finding.id));
        }
    }
    for id in FindingId::ALL {
        let words = format!(": {id}: ");
        let scene = SCENES.iter().any(|it| it.finding.contains(&words));
        if !scene && !mistakes.contains(id.as_str()) {
            unplayed.push(*id);
        }
        // What only the exercises of later chapters ask for is shown by their mistakes.
        let early = ["hello-world", "work-queues"]
            .iter()
            .any(|page| id.chapter().starts_with(page));
        let shown_later = !early && mistakes.contains(id.as_str());
        if !recorded.contains(id) && !shown_later {
            unrecorded.push(*id);
        }
    }
    assert_eq!(unplayed, []);
    // What stays is seen on the broker, not on a tape; the others take patience, which the chapters' checks have.
    assert_eq!(
        unrecorded,
        [
            FindingId::LeftBehind,
            FindingId::Polls,
            FindingId::InterruptIgnored
        ]
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
            known.contains(&case.as_str())
                || SCENES.iter().any(|scene| scene.name == case)
                || source.contains(&format!("\"{case}\"")),
            "{case}"
        );
    }
}
