//! What a check does with the programs that it starts: their environment, their output, and that nothing stays behind.
//!
//! The programs here are small shell scripts in the place of `send` and `receive`.

#![allow(clippy::expect_used, reason = "a test stops at what it did not expect")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;
use workbook_course::{Edition, Workspace};
use workbook_report::{
    Verdict,
    request::{Programs, Request},
};
use workbook_runner::{
    CheckResult, Plan,
    build::{self, Diagnostics},
    event::BrokerInfo,
    run::{Bounds, run},
};

/// A check binary, and a folder for scripts and what they write.
struct Scene {
    workspace: Workspace,
    binary: PathBuf,
    folder: TempDir,
}

impl Scene {
    async fn new() -> Self {
        let workspace = Workspace::find(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("a checkout");
        let package = Edition::Solution.package("hello-world");
        let binary = build::checks(&workspace.root, &package, Diagnostics::Keep)
            .await
            .expect("it compiles");
        Self {
            workspace,
            binary,
            folder: TempDir::new().expect("a folder"),
        }
    }

    /// The command of a script.
    fn script(&self, name: &str, text: &str) -> Vec<String> {
        let path = self.folder.path().join(name);
        fs::write(&path, text).expect("it can be written");
        vec!["sh".to_owned(), path.display().to_string()]
    }

    fn programs(&self, program: &str, command: Vec<String>) -> Programs {
        Programs {
            commands: BTreeMap::from([(program.to_owned(), command)]),
            directory: self.folder.path().to_owned(),
        }
    }

    /// Runs one check with a program replaced.
    async fn check(&self, check: &str, program: &str, command: Vec<String>) -> CheckResult {
        let (_, chapter) = self
            .workspace
            .course
            .chapter("hello-world")
            .expect("it is in the course");
        let mut chapter = chapter.clone();
        chapter.checks.retain(|known| known.name == check);
        let plan = Plan {
            chapter,
            binary: self.binary.clone(),
            request: Request {
                programs: self.programs(program, command),
                ..Request::default()
            },
            seed: 1,
            jobs: None,
            broker: BrokerInfo {
                kind: String::new(),
                version: String::new(),
            },
            keep: None,
            bounds: Bounds::default(),
        };
        let (_, mut results) = run(&plan, |_| {}).await.expect("it can be run");
        results.remove(0)
    }

    fn written(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }
}

/// Whether a process lives. A zombie does not: somebody else forgot to bury it.
fn lives(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
    stat.is_ok_and(|stat| {
        !stat
            .rsplit(')')
            .next()
            .is_some_and(|rest| rest.trim_start().starts_with('Z'))
    })
}

/// Looks again and again, without a pause, until it is so.
fn becomes(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "{what} did not come"
        );
        std::thread::yield_now();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_gets_the_address_and_nothing_of_ours() {
    let scene = Scene::new().await;
    let text = format!("env | sort > env.txt\nexec {}\n", solution(&scene));
    let command = scene.script("env.sh", &text);
    let result = scene.check("send_says_so_and_exits", "send", command).await;
    assert_eq!(
        result.report.verdict,
        Verdict::Pass,
        "{}",
        result.report.text()
    );
    let environment = scene.written("env.txt");
    let names: Vec<&str> = environment
        .lines()
        .filter_map(|line| line.split('=').next())
        .collect();
    let given = [
        "AMQP_ADDR",
        "AMQP_URL",
        "HOME",
        "LANG",
        "NO_COLOR",
        "PATH",
        "PYTHONUNBUFFERED",
        "RABBITMQ_HOST",
        "RABBITMQ_PORT",
        "TERM",
        "WORKBOOK_LAB",
    ];
    // The shell adds some of its own.
    let strange: Vec<_> = names
        .iter()
        .filter(|name| !given.contains(name) && !["PWD", "OLDPWD", "SHLVL", "_"].contains(name))
        .collect();
    assert!(strange.is_empty(), "{strange:?}");
    assert!(given.iter().all(|name| names.contains(name)), "{names:?}");
    assert!(
        environment.contains("AMQP_ADDR=amqp://guest:guest@127.0.0.1:"),
        "{environment}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_program_starts_ends_with_it() {
    let scene = Scene::new().await;
    // One heir in the program's own group, one that left it, and both hold its output open.
    let heirs = "sleep 1000 & echo $! > in-group\nsetsid sh -c 'echo $$ > out-of-group; exec sleep 1000' &\nwhile ! [ -s out-of-group ]; do :; done\n";
    let text = format!("{heirs}exec {}\n", solution(&scene));
    let command = scene.script("heirs.sh", &text);
    let result = scene.check("send_says_so_and_exits", "send", command).await;
    assert_eq!(
        result.report.verdict,
        Verdict::Pass,
        "{}",
        result.report.text()
    );
    for heir in ["in-group", "out-of-group"] {
        let pid = scene.written(heir);
        assert!(!pid.trim().is_empty(), "{heir} was not started");
        becomes(&format!("the end of {heir}"), || !lives(&pid));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_output_is_cut_and_said() {
    let scene = Scene::new().await;
    let result = scene
        .check(
            "send_says_so_and_exits",
            "send",
            ["yes", "Sent nothing"].map(str::to_owned).to_vec(),
        )
        .await;
    assert_eq!(result.report.verdict, Verdict::Fail);
    let text = result.report.text();
    assert!(text.contains("it printed more than 8 MiB"), "{text}");
    assert!(
        text.len() < 20_000,
        "the report quotes {} bytes",
        text.len()
    );
}

/// A correct `receive` whose output goes elsewhere: the message was handed over, so that is not what is wrong.
#[tokio::test(flavor = "multi_thread")]
async fn where_a_message_was_printed_is_told() {
    let scene = Scene::new().await;
    let receive = solution(&scene).replace("send-solution", "receive-solution");
    let handed_over = "the broker handed it over (delivery tag 1, from the queue `hello`)";
    let late = format!(
        "{receive} > out & receive=$!\ntrap 'kill -INT $receive' INT\nwait $receive\nwait $receive\ncat out\n"
    );
    let cases = [
        (
            format!("exec {receive} >&2"),
            "it printed it on standard error: Received 'early bird'",
        ),
        (
            format!("{receive} | sed -u 's/^/18:00 /'"),
            "it printed it after other text: 18:00 Received 'early bird'",
        ),
        (
            format!(
                "{receive} | while read -r line; do case $line in Wait*) echo \"$line\" ;; *) printf '%s' \"$line\" ;; esac; done"
            ),
            "it printed it, but other text after it on its line: Received 'early bird'Received 'end-",
        ),
        (
            format!("exec {receive} > /dev/null"),
            "since then it has printed nothing, neither on standard output nor on standard error",
        ),
        (
            late,
            "it printed it only at its end, when Ctrl-C was pressed",
        ),
    ];
    let checks = cases
        .iter()
        .enumerate()
        .map(async |(number, (text, told))| {
            let command = scene.script(&format!("{number}.sh"), text);
            let check = "receive_works_when_started_first";
            let result = scene.check(check, "receive", command).await;
            (result, *told)
        });
    for (result, told) in futures_util::future::join_all(checks).await {
        let text = result.report.text();
        assert_eq!(result.report.verdict, Verdict::Fail, "{text}");
        assert!(text.contains(handed_over), "{text}");
        assert!(text.contains(told), "{told}:\n{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn terminal_escapes_and_bidirectional_marks_are_made_harmless() {
    let scene = Scene::new().await;
    let command = scene.script(
        "escapes.sh",
        "printf 'Sent \\033[2J\\342\\200\\256evil\\n'\n",
    );
    let text = scene
        .check("send_says_so_and_exits", "send", command)
        .await
        .report
        .text();
    assert!(
        !text.contains('\u{1b}') && !text.contains('\u{202e}'),
        "{text:?}"
    );
    assert!(text.contains("\\u{1b}[2J"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_does_not_exist_is_the_submissions_error() {
    let scene = Scene::new().await;
    let result = scene
        .check(
            "send_says_so_and_exits",
            "send",
            vec!["./no-such-program".to_owned()],
        )
        .await;
    assert_eq!(
        result.report.verdict,
        Verdict::Error,
        "{}",
        result.report.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_check_leaves_no_program_behind_once_another_has_run() {
    let scene = Scene::new().await;
    let text = "echo $$ > program\nsetsid sh -c 'echo $$ > heir; exec sleep 1000' &\nwhile ! [ -s heir ]; do :; done\nexec sleep 1000\n";
    let programs = scene.programs("receive", scene.script("hangs.sh", text));
    let binary = Command::new(&scene.binary);
    let mut check = start(binary, "receive_ends_on_ctrl_c", programs);
    becomes("the program and its heir", || {
        !scene.written("heir").is_empty()
    });
    check.kill().expect("it can be killed");
    check.wait().expect("it ends");

    let result = scene
        .check("send_says_so_and_exits", "send", vec![executable(&scene)])
        .await;
    assert_eq!(
        result.report.verdict,
        Verdict::Pass,
        "{}",
        result.report.text()
    );
    for name in ["program", "heir"] {
        let pid = scene.written(name);
        becomes(&format!("the end of the {name}"), || !lives(&pid));
    }
}

/// It prints only when its connection is gone, so that the check comes too late to cut it. That is a fault of the program,
/// and none of ours.
#[tokio::test(flavor = "multi_thread")]
async fn who_has_ended_its_connection_has_none_to_lose() {
    let scene = Scene::new().await;
    let receive = solution(&scene).replace("send-solution", "receive-solution");
    let text = format!(
        "{receive} > out & receive=$!\nwhile ! grep -q end- out; do :; done\nkill -9 $receive\nwait $receive\ncat out\n"
    );
    let command = scene.script("ends-early.sh", &text);
    let check = "receive_says_when_its_connection_is_cut";
    let result = scene.check(check, "receive", command).await;
    let told = result.report.text();
    assert_eq!(result.report.verdict, Verdict::Fail, "{told}");
    assert!(told.contains("it exited with code 0"), "{told}");
}

/// What a shell starts in the background ignores the signals of the terminal, and so does all that it starts itself. A
/// program that asks for Ctrl-C a moment too late would never end then.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_program_hears_the_signals_that_a_shell_has_switched_off() {
    let scene = Scene::new().await;
    let text = format!(
        "grep SigIgn: /proc/$$/status > signals\nexec {}\n",
        solution(&scene)
    );
    let programs = scene.programs("send", scene.script("signals.sh", &text));
    let mut shell = Command::new("sh");
    let switched_off = "trap '' HUP INT QUIT; exec \"$0\" \"$@\"";
    shell.args(["-c", switched_off]).arg(&scene.binary);
    let mut check = start(shell, "send_says_so_and_exits", programs);
    assert!(check.wait().expect("it ends").success());
    let line = scene.written("signals");
    let mask = line.strip_prefix("SigIgn:").unwrap_or_default().trim();
    let ignored = u64::from_str_radix(mask, 16).expect("a mask of signals");
    assert_eq!(ignored & 0b111, 0, "{ignored:b}");
}

/// Starts a check by hand.
fn start(mut command: Command, check: &str, programs: Programs) -> Child {
    let request = Request {
        programs,
        ..Request::default()
    };
    command
        .args([check, "--exact"])
        .envs(request.to_env().expect("it can be written"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it can be started")
}

/// A `send` as it should be.
fn executable(scene: &Scene) -> String {
    let folder = scene.binary.ancestors().nth(2).expect("target/debug");
    folder.join("send-solution").display().to_string()
}

/// Its command in a script.
fn solution(scene: &Scene) -> String {
    format!("'{}'", executable(scene))
}

/// `send` as it should be while there is a broker; what it does later, without one, is the script's.
fn correct_with_a_broker(scene: &Scene, without: &str) -> String {
    let solution = solution(scene);
    format!(
        "echo run >> runs.txt\nruns=$(wc -l < runs.txt)\nif [ \"$runs\" -eq 1 ]; then exec {solution}; fi\n{without}\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hangs_once_without_a_broker_gets_a_second_chance() {
    let scene = Scene::new().await;
    let text = correct_with_a_broker(
        &scene,
        "if [ \"$runs\" -eq 2 ]; then exec sleep 3600; fi\necho 'connection refused' >&2\nexit 1",
    );
    let command = scene.script("hangs-once.sh", &text);
    let result = scene
        .check("both_say_when_there_is_no_broker", "send", command)
        .await;
    assert_eq!(
        result.report.verdict,
        Verdict::Pass,
        "{}",
        result.report.text()
    );
    assert_eq!(scene.written("runs.txt").lines().count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_always_hangs_without_a_broker_fails() {
    let scene = Scene::new().await;
    let text = correct_with_a_broker(&scene, "exec sleep 3600");
    let command = scene.script("hangs.sh", &text);
    let result = scene
        .check("both_say_when_there_is_no_broker", "send", command)
        .await;
    let told = result.report.text();
    assert_eq!(result.report.verdict, Verdict::Fail, "{told}");
    assert!(told.contains("the program still runs"), "{told}");
    assert_eq!(scene.written("runs.txt").lines().count(), 3);
}
