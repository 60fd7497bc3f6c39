//! The life of a broker of ours, in Docker and on this machine: started once however many ask, found
//! again, replaced when it dies or hangs, and gone without a trace.

// Helpers of tests may fail as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

mod common;

use std::io::{BufRead as _, BufReader};
use std::time::{Duration, Instant};

use common::{Traces, World, docker, have, text};
use rustix::process::{Pid, Signal, kill_process};
use workbook_broker::{Broker, Kind};

#[tokio::test]
async fn ten_processes_at_once_start_one_local_broker() {
    ten_processes_at_once_start_one(Kind::Local).await;
}

#[tokio::test]
async fn ten_processes_at_once_start_one_container() {
    ten_processes_at_once_start_one(Kind::Docker).await;
}

async fn ten_processes_at_once_start_one(kind: Kind) {
    if !have(kind) {
        return;
    }
    let world = World::of_kind(kind);
    let started = Instant::now();
    let processes: Vec<_> = (0..10)
        .map(|_| world.command("up").spawn().unwrap())
        .collect();
    let mut brokers = Vec::new();
    let mut starts = 0;
    for process in processes {
        let output = process.wait_with_output().unwrap();
        let (said, told) = text(&output);
        assert!(output.status.success(), "{told}");
        starts += told.matches("starting RabbitMQ").count();
        brokers.push(said);
    }
    eprintln!(
        "{kind}: ten processes had a cold broker after {:?}",
        started.elapsed()
    );
    brokers.dedup();
    assert_eq!(brokers.len(), 1, "all got the same: {brokers:?}");
    assert_eq!(starts, 1);

    // Found again, without a start.
    let again = Instant::now();
    let broker = Broker::find_or_start(&world.options).await.unwrap();
    eprintln!("{kind}: found again in {:?}", again.elapsed());
    assert_eq!(broker.kind(), kind);
    assert!(
        broker.version().starts_with(['3', '4']),
        "{}",
        broker.version()
    );
    assert!(broker.amqp_address().ip().is_loopback());
    assert!(world.said().is_empty(), "{:?}", world.said());
    let running = Broker::running(&world.options).await.unwrap();
    assert_eq!(running.len(), 1);
    assert_eq!(running[0].amqp_address(), broker.amqp_address());

    let traces = Traces::of(&world, &broker);
    assert!(!traces.left().is_empty());
    let down = Instant::now();
    let stopped = Broker::down(&world.options).await.unwrap();
    eprintln!("{kind}: down in {:?}", down.elapsed());
    assert_eq!(
        stopped
            .iter()
            .map(|stopped| stopped.kind)
            .collect::<Vec<_>>(),
        [kind]
    );
    assert_eq!(traces.left(), Vec::<String>::new());
    assert!(Broker::running(&world.options).await.unwrap().is_empty());
    assert!(
        Broker::down(&world.options).await.unwrap().is_empty(),
        "a second time is no error"
    );
}

#[tokio::test]
async fn a_killed_node_is_replaced() {
    a_lost_node_is_replaced(Signal::KILL).await;
}

#[tokio::test]
async fn a_hung_node_is_replaced() {
    // It still accepts connections, and says nothing.
    a_lost_node_is_replaced(Signal::STOP).await;
}

async fn a_lost_node_is_replaced(signal: Signal) {
    if !have(Kind::Local) {
        return;
    }
    let world = World::of_kind(Kind::Local);
    Broker::find_or_start(&world.options).await.unwrap();
    let id = world.record(Kind::Local)["id"].as_str().unwrap().to_owned();
    for pid in node_processes(&id) {
        kill_process(pid, signal).unwrap();
        if signal == Signal::STOP {
            until_stopped(pid);
        }
    }
    let second = Broker::find_or_start(&world.options).await.unwrap();
    assert_ne!(world.record(Kind::Local)["id"].as_str().unwrap(), id);
    assert_eq!(node_processes(&id), [], "nothing of the first is left");
    second.lease().await.unwrap().release().await.unwrap();
}

/// Waits until no thread of a process runs any more. SIGSTOP reaches one of them, which stops the others as soon as it
/// gets a processor: until then they answer.
fn until_stopped(pid: Pid) {
    let tasks = format!("/proc/{}/task", pid.as_raw_nonzero());
    let runs = || {
        let mut tasks = std::fs::read_dir(&tasks).unwrap().flatten();
        tasks.any(|task| {
            let status = std::fs::read_to_string(task.path().join("status")).unwrap_or_default();
            !status.contains("\nState:\tT")
        })
    };
    let deadline = Instant::now() + Duration::from_mins(1);
    while runs() {
        assert!(Instant::now() < deadline, "{pid:?} does not stop");
        std::thread::yield_now();
    }
}

fn node_processes(id: &str) -> Vec<Pid> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        let mut words = line
            .split('\0')
            .skip_while(|word| *word != "-workbook_node")
            .skip(2);
        if words.next() == Some(id) {
            let pid = entry.file_name().to_str().unwrap().parse().unwrap();
            found.push(Pid::from_raw(pid).unwrap());
        }
    }
    found
}

#[tokio::test]
async fn a_dead_container_is_replaced() {
    if !have(Kind::Docker) {
        return;
    }
    let world = World::of_kind(Kind::Docker);
    Broker::find_or_start(&world.options).await.unwrap();
    let first = world.record(Kind::Docker)["place"]["container"]
        .as_str()
        .unwrap()
        .to_owned();
    docker(&["kill", &first]).unwrap();
    let second = Broker::find_or_start(&world.options).await.unwrap();
    assert!(
        docker(&["inspect", &first]).is_none(),
        "the dead one is removed"
    );
    second.lease().await.unwrap().release().await.unwrap();
}

#[tokio::test]
async fn a_start_that_was_killed_is_cleaned_up_by_the_next() {
    for kind in [Kind::Local, Kind::Docker] {
        if !have(kind) {
            continue;
        }
        let world = World::of_kind(kind);
        let mut starter = world.command("up").spawn().unwrap();
        let mut told = BufReader::new(starter.stderr.take().unwrap()).lines();
        assert!(told.any(|line| line.unwrap().contains("starting RabbitMQ")));
        let id = world.record(kind)["id"].as_str().unwrap().to_owned();
        starter.kill().unwrap();
        starter.wait().unwrap();

        let broker = Broker::find_or_start(&world.options).await.unwrap();
        assert_ne!(world.record(kind)["id"].as_str().unwrap(), id);
        assert_eq!(node_processes(&id), []);
        let traces = Traces::of(&world, &broker);
        assert!(Broker::down(&world.options).await.unwrap().len() <= 2);
        assert_eq!(traces.left(), Vec::<String>::new(), "{kind}");
    }
}

#[tokio::test]
async fn a_broker_whose_record_is_lost_is_stopped_by_down() {
    for kind in [Kind::Local, Kind::Docker] {
        if !have(kind) {
            continue;
        }
        let world = World::of_kind(kind);
        let broker = Broker::find_or_start(&world.options).await.unwrap();
        let traces = Traces::of(&world, &broker);
        std::fs::remove_dir_all(world.options.state.path()).unwrap();
        let stopped = Broker::down(&world.options).await.unwrap();
        assert_eq!(stopped.len(), 1, "{kind}");
        assert_eq!(traces.left(), Vec::<String>::new(), "{kind}");
    }
}
