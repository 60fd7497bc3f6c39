//! What is said when there is no broker, or none comes up.

// Helpers of tests may fail as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

mod common;

use std::io::Write as _;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use common::{World, have, text};
use workbook_broker::{Broker, Choice, Error, Kind, Options, StateDir};

#[test]
fn a_machine_without_anything_is_told_both_cures_and_exit_code_4() {
    let world = World::new(Choice::Auto);
    let output = world
        .command("up")
        .env("DOCKER_HOST", "unix:///nowhere/docker.sock")
        .env("WORKBOOK_BROKER_PATH", world.path())
        .output()
        .unwrap();
    let (_, said) = text(&output);
    assert_eq!(output.status.code(), Some(4), "{said}");
    for cure in [
        "docker pull rabbitmq:management",
        "apt-get install rabbitmq-server",
        "cargo workbook broker up --yes",
    ] {
        assert!(said.contains(cure), "{cure} is not in {said}");
    }
}

#[tokio::test]
async fn a_node_that_hangs_while_starting_ends_with_the_last_lines_of_its_log() {
    let mut world = World::of_kind(Kind::Local);
    world.fake_server("echo starting up; echo waiting for Godot; sleep 1000 & wait");
    world.options.start_timeout = Duration::from_secs(1);
    let started = Instant::now();
    let error = Broker::find_or_start(&world.options).await.unwrap_err();
    assert!(
        started.elapsed() < Duration::from_secs(30),
        "{:?}",
        started.elapsed()
    );
    let Error::StartTimedOut {
        kind: Kind::Local,
        seconds: 1,
        ref log_tail,
    } = error
    else {
        panic!("{error}");
    };
    assert_eq!(log_tail, &["starting up", "waiting for Godot"]);
    assert!(error.is_no_broker());
    assert!(error.to_string().contains("waiting for Godot"), "{error}");
    assert!(
        !world.options.data.as_ref().unwrap().exists(),
        "its data is removed"
    );
}

#[tokio::test]
async fn a_node_that_ends_while_starting_is_not_waited_for() {
    let mut world = World::of_kind(Kind::Local);
    world.fake_server("echo 'no schema today'; exit 3");
    let started = Instant::now();
    let error = Broker::find_or_start(&world.options).await.unwrap_err();
    assert!(
        started.elapsed() < Duration::from_secs(30),
        "{:?}",
        started.elapsed()
    );
    let Error::StartFailed {
        ref reason,
        ref log_tail,
        ..
    } = error
    else {
        panic!("{error}")
    };
    assert!(reason.contains('3'), "{reason}");
    assert_eq!(log_tail, &["no schema today"]);
}

#[tokio::test]
async fn a_container_that_is_not_ready_in_time_is_removed() {
    if !have(Kind::Docker) {
        return;
    }
    let mut world = World::of_kind(Kind::Docker);
    world.options.start_timeout = Duration::from_secs(1);
    let error = Broker::find_or_start(&world.options).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::StartTimedOut {
                kind: Kind::Docker,
                ..
            }
        ),
        "{error}"
    );
    // `down` tells what it finds to remove.
    assert!(Broker::down(&world.options).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_silent_or_strange_address_is_unreachable() {
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let stranger = TcpListener::bind("127.0.0.1:0").unwrap();
    let strange = stranger.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in stranger.incoming().flatten() {
            let _ = (&stream).write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    for (address, said) in [(nobody, "refused"), (strange, "does not speak AMQP")] {
        let options = with_address(&format!("amqp://me:hush@{address}"));
        let error = Broker::find_or_start(&options).await.unwrap_err();
        assert!(matches!(error, Error::Unreachable { .. }), "{error}");
        assert!(error.is_no_broker());
        let text = format!("{error} {error:?}");
        assert!(text.contains(said) && !text.contains("hush"), "{text}");
    }
}

fn with_address(url: &str) -> Options {
    let mut options = Options::new(StateDir::at("/nowhere"));
    options.choice = url.parse().unwrap();
    options
}

#[test]
fn a_choice_is_what_is_typed() {
    for word in ["auto", "docker", "local"] {
        assert_eq!(word.parse::<Choice>().unwrap().to_string(), word);
    }
    let address: Choice = "amqp://me:hush@host/v".parse().unwrap();
    assert_eq!(address.to_string(), "amqp://host:5672");
    let error = "podman".parse::<Choice>().unwrap_err();
    assert!(!error.is_no_broker());
    assert!(error.to_string().contains("auto, docker, local"), "{error}");
}

#[test]
fn somebody_elses_folder_is_refused() {
    let world = World::of_kind(Kind::Local);
    // A link is as good as somebody else's folder.
    std::os::unix::fs::symlink("/tmp", world.options.state.path()).unwrap();
    let output = world.command("up").output().unwrap();
    let (_, said) = text(&output);
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("cannot be used"), "{said}");
    std::fs::remove_file(world.options.state.path()).unwrap();
}
