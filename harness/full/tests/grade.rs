//! `cargo workbook grade` as a teacher types it: a class in which not everybody means well, and a machine that goes off
//! in the middle.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test stops at what it did not expect"
)]

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, SystemTime},
};

use serde_json::Value;
use workbook_book::{BookError, browser::Browser};

/// How many of each kind are in the class, unless `WORKBOOK_EACH` says so; 3 make a class of 30.
const EACH: usize = 1;
/// How often the grading is killed, unless `WORKBOOK_KILLS` says so, and of how many submissions (`WORKBOOK_CLASS`).
const KILLS: usize = 2;
const CLASS: usize = 3;

/// Who does not mean well; the name of the first is an attack, too.
const ATTACKERS: [&str; 3] = ["<img src=x onerror=alert(1)>", "=HYPERLINK(1)", "attacks-3"];

fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().expect("the tests run in a checkout")
}

/// A number that is asked for, else a smaller one.
fn asked(variable: &str, otherwise: usize) -> usize {
    let asked = std::env::var(variable).ok();
    asked.and_then(|it| it.parse().ok()).unwrap_or(otherwise)
}

fn source(path: &str) -> String {
    let path = root().join("solutions/01-hello-world").join(path);
    fs::read_to_string(path).expect("there is such a program")
}

fn hand_in(class: &Path, name: &str, send: &str, receive: &str) {
    let folder = class.join(name).join("hello-world/src/bin");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("send.rs"), send).unwrap();
    fs::write(folder.join("receive.rs"), receive).unwrap();
}

/// A grading that is under way.
struct Grading {
    child: Child,
    events: Box<dyn Iterator<Item = Value>>,
}

impl Grading {
    fn start(class: &Path, out: &Path) -> Self {
        let workbook = Command::new(env!("CARGO_BIN_EXE_workbook-full"));
        Self::by(workbook, class, out, &[])
    }

    /// Starts it by a command that ends in the one of the workbook.
    fn by(mut workbook: Command, class: &Path, out: &Path, more: &[&str]) -> Self {
        let mut child = workbook
            .current_dir(root())
            .arg("grade")
            .arg(class)
            .arg("--out")
            .arg(out)
            .args([
                "--exercise",
                "hello-world",
                "--seed",
                "1",
                "--yes",
                "--json",
            ])
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let event = |line: std::io::Result<String>| serde_json::from_str(&line.ok()?).ok();
        let events = Box::new(lines.map_while(event));
        Self { child, events }
    }

    /// The submission and what it came to, where the event is about one that was graded just now.
    fn graded(event: &Value) -> Option<String> {
        (event["event"] == "graded" && event["reused"] == false)
            .then(|| event["submission"].as_str().unwrap().to_owned())
    }

    /// Lets it come to its end; answers what it graded.
    fn ends(mut self) -> Vec<String> {
        let graded = self
            .events
            .by_ref()
            .filter_map(|it| Self::graded(&it))
            .collect();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
        graded
    }

    /// Kills it at a moment that nobody can know; answers what it graded until then.
    #[expect(
        clippy::disallowed_methods,
        reason = "any amount of time will do: the moment is to be a random one"
    )]
    fn killed(mut self, random: u64) -> Vec<String> {
        let mut graded = Vec::new();
        for event in self
            .events
            .by_ref()
            .take(usize::try_from(random % 4).unwrap())
        {
            graded.extend(Self::graded(&event));
        }
        std::thread::sleep(Duration::from_millis(random % 997));
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        graded.extend(self.events.filter_map(|it| Self::graded(&it)));
        graded
    }
}

/// What a program prints as many run times print: to a terminal each line at once, else when some thousand bytes are
/// together, which they never are here.
const HOLDS_BACK: &str = "
use std::{io::{BufWriter, IsTerminal, Stdout, Write, stdout}, sync::{LazyLock, Mutex}};
static OUT: LazyLock<Mutex<BufWriter<Stdout>>> = LazyLock::new(|| Mutex::new(BufWriter::new(stdout())));
macro_rules! println {
    ($($it:tt)*) => {{
        let mut out = OUT.lock().unwrap();
        writeln!(out, $($it)*).unwrap();
        if stdout().is_terminal() { out.flush().unwrap(); }
    }};
}
";

/// Looks at each descriptor from 3 up.
const LOOKS: &str = r#"
    for it in 3..256 {
        let target = std::fs::read_link(format!("/proc/self/fd/{it}")).unwrap_or_default();
        assert!(!target.ends_with("handed-on.txt"), "{it} is open");
    }
"#;

/// A source with more after its first lines, which are about all of it.
fn with(source: &str, more: &str) -> String {
    let about = (source.split_inclusive('\n')).take_while(|it| it.starts_with("//!"));
    let (about, rest) = source.split_at(about.map(str::len).sum());
    format!("{about}{more}{rest}")
}

/// On every road a program's standard output is a terminal, and nothing is open in it, or in its compiler, that was open
/// in whoever started the grading.
#[cfg(target_os = "linux")]
#[test]
fn programs_get_a_terminal_and_no_descriptor_that_the_shell_had() {
    let folder = tempfile::tempdir().unwrap();
    let class = folder.path().join("class");
    let (send, receive) = (source("src/bin/send.rs"), source("src/bin/receive.rs"));
    let main = "async fn main() -> Result<(), Box<dyn Error>> {";
    let looks = send.replacen(main, &format!("{main}{LOOKS}"), 1);
    assert_ne!(looks, send);
    hand_in(
        &class,
        "looks",
        &with(&looks, HOLDS_BACK),
        &with(&receive, HOLDS_BACK),
    );
    let compiler = r#"const _: &str = include_str!("/proc/self/fd/9"); fn main() {}"#;
    hand_in(&class, "compiler", compiler, &receive);
    fs::write(folder.path().join("handed-on.txt"), "a secret").unwrap();

    // Where the container daemon sees other folders than we do, `WORKBOOK_SANDBOXES` leaves it out.
    let roads = std::env::var("WORKBOOK_SANDBOXES");
    let roads = roads.unwrap_or_else(|_| "bwrap docker none".to_owned());
    let start = |sandbox: &str| {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", r#"exec 3<"$0" 5<"$0" 9<"$0" && exec "$@""#])
            .arg(folder.path().join("handed-on.txt"))
            .arg(env!("CARGO_BIN_EXE_workbook-full"));
        let out = folder.path().join(sandbox);
        let grading = Grading::by(shell, &class, &out, &["--sandbox", sandbox]);
        (grading, out)
    };
    let gradings: Vec<_> = roads.split_whitespace().map(start).collect();
    for (grading, out) in gradings {
        grading.ends();
        let all = by_name(&results(&out));
        let out = out.display();
        assert_eq!(all["looks"]["verdict"], "pass", "{out}: {}", all["looks"]);
        let compiler = &all["compiler"];
        assert_eq!(compiler["verdict"], "error", "{out}: {compiler}");
        let told = compiler.to_string();
        assert!(told.contains("couldn't read"), "{out}: {compiler}");
    }
}

fn results(out: &Path) -> Value {
    serde_json::from_slice(&fs::read(out.join("results.json")).unwrap()).unwrap()
}

/// What a submission came to: its verdict, its points, and each check with its own.
fn marks(submission: &Value) -> Value {
    let checks = submission["exercises"][0]["checks"].as_array().unwrap();
    let mark = |check: &Value| {
        (
            check["name"].clone(),
            check["verdict"].clone(),
            check["points"].clone(),
        )
    };
    let checks: Vec<_> = checks.iter().map(mark).collect();
    serde_json::json!([submission["verdict"], submission["points"], checks])
}

fn by_name(results: &Value) -> BTreeMap<String, Value> {
    let submissions = results["submissions"].as_array().unwrap();
    let named = |it: &Value| (it["name"].as_str().unwrap().to_owned(), it.clone());
    submissions.iter().map(named).collect()
}

#[test]
fn who_means_well_gets_in_a_class_what_the_program_gets_alone() {
    let folder = tempfile::tempdir().unwrap();
    let class = folder.path().join("class");
    let (send, receive) = (source("src/bin/send.rs"), source("src/bin/receive.rs"));
    let honest = [
        ("correct", send.clone(), receive.clone()),
        (
            "no-declare",
            source("mistakes/src/send-no-declare.rs"),
            receive.clone(),
        ),
        (
            "wrong-queue",
            source("mistakes/src/send-wrong-queue.rs"),
            receive.clone(),
        ),
        (
            "never-acks",
            send.clone(),
            source("mistakes/src/receive-never-acks.rs"),
        ),
        (
            "no-close",
            source("mistakes/src/send-no-close.rs"),
            receive.clone(),
        ),
        (
            "unsolved",
            "fn main() { todo!() }".to_owned(),
            receive.clone(),
        ),
    ];
    let each = asked("WORKBOOK_EACH", EACH);
    for (name, send, receive) in &honest {
        for number in 1..=each {
            hand_in(&class, &format!("{name}-{number}"), send, receive);
        }
    }
    for number in 1..=each {
        let hangs = "fn main() { loop { std::thread::park(); } }";
        hand_in(&class, &format!("hangs-{number}"), hangs, hangs);
        hand_in(
            &class,
            &format!("no-rust-{number}"),
            "fn main() {",
            &receive,
        );
        fs::create_dir_all(class.join(format!("empty-{number}"))).unwrap();
    }
    let attacks = [
        "fn main() { loop { let _ = std::process::Command::new(std::env::current_exe().unwrap()).spawn(); } }",
        "fn main() { loop { println!(\"Sent 'Hello World!'\"); } }",
        "fn main() { let mut all = Vec::new(); loop { all.push(vec![1_u8; 64 << 20]); } }",
    ];
    for (name, attack) in ATTACKERS.into_iter().zip(attacks) {
        hand_in(&class, name, attack, &receive);
    }
    let out = folder.path().join("out");
    let count = Grading::start(&class, &out).ends().len();
    assert_eq!(count, 9 * each + ATTACKERS.len());
    let all = by_name(&results(&out));

    let out_of = |name: &str| folder.path().join(format!("{name}-out"));
    // Each is a class of its own; they only share the machine.
    let gradings = honest.each_ref().map(|(name, send, receive)| {
        let alone = folder.path().join(format!("{name}-alone"));
        hand_in(&alone, name, send, receive);
        Grading::start(&alone, &out_of(name))
    });
    for grading in gradings {
        grading.ends();
    }
    for (name, ..) in &honest {
        let out = out_of(name);
        let expected = marks(&by_name(&results(&out))[*name]);
        let passes = *name == "correct";
        assert_eq!(expected[0] == "pass", passes, "{name}: {expected}");
        for number in 1..=each {
            assert_eq!(marks(&all[&format!("{name}-{number}")]), expected, "{name}");
        }
    }
    let verdict = |name: &str| all[name]["verdict"].as_str().unwrap();
    for number in 1..=each {
        assert_eq!(verdict(&format!("hangs-{number}")), "fail");
        assert_eq!(verdict(&format!("no-rust-{number}")), "error");
        assert_eq!(verdict(&format!("empty-{number}")), "ungradable");
    }
    for name in ATTACKERS {
        assert_ne!(verdict(name), "pass");
    }
    let looked = look_at(&out, &all);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(looked).unwrap();
}

/// Looks at every page of a graded class in a real browser, as a teacher does who opens the file.
async fn look_at(out: &Path, all: &BTreeMap<String, Value>) -> Result<(), BookError> {
    let browser = Browser::open().await?;
    let folders = all.values().map(|it| it["folder"].as_str().unwrap());
    let reports = folders.map(|folder| out.join(folder).join("report.html"));
    for page in [out.join("index.html")].into_iter().chain(reports) {
        let url = format!("file://{}", page.display());
        for (width, dark) in [(1280, false), (1280, true), (360, false)] {
            browser.size(width, 800).await?;
            browser.dark(dark).await?;
            browser.goto(&url).await?;
            let look: Value = browser.script_later(LOOK).await?;
            assert_eq!(look["missing"], serde_json::json!([]), "{url}");
            assert_eq!(look["overflow"], 0, "{url} at {width}: {look}");
            assert_eq!(look["dark"], dark, "{url}: {look}");
            assert!(browser.errors().await?.is_empty(), "{url}");
        }
    }
    browser
        .goto(&format!("file://{}/index.html", out.display()))
        .await?;
    let points = "[...document.querySelectorAll('#gradebook tbody tr')].map(row => Number(row.cells[2].dataset.value))";
    for order in ["ascending", "descending"] {
        // With the keyboard alone.
        let focus = "document.querySelectorAll('#gradebook th button')[2].focus(); return true;";
        browser.script::<bool>(focus).await?;
        browser.type_text("\n").await?;
        browser
            .until("document.querySelectorAll('#gradebook th')[2].ariaSort !== 'none'")
            .await?;
        let shown: Vec<i64> = browser.script(&format!("return {points};")).await?;
        assert!(
            shown.len() == all.len()
                && shown.is_sorted_by(|a, b| match order {
                    "ascending" => a <= b,
                    _ => a >= b,
                }),
            "{order}: {shown:?}"
        );
    }
    browser.click("#gradebook a").await?;
    browser
        .until("document.querySelector('#checks') !== null")
        .await?;
    let kept = root().join("target/workbook/reports");
    browser.size(1280, 900).await?;
    browser.screenshot(&kept.join("report.png")).await?;
    browser
        .goto(&format!("file://{}/index.html", out.display()))
        .await?;
    browser.screenshot(&kept.join("class.png")).await?;
    browser.close().await
}

/// Pictures that are not there, how much wider the page is than the window, and whether it is dark.
const LOOK: &str = "
    const pictures = [...document.images];
    pictures.forEach(it => { it.closest('details')?.setAttribute('open', ''); it.loading = 'eager'; });
    const missing = [];
    Promise.all(pictures.map(it => it.decode().catch(() => missing.push(it.src)))).then(() => {
        const root = document.documentElement;
        const color = getComputedStyle(document.body).color.match(/\\d+/g).map(Number);
        done({ missing, overflow: Math.max(0, root.scrollWidth - root.clientWidth), dark: color[0] > 128 });
    });
";

#[test]
fn who_is_killed_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let class = folder.path().join("class");
    let (send, receive) = (source("src/bin/send.rs"), source("src/bin/receive.rs"));
    let wrong = source("mistakes/src/send-no-declare.rs");
    for number in 0..asked("WORKBOOK_CLASS", CLASS) {
        let send = if number % 5 == 0 { &wrong } else { &send };
        // Sources that are the same are built once, and these are not.
        let send = format!("// {number}\n{send}");
        hand_in(&class, &format!("learner-{number:02}"), &send, &receive);
    }
    let undisturbed = folder.path().join("undisturbed");
    Grading::start(&class, &undisturbed).ends();

    let out = folder.path().join("out");
    let mut graded = Vec::new();
    for _ in 0..asked("WORKBOOK_KILLS", KILLS) {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap();
        let random = u64::from(now.subsec_nanos()) / 1000;
        graded.extend(Grading::start(&class, &out).killed(random));
    }
    graded.extend(Grading::start(&class, &out).ends());
    let read = |folder: &Path| fs::read_to_string(folder.join("gradebook.csv")).unwrap();
    assert_eq!(read(&out), read(&undisturbed));
    graded.sort();
    let mut once = graded.clone();
    once.dedup();
    assert_eq!(graded, once, "none is graded twice");
    assert!(
        Grading::start(&class, &out).ends().is_empty(),
        "all of it is there"
    );
}
