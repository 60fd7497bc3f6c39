//! Every form of the results, held against its schema or a golden file.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test stops at what it did not expect"
)]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use workbook_course::{Language, Text};
use workbook_grader::{
    model::{
        Cause, Check, Conditions, Exercise, Explanation, Program, Results, SCHEMA, Submission,
    },
    report,
};
use workbook_report::Verdict;
use workbook_runner::BrokerInfo;

/// What somebody may write who wants to break a report.
const NASTY: &str =
    "=1+1 <script>alert('x')</script> & ]]> \u{1b}[2J \u{202e}rtl \u{0} ::error::x | `code`";

fn conditions() -> Conditions {
    Conditions {
        seed: 42,
        seed_derivation: "siphash-1-3".to_owned(),
        broker: BrokerInfo {
            kind: "docker".to_owned(),
            version: "4.3.6".to_owned(),
        },
        toolchain: "1.95.0".to_owned(),
        checks: "c0ffee".to_owned(),
        sandbox: "bwrap".to_owned(),
    }
}

fn check(name: &str, verdict: Verdict) -> Check {
    let passed = verdict == Verdict::Pass;
    Check {
        name: name.to_owned(),
        title: format!("what `{name}` holds"),
        verdict,
        points: (verdict != Verdict::Infra).then_some(if passed { 2 } else { 0 }),
        max_points: 2,
        message: (!passed).then(|| format!("expected: a message\nobserved: {NASTY}")),
        findings: if passed {
            Vec::new()
        } else {
            vec!["lost-message".to_owned()]
        },
        explanations: if passed {
            Vec::new()
        } else {
            vec![Explanation {
                id: "lost-message".to_owned(),
                severity: "error".to_owned(),
                program: "send".to_owned(),
                title: "A message was lost".to_owned(),
                explanation: format!("No queue took it: {NASTY}"),
                chapter: "hello-world.html#sending".to_owned(),
                evidence: vec![3, 4],
            }]
        },
        hint: (!passed).then(|| "Declare the queue first.".to_owned()),
        chapter: "hello-world.html#sending".to_owned(),
        duration_ms: 412,
        seed: 42,
        programs: vec![Program {
            name: "send".to_owned(),
            stdout: vec![NASTY.to_owned()],
            stderr: vec!["a word".to_owned()],
            ended: Some("exited with code 0".to_owned()),
        }],
        tape: Some(format!("x-1/hello-world/{name}/1-1-send.jsonl")),
        picture: Some(format!("x-1/hello-world/{name}/1-picture.svg")),
    }
}

/// What the checks of a sample that failed stand on: a finding.
fn causes(checks: &[Check]) -> Vec<Cause> {
    let failed = checks.iter().filter(|it| it.verdict != Verdict::Pass);
    let failed: Vec<String> = failed.map(|it| it.name.clone()).collect();
    if failed.is_empty() {
        return Vec::new();
    }
    vec![Cause {
        finding: Some("lost-message".to_owned()),
        title: "`send`: a message was lost".to_owned(),
        explanation: format!("No queue took it: {NASTY}"),
        frames: format!("  9 ├─ basic.publish {NASTY} ─▶│ ◀"),
        chapter: "hello-world.html#sending".to_owned(),
        checks: failed,
    }]
}

fn exercise(verdict: Verdict, message: Option<&str>, checks: Vec<Check>) -> Exercise {
    Exercise {
        slug: "hello-world".to_owned(),
        title: Text {
            en: "Hello World!".to_owned(),
            zh: "你好，世界！".to_owned(),
        },
        sha256: "5eed".to_owned(),
        verdict,
        points: (verdict != Verdict::Infra).then(|| checks.iter().filter_map(|it| it.points).sum()),
        max_points: 6,
        message: message.map(str::to_owned),
        causes: causes(&checks),
        checks,
    }
}

fn submission(name: &str, exercise: Exercise) -> Submission {
    let mut submission = Submission {
        name: name.to_owned(),
        folder: "x-1".to_owned(),
        handed_in: "2026-01-31T23:59:59Z".to_owned(),
        sha256: "5eed".to_owned(),
        verdict: Verdict::Pass,
        points: None,
        max_points: 0,
        message: None,
        ignored: vec!["README.md".to_owned()],
        exercises: vec![exercise],
    };
    submission.sum_up();
    submission
}

fn samples() -> Vec<(&'static str, Submission)> {
    let checks = |verdict| {
        vec![
            check("send_leaves_one_message", Verdict::Pass),
            check("send_closes", verdict),
            check("send_says_so", verdict),
        ]
    };
    vec![
        (
            "pass",
            submission("学生", exercise(Verdict::Pass, None, checks(Verdict::Pass))),
        ),
        (
            "fail",
            submission(NASTY, exercise(Verdict::Fail, None, checks(Verdict::Fail))),
        ),
        (
            "error",
            submission(
                "bo",
                exercise(
                    Verdict::Error,
                    Some("error: expected `;`\n --> src/bin/send.rs:3:1"),
                    Vec::new(),
                ),
            ),
        ),
        (
            "ungradable",
            submission(
                "eve",
                exercise(
                    Verdict::Ungradable,
                    Some("it holds a symbolic link"),
                    Vec::new(),
                ),
            ),
        ),
        (
            "infra",
            submission(
                "zoe",
                exercise(Verdict::Infra, None, checks(Verdict::Infra)),
            ),
        ),
    ]
}

fn class() -> Results {
    Results {
        schema: SCHEMA.to_owned(),
        conditions: conditions(),
        submissions: samples()
            .into_iter()
            .map(|(_, submission)| submission)
            .collect(),
        passed_over: vec![".DS_Store".to_owned(), NASTY.to_owned()],
    }
}

fn files(submission: &Submission) -> BTreeMap<&'static str, String> {
    let environment = BTreeMap::from([("CLASSROOM".to_owned(), "amqp-2026".to_owned())]);
    let files = report::of_submission(submission, &conditions(), &environment, Language::English);
    let text = |(name, contents)| (name, String::from_utf8(contents).expect("text"));
    files.into_iter().map(text).collect()
}

#[test]
fn every_form_is_as_its_golden_file() {
    for (name, submission) in samples() {
        for (file, contents) in files(&submission) {
            // Pages are held by what must and must not be in them; those of a class are golden below.
            if file == "report.html" || file == "github-output.txt" {
                continue;
            }
            insta::assert_snapshot!(format!("{name}-{file}"), contents);
        }
    }
    for (file, contents) in report::of_class(&class(), Language::Chinese) {
        let contents = String::from_utf8(contents).unwrap();
        insta::assert_snapshot!(format!("class-{file}"), contents);
    }
}

/// Failures of one cause tell it once: with the first of them, which the others name.
#[test]
fn a_cause_is_told_once_in_every_form() {
    let (_, failed) = samples().remove(1);
    for (file, contents) in files(&failed) {
        let told = contents.matches("No queue took it").count();
        // Our own model tells all that is known, and the page shows each check's own findings when asked.
        let whole = ["results.json", "report.html", "github-output.txt"];
        assert!(told == 1 || whole.contains(&file), "{file}: {told}");
    }
}

/// Both ways: what is written is as the schema says, and the schema knows each field that is written, and no other.
#[test]
fn results_are_as_their_schema_says() {
    let mut schema: Value = serde_json::from_str(include_str!("../results.schema.json")).unwrap();
    let mut whole = class();
    whole.passed_over = vec!["grades.csv".to_owned()];
    let whole = serde_json::to_value(whole).unwrap();
    let mut written = BTreeSet::new();
    names_in(&whole, &mut written);
    let mut known = BTreeSet::new();
    close(&mut schema, &mut known);
    assert_eq!(written, known);

    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let errors: Vec<String> = validator
        .iter_errors(&whole)
        .map(|it| format!("{}: {it}", it.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    let verdicts = |value: &Value| value["$defs"]["Verdict"]["oneOf"].as_array().map(Vec::len);
    assert_eq!(verdicts(&schema), Some(Verdict::ALL.len()));
    let mut broken = whole;
    broken["submissions"][0]["verdict"] = "excellent".into();
    assert!(
        !validator.is_valid(&broken),
        "a schema that takes everything holds nothing"
    );
}

/// The names of all fields.
fn names_in(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                names.insert(name.clone());
                names_in(value, names);
            }
        }
        Value::Array(all) => all.iter().for_each(|it| names_in(it, names)),
        _ => {}
    }
}

/// Has every object of a schema take the properties that it names, and no other; and collects their names.
fn close(schema: &mut Value, names: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            if let Some(properties) = fields.get("properties").and_then(Value::as_object) {
                names.extend(properties.keys().cloned());
                fields.insert("additionalProperties".to_owned(), false.into());
            }
            fields.values_mut().for_each(|it| close(it, names));
        }
        Value::Array(all) => all.iter_mut().for_each(|it| close(it, names)),
        _ => {}
    }
}

#[test]
fn what_a_learner_wrote_is_harmless_in_every_form() {
    let samples = samples();
    let (_, failed) = &samples[1];
    for (file, contents) in files(failed) {
        for odd in ["\u{1b}", "\u{202e}", "\u{0}"] {
            assert!(!contents.contains(odd), "{file} holds {odd:?}");
        }
        let ending = file.rsplit('.').next().unwrap_or_default();
        if ["html", "md"].contains(&ending) {
            assert!(!contents.contains("<script>alert"), "{file}");
        }
        if ending == "md" {
            assert!(
                contents.lines().all(|line| !line.starts_with("::")),
                "{file}"
            );
        }
    }
    for (file, contents) in report::of_class(&class(), Language::English) {
        let contents = String::from_utf8(contents).unwrap();
        assert!(
            !contents.contains("<script>alert") || file == "gradebook.csv",
            "{file}"
        );
    }
    let gradebook = report::of_class(&class(), Language::English)
        .remove("gradebook.csv")
        .unwrap();
    let gradebook = String::from_utf8(gradebook).unwrap();
    let mut reader = csv::Reader::from_reader(gradebook.as_bytes());
    for record in reader.records() {
        for cell in &record.unwrap() {
            assert!(!cell.starts_with(['=', '+', '-', '@']), "{cell}");
        }
    }
}

#[test]
fn pages_ask_nothing_of_a_network_and_are_in_both_languages() {
    for language in [Language::English, Language::Chinese] {
        let class = report::of_class(&class(), language)
            .remove("index.html")
            .unwrap();
        let (_, failed) = samples().remove(1);
        let page = report::of_submission(&failed, &conditions(), &BTreeMap::new(), language)
            .remove("report.html")
            .unwrap();
        for page in [class, page] {
            let page = String::from_utf8(page).unwrap();
            assert!(
                !page.contains("http://")
                    && !page.contains("https://")
                    && !page.contains("src=\"//")
            );
            assert!(page.contains("default-src 'none'"));
            let tag = if language == Language::English {
                "lang=\"en\""
            } else {
                "lang=\"zh\""
            };
            assert!(page.contains(tag));
        }
    }
}

#[test]
fn a_class_is_told_whole_of_which_the_essence_is_held_in_memory() {
    let (full, mut short) = (class(), class());
    short.submissions.iter_mut().for_each(Submission::shorten);
    assert_ne!(short, full);
    let whole = |short: &Submission| {
        let mut all = class().submissions.into_iter();
        let found = all.find(|it| it.name == short.name);
        found.ok_or_else(|| std::io::Error::other("nobody"))
    };
    let mut written = Vec::new();
    report::results_of_class(&short, &whole, &mut written).unwrap();
    let written = String::from_utf8(written).unwrap();
    assert_eq!(serde_json::from_str::<Results>(&written).unwrap(), full);
    for odd in ["\u{1b}", "\u{202e}", "\u{0}"] {
        assert!(!written.contains(odd), "{odd:?}");
    }
    for language in [Language::English, Language::Chinese] {
        assert_eq!(
            report::of_class(&short, language),
            report::of_class(&full, language)
        );
    }
    short.submissions[0].name = "somebody else".to_owned();
    report::results_of_class(&short, &whole, &mut Vec::new()).unwrap_err();
}

#[test]
fn infra_is_never_worth_0_points() {
    let (_, submission) = samples().remove(4);
    assert_eq!(
        (submission.verdict, submission.points),
        (Verdict::Infra, None)
    );
    let results = Results {
        submissions: vec![submission.clone()],
        ..class()
    };
    let gradebook = report::of_class(&results, Language::English)
        .remove("gradebook.csv")
        .unwrap();
    assert!(
        String::from_utf8(gradebook)
            .unwrap()
            .contains("zoe,infra,,6,,")
    );
    let prairielearn: Value =
        serde_json::from_str(&files(&submission)["prairielearn.json"]).unwrap();
    assert_eq!(prairielearn["gradable"], false);
}

#[test]
fn github_output_is_the_result_in_base64() {
    let (_, submission) = samples().remove(1);
    let files = files(&submission);
    let line = files["github-output.txt"]
        .trim_end()
        .strip_prefix("result=")
        .unwrap();
    let json = data_encoding::BASE64.decode(line.as_bytes()).unwrap();
    let decoded: Value = serde_json::from_slice(&json).unwrap();
    let file: Value = serde_json::from_str(&files["github-classroom.json"]).unwrap();
    assert_eq!(decoded, file);
    for test in decoded["tests"].as_array().unwrap() {
        assert!(test["score"].is_number() && test["line_no"].is_number());
    }
}
