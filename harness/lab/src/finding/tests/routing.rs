use super::super::{
    FindingId as Id, Given,
    testing::{Stage, found, ids, ids_given},
};
use crate::course::Ask;

fn logs() -> Given {
    Given {
        exchanges: ["logs".to_owned()].into(),
        asks: [Ask::OwnQueues].into(),
        ..Given::default()
    }
}

/// A subscriber as it ought to be.
fn subscriber(queue: &str) -> Stage {
    Stage::connected("receive_logs")
        .declares_exchange("logs")
        .declares_exclusive(queue)
        .binds(queue, "logs")
        .consumes(queue, true)
        .passes(5000)
}

#[test]
fn subscribers_with_a_queue_each_are_right() {
    let (one, other) = (subscriber("amq.gen-1"), subscriber("amq.gen-2"));
    let emit = Stage::connected("emit_log")
        .declares_exchange("logs")
        .publishes("logs", "", b"info")
        .closes()
        .exits(0);
    assert_eq!(ids_given(&[&one, &other, &emit], &logs()), []);
}

#[test]
fn a_queue_that_two_consume_from_is_shared() {
    let shared = || {
        Stage::connected("receive_logs")
            .declares_exchange("logs")
            .declares("logs_queue")
            .binds("logs_queue", "logs")
            .consumes("logs_queue", true)
    };
    let both = ids_given(&[&shared(), &shared()], &logs());
    assert_eq!(both.iter().filter(|id| **id == Id::SharedQueue).count(), 2);
    // Alone it shares with nobody, but anybody may come.
    assert_eq!(ids_given(&[&shared()], &logs()), [Id::QueueNotExclusive]);
    // Workers share their queue, and rightly so.
    assert_eq!(ids(&[&shared(), &shared()]), []);
}

#[test]
fn a_queue_for_everybody_stays() {
    let left = Stage::connected("receive_logs")
        .declares_exchange("logs")
        .asks_for("")
        .declared("amq.gen-1")
        .binds("amq.gen-1", "logs")
        .consumes("amq.gen-1", true);
    let found = found(&[&left], &logs());
    assert_eq!(found[0].id, Id::QueueNotExclusive);
    assert_eq!(found[0].arguments["generated"], "yes");
}

#[test]
fn a_queue_that_is_bound_to_nothing_gets_nothing() {
    let unbound = || {
        Stage::connected("receive_logs")
            .declares_exchange("logs")
            .declares_exclusive("amq.gen-1")
            .consumes("amq.gen-1", true)
    };
    assert_eq!(
        ids_given(&[&unbound().passes(5000)], &logs()),
        [Id::QueueNotBound]
    );
    // A program that consumes first may bind a moment later.
    assert_eq!(ids_given(&[&unbound()], &logs()), []);
    assert_eq!(
        ids_given(
            &[&unbound().binds("amq.gen-1", "logs").passes(5000)],
            &logs()
        ),
        []
    );
    assert_eq!(ids(&[&unbound().passes(5000)]), []);
}

#[test]
fn another_exchange_is_named_beside_the_one_that_is_meant() {
    let emit = |exchange: &str| {
        Stage::connected("emit_log")
            .declares_exchange(exchange)
            .publishes(exchange, "", b"info")
    };
    let found = found(&[&emit("log")], &logs());
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(
        (found[0].id, &*found[0].arguments["wanted"]),
        (Id::OtherExchange, "logs")
    );
    assert_eq!(ids(&[&emit("log")]), []);
    // One more exchange beside it harms nobody.
    let two = emit("logs").declares_exchange("audit");
    assert_eq!(ids_given(&[&two], &logs()), []);
}
