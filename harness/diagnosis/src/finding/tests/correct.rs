//! Correct programs show no finding.

use super::super::testing::{Script, ids};

fn send() -> Script {
    Script::connected("send")
        .declares("hello")
        .publishes("", "hello", b"Hello World!")
        .prints("Sent 'Hello World!'")
        .closes()
        .exits(0)
}

fn receive() -> Script {
    Script::connected("receive")
        .declares("hello")
        .consumes("hello", true)
        .prints("Waiting for messages. To exit press CTRL+C")
}

#[test]
fn a_correct_pair_shows_none() {
    let receive = receive()
        .passes(1000)
        .delivered(1, b"Hello World!")
        .prints("Received 'Hello World!'")
        .interrupted()
        .closes()
        .exits(0);
    assert_eq!(
        ids(&[
            &send().after(std::time::Duration::from_millis(100)),
            &receive
        ]),
        []
    );
}

#[test]
fn nothing_is_said_of_a_program_that_still_runs() {
    assert_eq!(ids(&[&receive()]), []);
    assert_eq!(ids(&[&receive().delivered(1, b"one")]), []);
    assert_eq!(ids(&[&Script::new("receive")]), []);
}

#[test]
fn manual_acknowledgement_is_as_good_with_a_prefetch_and_without() {
    let consume = |stage: Script| {
        stage
            .consumes("hello", false)
            .prints("Waiting for messages. To exit press CTRL+C")
            .delivered(1, b"one")
            .delivered(2, b"two")
            .prints("one")
            .acks(1)
            .prints("two")
            .acks(2)
            .interrupted()
            .closes()
            .exits(0)
    };
    let without = consume(Script::connected("receive").declares("hello"));
    let with = consume(
        Script::connected("receive")
            .declares("hello")
            .prefetches(10, false),
    );
    assert_eq!(ids(&[&without]), []);
    assert_eq!(ids(&[&with]), []);
}

#[test]
fn a_consumer_may_be_ended_by_the_signal() {
    assert_eq!(ids(&[&receive().interrupted().drops().dies(2)]), []);
    assert_eq!(ids(&[&receive().interrupted().drops().exits(0)]), []);
    assert_eq!(ids(&[&receive().interrupted().drops().exits(130)]), []);
}

#[test]
fn what_the_lab_kills_has_done_nothing_wrong() {
    let killed = receive()
        .delivered(1, b"one")
        .prints("Received 'one'")
        .drops();
    assert_eq!(ids(&[&killed.dies(9)]), []);
    assert_eq!(ids(&[&Script::connected("send").drops().dies(9)]), []);
}

#[test]
fn confirms_that_are_awaited_are_fine() {
    let send = Script::connected("send")
        .declares("hello")
        .opens(2)
        .wants_confirms()
        .publishes("", "hello", b"one")
        .publishes("", "hello", b"two")
        .confirmed(2, true)
        .prints("Sent \"one\"")
        .closes()
        .exits(0);
    assert_eq!(ids(&[&send]), []);
}

#[test]
fn with_no_broker_an_error_is_right() {
    let send = Script::new("send").without_broker().exits(1);
    assert_eq!(ids(&[&send]), []);
}

#[test]
fn a_worker_that_is_killed_in_the_middle_of_a_task_is_no_mistake() {
    let worker = || {
        Script::connected("worker")
            .declares("task_queue")
            .prefetches(1, false)
            .consumes("task_queue", false)
            .prints("Waiting for messages. To exit press CTRL+C")
            .delivered(1, b"one...")
            .prints("Received 'one...'")
    };
    assert_eq!(ids(&[&worker().drops().dies(9)]), []);
    assert_eq!(ids(&[&worker().interrupted().closes().exits(0)]), []);
    assert_eq!(ids(&[&worker().passes(5000)]), []);
}

#[test]
fn a_server_may_answer_a_queue_that_it_has_never_declared() {
    let server = Script::connected("rpc_server")
        .declares("rpc_queue")
        .prefetches(1, false)
        .consumes("rpc_queue", false)
        .prints("Awaiting RPC requests")
        .requested(1, b"7", "answers-4711")
        .replies("", "answers-4711", b"13", "1")
        .acks(1)
        .interrupted()
        .closes()
        .exits(0);
    assert_eq!(ids(&[&server]), []);
}
