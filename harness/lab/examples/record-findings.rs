//! Records the tapes of `tests/findings/` from real programs on a real broker.
//!
//! ```text
//! FINDINGS_BROKER=127.0.0.1:5672 FINDINGS_PROGRAMS=target/debug \
//!     cargo run -p workbook-lab --example record-findings
//! ```
//!
//! The broker's virtual host `/` must be empty but for what this leaves there, and the programs (the solution of
//! `hello-world`, its mistakes and its variants) must be built.

#![allow(clippy::expect_used, reason = "it may stop at what it does not expect")]

use std::{
    path::PathBuf,
    process::Stdio,
    time::{Duration, SystemTime},
};

use amqp_tap::{Side, Tap, TapOptions, Tape, What, broker};
use lapin::{
    BasicProperties, Connection, ConnectionProperties,
    options::{BasicPublishOptions, QueueDeclareOptions, QueueDeleteOptions},
    types::FieldTable,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

const DEADLINE: Duration = Duration::from_secs(5);

/// What happens in a case, one after the other.
enum Step {
    /// A program runs to its end.
    Run(&'static str),
    /// Messages wait in `hello`, which is durable.
    Waiting(&'static [&'static [u8]]),
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
            Waiting(&[b"one", b"two", b"three"]),
            Consume("receive-stops-after-one", 3),
        ],
    ),
    (
        "receive-stops-when-empty",
        &[Waiting(&[b"one"]), Consume("receive-stops-when-empty", 1)],
    ),
    (
        "receive-prints-byte-list",
        &[
            Waiting(&[b"Hello World!"]),
            Consume("receive-prints-byte-list", 1),
        ],
    ),
    (
        "receive-never-acks",
        &[
            Waiting(&[b"one", b"two", b"three"]),
            Consume("receive-never-acks", 3),
        ],
    ),
    (
        "receive-dies-on-bytes",
        &[Waiting(&[b"caf\xe9"]), Consume("receive-dies-on-bytes", 1)],
    ),
];

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let broker = std::env::var("FINDINGS_BROKER").expect("FINDINGS_BROKER is an address");
    let programs = PathBuf::from(std::env::var("FINDINGS_PROGRAMS").expect("a folder"));
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/findings");
    let url = format!("amqp://{broker}");
    let lab = Connection::connect(&url, ConnectionProperties::default());
    let lab = lab.await.expect("the broker is there");
    for (case, steps) in CASES {
        let channel = lab.create_channel().await.expect("a channel");
        for queue in ["hello", "helo"] {
            let deleted = channel.queue_delete(queue.into(), QueueDeleteOptions::default());
            deleted.await.expect("the queue is gone");
        }
        let mut cast = Vec::new();
        for (place, step) in steps.iter().enumerate() {
            let (program, messages) = match step {
                Run(program) => (program, None),
                Consume(program, messages) => (program, Some(*messages)),
                Waiting(bodies) => {
                    let durable = QueueDeclareOptions::durable();
                    let declared =
                        channel.queue_declare("hello".into(), durable, FieldTable::default());
                    declared.await.expect("declared");
                    for body in *bodies {
                        let (options, properties) =
                            (BasicPublishOptions::default(), BasicProperties::default());
                        channel
                            .basic_publish("".into(), "hello".into(), options, body, properties)
                            .await
                            .expect("published");
                    }
                    continue;
                }
            };
            let (tape, mut about) = play(&broker, &programs.join(program), messages).await;
            let name = format!("{case}.{place}.jsonl");
            let file = fs_err::File::create(folder.join(&name)).expect("a file");
            tape.write_jsonl(file).expect("written");
            about["tape"] = name.into();
            about["program"] = program.split('-').next().into();
            cast.push(about);
        }
        let text = serde_json::to_string_pretty(&cast).expect("JSON");
        fs_err::write(folder.join(format!("{case}.json")), text + "\n").expect("written");
    }
}

/// Runs a program behind a tap: its tape, and what else is known of it.
async fn play(
    broker_address: &str,
    program: &std::path::Path,
    messages: Option<usize>,
) -> (Tape, serde_json::Value) {
    let options = TapOptions::recorder(
        broker_address
            .parse::<std::net::SocketAddr>()
            .expect("an address"),
    );
    let tap = Tap::open(options).await.expect("a tap");
    let tape = tap.tape().clone();
    let since = |began: SystemTime| SystemTime::now().duration_since(began).unwrap_or_default();
    let mut child = Command::new(program)
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
            printed.push(json!({"at_us": at, "line": line}));
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
    let about = json!({
        "printed": printed,
        "interrupted_us": interrupted,
        "ended": status.code(),
        "looked_us": looked,
    });
    (tape, about)
}
