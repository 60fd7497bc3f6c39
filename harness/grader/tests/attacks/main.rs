//! A class of hostile submissions, graded as any class is: each gets its verdict, the correct ones among them get
//! full marks, nothing leaks, nothing of ours is touched, and nothing stays behind.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test stops at what it did not expect"
)]
#![allow(
    clippy::too_many_lines,
    clippy::print_stderr,
    missing_docs,
    reason = "it is a test"
)]

mod compilers;
mod folders;
mod packages;
mod packed;
mod packers;
mod packings;
mod programs;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use workbook_broker::{Broker, Options};
use workbook_course::Workspace;
use workbook_grader::{
    depot::Depot,
    grade::{Class, grade},
    model::{self, Conditions, Results},
    sandboxes,
    store::Store,
};
use workbook_report::Verdict;
use workbook_report::request::Request;
use workbook_runner::{BrokerInfo, build};
use workbook_sandbox::Kind;

/// What nobody may read. It is in a file, in our environment, and in the neighbours' sources.
const SECRET: &str = "SECRET-5d1c";
/// The variable of our environment that holds it: compilers and checks inherit that, as they do in a class.
const SECRET_VARIABLE: &str = "WORKBOOK_ATTACK_SECRET";
/// Hostile programs print it when something succeeded that must not.
const SUCCEEDED: [&str; 3] = ["WROTE-IT", "REACHED", "READ "];

fn workspace() -> Workspace {
    let mut workspace = Workspace::find(Path::new(env!("CARGO_MANIFEST_DIR")))
        .expect("the tests run in a checkout");
    // Two checks tell as much about an attack as thirteen.
    workspace
        .course
        .chapters
        .retain(|it| it.slug == "hello-world");
    for chapter in &mut workspace.course.chapters {
        chapter.checks.retain(|check| {
            ["send_leaves_one_message", "send_says_so_and_exits"].contains(&check.name.as_str())
        });
    }
    workspace
}

struct Graded {
    results: Results,
    out: PathBuf,
}

impl Graded {
    fn of(&self, name: &str) -> Vec<&model::Submission> {
        (self.results.submissions.iter())
            .filter(|it| it.name == name)
            .collect()
    }

    /// All that is told of a submission, the files of its folder included.
    fn told(&self, submission: &model::Submission) -> String {
        let mut text = String::new();
        let mut left = vec![self.out.join(&submission.folder)];
        while let Some(folder) = left.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                if entry.path().is_dir() {
                    left.push(entry.path());
                } else {
                    text.push_str(&String::from_utf8_lossy(&fs::read(entry.path()).unwrap()));
                }
            }
        }
        text
    }
}

/// Runs a test once more, in a process whose environment holds the secret, and holds that it passes there; whether this
/// is that process.
fn has_the_secret(test: &str) -> bool {
    if std::env::var_os(SECRET_VARIABLE).is_some() {
        return true;
    }
    let again = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(SECRET_VARIABLE, SECRET)
        .status();
    assert!(again.unwrap().success(), "see above");
    false
}

async fn graded(kind: Kind, class: &Path, out: &Path) -> Graded {
    let workspace = workspace();
    let broker = Broker::find_or_start(&Options::from_env().unwrap())
        .await
        .unwrap();
    let depot = Depot::open(&workspace, &|_| {}).unwrap();
    let entry = build::tool(&workspace.root, "workbook-sandbox", "sandbox-entry")
        .await
        .unwrap();
    let room = sandboxes::room(kind, &depot, &entry)
        .await
        .expect("this machine makes sandboxes");
    let class = Class {
        workspace,
        path: class.to_owned(),
        exercises: Vec::new(),
        jobs: 4,
        again: false,
        any_language: false,
        tools: Vec::new(),
        room: Some(room),
        request: Request {
            broker: Some(broker.kind().to_string()),
            ..Request::default()
        },
        broker: broker.clone(),
    };
    let conditions = Conditions {
        seed: 1,
        seed_derivation: String::new(),
        broker: BrokerInfo {
            kind: broker.kind().to_string(),
            version: broker.version().to_owned(),
        },
        toolchain: String::new(),
        checks: String::new(),
        sandbox: kind.to_string(),
    };
    let store = Store::open(out).unwrap();
    let began = Instant::now();
    grade(
        class,
        depot,
        store,
        conditions,
        |event| eprintln!("{:6.1} {event:?}", began.elapsed().as_secs_f64()),
        |_| {},
    )
    .await
    .unwrap();
    let results = fs::read(out.join("results.json")).unwrap();
    Graded {
        results: serde_json::from_slice(&results).unwrap(),
        out: out.to_owned(),
    }
}

/// Holds a verdict and what it tells; answers what is wrong.
fn complaint(graded: &Graded, name: &str, verdict: Verdict, told: &str) -> Vec<String> {
    let found = graded.of(name);
    if found.is_empty() {
        return vec![format!("{name}: there is no such submission")];
    }
    let mut wrong = Vec::new();
    for submission in found {
        let text = serde_json::to_string(submission).unwrap();
        if submission.verdict != verdict {
            wrong.push(format!(
                "{name}: {} instead of {}: {text:.1500}",
                submission.verdict.word(),
                verdict.word()
            ));
        } else if !told.split('|').any(|word| text.contains(word)) {
            wrong.push(format!("{name}: nothing of {told:?} in {text:.1500}"));
        }
        let told = graded.told(submission);
        for word in SUCCEEDED.into_iter().chain([SECRET]) {
            // A compiler's message quotes the source, and there the word is its own.
            if verdict != Verdict::Error && told.contains(word) {
                wrong.push(format!("{name}: {word:?} is told"));
            }
        }
    }
    wrong
}

/// Processes whose user is one that only sandboxes have.
fn left_behind() -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Ok(status) = fs::read_to_string(entry.path().join("status")) else {
            continue;
        };
        let uid = status.lines().find_map(|line| line.strip_prefix("Uid:"));
        let uid = uid.and_then(|it| it.split_whitespace().next()?.parse::<u32>().ok());
        if uid.is_some_and(|uid| (0x7000_0000..0x7002_0000).contains(&uid))
            && !status.contains("State:\tZ")
        {
            found.push(status.lines().next().unwrap_or_default().to_owned());
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_submissions_get_their_verdicts_and_harm_nobody() {
    if !has_the_secret("hostile_submissions_get_their_verdicts_and_harm_nobody") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (class, out) = (folder.path().join("class"), folder.path().join("out"));
    let secrets = folder.path().join("secrets");
    fs::create_dir_all(&class).unwrap();
    fs::create_dir(&secrets).unwrap();
    let secret = secrets.join("secret.txt");
    fs::write(&secret, SECRET).unwrap();
    let broker = Broker::find_or_start(&Options::from_env().unwrap())
        .await
        .unwrap();
    let port = broker.amqp_address().port();

    let send = format!("// {SECRET}\n{}", programs::correct());
    let mut expected: BTreeMap<String, (Verdict, &'static str)> = BTreeMap::new();
    for attack in programs::attacks(&secret.display().to_string(), port) {
        let source = match attack.source.as_str() {
            "NOT-UTF8" => b"fn main() { \"\xff\xfe\" }".to_vec(),
            source => source.as_bytes().to_vec(),
        };
        let bin = class.join(attack.name).join("hello-world/src/bin");
        fs::create_dir_all(&bin).unwrap();
        fs::write(bin.join("send.rs"), source).unwrap();
        expected.insert(attack.name.to_owned(), (attack.verdict, attack.told));
    }
    for package in packages::write(&class, &send, &secret) {
        expected.insert(package.name, (package.verdict, package.told));
    }
    // The secret in their sources must be in nobody's report; they are the same, so they are built once.
    for number in 1..=5 {
        folders::folder(
            &class,
            &format!("correct-{number}"),
            &[("hello-world/src/bin/send.rs", &send)],
        );
        expected.insert(format!("correct-{number}"), (Verdict::Pass, ""));
    }
    for name in packed::some(&class, &send) {
        expected.insert(name, (Verdict::Pass, ""));
    }
    let beside = folders::beside(&class, &send);
    assert!(expected.len() >= 100, "{} submissions", expected.len());

    let graded = graded(Kind::Bwrap, &class, &out).await;
    let mut wrong: Vec<String> = Vec::new();
    for (name, (verdict, told)) in &expected {
        wrong.extend(complaint(&graded, name, *verdict, told));
    }
    for submission in &graded.results.submissions {
        if !expected.contains_key(&submission.name) {
            wrong.push(format!("{}: nobody expected that", submission.name));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        expected.len(),
        wrong.join("\n")
    );

    assert_eq!(graded.results.passed_over, beside);
    let page = fs::read_to_string(out.join("index.html")).unwrap();
    assert!(page.contains("<code>grades.csv</code>"), "{page}");
    let by_name = &graded.of("学生-王小明")[0].folder;
    assert!(by_name.starts_with("学生-王小明-"), "{by_name}");
    assert!(out.join(by_name).join("report.html").is_file());

    for entry in fs::read_dir("/tmp").unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        assert!(!name.starts_with("climbed"), "{name} was written");
    }
    assert_eq!(fs::read_to_string(&secret).unwrap(), SECRET);
    let none: Vec<String> = Vec::new();
    assert_eq!(left_behind(), none);
    held_by_html(&graded);
}

/// What a learner wrote is markup in no page, and a formula in no cell.
fn held_by_html(graded: &Graded) {
    let page = |name: &str| {
        let submission = graded.of(name)[0];
        fs::read_to_string(graded.out.join(&submission.folder).join("report.html")).unwrap()
    };
    let tricks = page("output-tricks");
    for word in ["<script>alert", "\u{1b}", "\u{202e}"] {
        assert!(!tricks.contains(word), "{word:?}");
    }
    assert!(!page("<b>bold").contains("<b>bold"));
    let gradebook = fs::read_to_string(graded.out.join("gradebook.csv")).unwrap();
    for line in gradebook.lines() {
        assert!(
            !line.starts_with(['=', '+', '-', '@']) && !line.starts_with("\"="),
            "{line}"
        );
    }
}
