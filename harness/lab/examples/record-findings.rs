//! Records the tapes of `tests/findings/` from real programs on a real broker.
//!
//! ```text
//! FINDINGS_PROGRAMS=target/debug cargo run -p workbook-lab --example record-findings [CASE]...
//! ```
//!
//! The programs (the solutions, mistakes and variants of `hello-world` and `work-queues`) must be built. The broker is the
//! one that `WORKBOOK_BROKER` chooses; scenes that starve a broker, or make it refuse something, get one of their own.

#![allow(clippy::expect_used, reason = "it may stop at what it does not expect")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, SystemTime},
};

use amqp_tap::{Login, Side, Tap, TapOptions, Tape, What, broker};
use lapin::{
    BasicProperties, Connection, ConnectionProperties,
    options::{BasicPublishOptions, QueueDeclareOptions},
    types::FieldTable,
};
use rustix::process::{Pid, Signal, kill_process};
use support::scenes;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};
use workbook_broker::{Broker, Lease, Options};
use workbook_diagnosis::recording::{About, Line};

const DEADLINE: Duration = Duration::from_secs(5);

/// What happens in a case, one after the other.
enum Step {
    /// A program runs to its end.
    Run(&'static str),
    /// Messages wait in a durable queue.
    Waiting(&'static str, &'static [&'static [u8]]),
    /// A program consumes until it has got so many messages, and is interrupted where it has not ended by then.
    Consume(&'static str, usize),
}
use Step::{Consume, Run, Waiting};

const CASES: &[(&str, &[Step])] = &[
    (
        "solution",
        &[
            Run("send-solution"),
            Run("send-solution"),
            Consume("receive-solution", 2),
        ],
    ),
    (
        "receive-first",
        &[Consume("receive-solution", 0), Run("send-solution")],
    ),
    (
        "send-confirms",
        &[Run("send-confirms"), Consume("receive-acks", 1)],
    ),
    (
        "transient",
        &[Run("send-transient"), Consume("receive-transient", 1)],
    ),
    (
        "send-wrong-queue",
        &[Run("send-wrong-queue"), Consume("receive-solution", 0)],
    ),
    ("send-other-case", &[Run("send-other-case")]),
    ("send-no-declare", &[Run("send-no-declare")]),
    ("send-named-exchange", &[Run("send-named-exchange")]),
    ("send-no-flush", &[Run("send-no-flush")]),
    ("send-no-close", &[Run("send-no-close")]),
    ("send-purges", &[Run("send-purges"), Run("send-purges")]),
    ("receive-no-declare", &[Consume("receive-no-declare", 0)]),
    (
        "receive-other-arguments",
        &[Run("send-solution"), Consume("receive-other-arguments", 0)],
    ),
    (
        "receive-stops-after-one",
        &[
            Waiting("hello", &[b"one", b"two", b"three"]),
            Consume("receive-stops-after-one", 3),
        ],
    ),
    (
        "receive-stops-when-empty",
        &[
            Waiting("hello", &[b"one"]),
            Consume("receive-stops-when-empty", 1),
        ],
    ),
    (
        "receive-prints-byte-list",
        &[
            Waiting("hello", &[b"Hello World!"]),
            Consume("receive-prints-byte-list", 1),
        ],
    ),
    (
        "receive-never-acks",
        &[
            Waiting("hello", &[b"one", b"two", b"three"]),
            Consume("receive-never-acks", 3),
        ],
    ),
    (
        "receive-dies-on-bytes",
        &[
            Waiting("hello", &[b"caf\xe9"]),
            Consume("receive-dies-on-bytes", 1),
        ],
    ),
    ("send-claims-too-early", &[Run("send-claims-too-early")]),
    ("new_task-not-persistent", &[Run("new_task-not-persistent")]),
    (
        "new_task-transient-queue",
        &[Run("new_task-transient-queue")],
    ),
    (
        "worker-acks-before-work",
        &[
            Waiting("task_queue", TASKS),
            Consume("worker-acks-before-work", 3),
        ],
    ),
    (
        "worker-automatic-ack",
        &[
            Waiting("task_queue", TASKS),
            Consume("worker-automatic-ack", 3),
        ],
    ),
    (
        "worker-no-prefetch",
        &[
            Waiting("task_queue", TASKS),
            Consume("worker-no-prefetch", 3),
        ],
    ),
    (
        "worker-global-prefetch",
        &[
            Waiting("task_queue", TASKS),
            Consume("worker-global-prefetch", 1),
        ],
    ),
    (
        "worker-prefetch-after-consume",
        &[
            Waiting("task_queue", TASKS),
            Consume("worker-prefetch-after-consume", 3),
        ],
    ),
    (
        "worker-requeues-forever",
        &[
            Waiting("task_queue", &[b"never."]),
            Consume("worker-requeues-forever", 8),
        ],
    ),
];

/// With [`UNIT`], the second task is in work when Ctrl-C comes.
const TASKS: &[&[u8]] = &[b"one.", b"two..", b"three."];
/// How long a worker works for each `.`, in milliseconds.
const UNIT: &str = "200";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |case: &str| wanted.is_empty() || wanted.iter().any(|name| name == case);
    let programs = PathBuf::from(std::env::var("FINDINGS_PROGRAMS").expect("a folder"));
    let options = Options::from_env().expect("the choice of a broker");
    let broker = Broker::find_or_start(&options).await.expect("a broker");
    for (case, steps) in CASES.iter().filter(|(case, _)| wanted(case)) {
        let lease = broker.lease().await.expect("a virtual host");
        case_of_programs(case, steps, &lease, &programs).await;
        lease.release().await.expect("the virtual host goes");
    }
    for scene in scenes::SCENES.iter().filter(|scene| wanted(scene.name)) {
        let own = match scene.own {
            true => Some(Broker::start_own(&options).await.expect("a broker")),
            false => None,
        };
        let on = own.as_ref().map_or(&broker, |own| own.broker());
        let lease = on.lease().await.expect("a virtual host");
        let played = scenes::play(scene, &lease, own.as_ref()).await;
        let cast = played.into_iter().map(|it| (it.about, it.jsonl));
        keep(scene.name, cast.enumerate().collect());
        lease.release().await.expect("the virtual host goes");
        if let Some(own) = own {
            own.stop().await.expect("it stops");
        }
    }
}

/// Writes a case down: what is known of each program, and its tape, which is named after its place.
fn keep(case: &str, cast: Vec<(usize, (About, Vec<u8>))>) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/findings");
    let mut all = Vec::new();
    for (place, (mut about, jsonl)) in cast {
        about.tape = format!("{case}.{place}.jsonl");
        fs_err::write(folder.join(&about.tape), jsonl).expect("written");
        all.push(about);
    }
    let text = serde_json::to_string_pretty(&all).expect("JSON");
    fs_err::write(folder.join(format!("{case}.json")), text + "\n").expect("written");
}

async fn case_of_programs(case: &str, steps: &[Step], lease: &Lease, programs: &Path) {
    let mut cast = Vec::new();
    for (place, step) in steps.iter().enumerate() {
        let (program, messages) = match step {
            Run(program) => (program, None),
            Consume(program, messages) => (program, Some(*messages)),
            Waiting(queue, bodies) => {
                waiting(lease, queue, bodies).await;
                continue;
            }
        };
        let command = command(programs, program);
        let (tape, mut about) = run(lease, command, messages).await;
        let name = program.split('-').next().unwrap_or_default();
        about.argv = vec![name.to_owned()];
        let mut jsonl = Vec::new();
        tape.write_jsonl(&mut jsonl).expect("written");
        cast.push((place, (about, jsonl)));
    }
    keep(case, cast);
}

async fn waiting(lease: &Lease, queue: &str, bodies: &[&[u8]]) {
    let url = lease.amqp_url();
    let lab = Connection::connect(&url, ConnectionProperties::default());
    let lab = lab.await.expect("the broker is there");
    let channel = lab.create_channel().await.expect("a channel");
    let durable = QueueDeclareOptions::durable();
    let declared = channel.queue_declare(queue.into(), durable, FieldTable::default());
    declared.await.expect("declared");
    for body in bodies {
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        channel
            .basic_publish("".into(), queue.into(), options, body, properties)
            .await
            .expect("published");
    }
    lab.close(200, "done".into()).await.expect("it closes");
}

/// A solution is a file of its own; mistakes and variants are together in one for each chapter.
fn command(programs: &Path, program: &str) -> Command {
    let own = programs.join(program);
    if own.is_file() {
        return Command::new(own);
    }
    for together in [
        "hello-world-mistakes",
        "hello-world-variants",
        "work-queues-mistakes",
    ] {
        let together = programs.join(together);
        let list = std::process::Command::new(&together).output();
        let list = list.expect("it lists its programs").stdout;
        let list = String::from_utf8_lossy(&list);
        if list.lines().any(|name| name == program) {
            let mut command = Command::new(together);
            command.arg(program);
            return command;
        }
    }
    panic!("there is no program {program}");
}

/// Runs a program behind a tap: its tape, and what else is known of it.
async fn run(lease: &Lease, mut command: Command, messages: Option<usize>) -> (Tape, About) {
    let options = TapOptions {
        login: Some(Login {
            user: lease.user().to_owned(),
            password: lease.password().to_owned(),
            vhost: lease.vhost().to_owned(),
        }),
        ..TapOptions::to(lease.amqp_address())
    };
    let tap = Tap::open(options).await.expect("a tap");
    let tape = tap.tape().clone();
    let since = |began: SystemTime| SystemTime::now().duration_since(began).unwrap_or_default();
    let mut child = command
        .env("TASK_UNIT_MS", UNIT)
        .env("AMQP_ADDR", format!("amqp://{}/%2f", tap.endpoint()))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("a program");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let began = tape.began();
    let printed = tokio::spawn(async move {
        let mut printed = Vec::new();
        while let Ok(Some(line)) = lines.next_line().await {
            let at = u64::try_from(since(began).as_micros()).unwrap_or(u64::MAX);
            printed.push(Line { at_us: at, line });
        }
        printed
    });
    let mut interrupted = None;
    if let Some(messages) = messages {
        let answer = broker("basic.consume-ok");
        let consumes = tape.wait_for_frame(DEADLINE, &answer);
        let ended = tokio::select! {
            _ = child.wait() => true,
            _ = consumes => false,
        };
        if !ended {
            let last = |event: &amqp_tap::Event| {
                matches!(&event.what, What::Content(_)) && event.from == Side::Broker
            };
            let mut got = 0;
            let enough = tape.wait_for(DEADLINE, |event| {
                got += usize::from(last(event));
                got >= messages
            });
            tokio::select! {
                _ = child.wait() => {}
                _ = enough => {}
            }
            // Long enough for a program to print what it got, or to end of its own accord.
            let quiet = tokio::time::timeout(Duration::from_millis(300), child.wait()).await;
            if quiet.is_err() {
                interrupted = u64::try_from(since(began).as_micros()).ok();
                let pid = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
                kill_process(pid.expect("it runs"), Signal::INT).expect("a signal");
            }
        }
    }
    let status = tokio::time::timeout(DEADLINE, child.wait())
        .await
        .expect("it ends")
        .expect("a status");
    let printed = printed.await.expect("its output");
    let all_ended = |events: &[std::sync::Arc<amqp_tap::Event>]| {
        let ended =
            |event: &&std::sync::Arc<amqp_tap::Event>| matches!(event.what, What::Closed(_));
        events.iter().find(ended).map(|_| ())
    };
    tape.wait_until(DEADLINE, all_ended)
        .await
        .expect("the connection ends");
    let tape = tap.close().await;
    let looked = u64::try_from(since(began).as_micros()).unwrap_or(u64::MAX);
    let about = About {
        printed,
        interrupted_us: interrupted,
        ended: status.code(),
        looked_us: looked,
        ..About::default()
    };
    (tape, about)
}
