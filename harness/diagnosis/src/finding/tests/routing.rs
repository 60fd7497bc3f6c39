use workbook_course::Ask;

use super::super::{
    FindingId as Id, Given,
    testing::{Script, found, ids, ids_given},
};

fn logs() -> Given {
    Given {
        exchanges: ["logs".to_owned()].into(),
        asks: [Ask::OwnQueues].into(),
        ..Given::default()
    }
}

/// A subscriber as it ought to be.
fn subscriber(queue: &str) -> Script {
    Script::connected("receive_logs")
        .declares_exchange("logs")
        .declares_exclusive(queue)
        .binds(queue, "logs")
        .consumes(queue, true)
        .passes(5000)
}

#[test]
fn subscribers_with_a_queue_each_are_right() {
    let (one, other) = (subscriber("amq.gen-1"), subscriber("amq.gen-2"));
    let emit = Script::connected("emit_log")
        .declares_exchange("logs")
        .publishes("logs", "", b"info")
        .closes()
        .exits(0);
    assert_eq!(ids_given(&[&one, &other, &emit], &logs()), []);
}

#[test]
fn a_queue_that_two_consume_from_is_shared() {
    let shared = || {
        Script::connected("receive_logs")
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
    let left = Script::connected("receive_logs")
        .declares_exchange("logs")
        .asks_for("")
        .declared("amq.gen-1")
        .binds("amq.gen-1", "logs")
        .consumes("amq.gen-1", true);
    let found = found(&[&left], &logs());
    assert_eq!(found[0].id, Id::QueueNotExclusive);
    assert_eq!(found[0].arguments["generated"], "yes");
    assert_eq!(found[0].arguments["stays"], "yes");
}

#[test]
fn a_queue_that_goes_with_its_last_consumer_does_not_stay() {
    let shared = Script::connected("receive_logs")
        .declares_exchange("logs")
        .declares_auto_delete("mine")
        .binds("mine", "logs")
        .consumes("mine", true);
    let found = found(&[&shared], &logs());
    assert_eq!(found[0].id, Id::QueueNotExclusive);
    assert_eq!(found[0].arguments["stays"], "no");
}

#[test]
fn a_queue_that_is_bound_to_nothing_gets_nothing() {
    let unbound = || {
        Script::connected("receive_logs")
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
        Script::connected("emit_log")
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

fn direct_logs() -> Given {
    Given {
        exchanges: ["direct_logs".to_owned()].into(),
        asks: [Ask::OwnQueues, Ask::KeysFromArguments].into(),
        ..Given::default()
    }
}

#[test]
fn the_first_argument_is_the_routing_key() {
    let emit = |key: &str| {
        Script::connected("emit_log_direct error 'disk full'").publishes(
            "direct_logs",
            key,
            b"disk full",
        )
    };
    assert_eq!(ids_given(&[&emit("error")], &direct_logs()), []);
    let found = found(&[&emit("")], &direct_logs());
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(
        (found[0].id, &*found[0].arguments["wanted"]),
        (Id::OtherRoutingKey, "error")
    );
    // Without arguments the chapter's text gives the key, and other chapters have other arguments.
    let plain = Script::connected("emit_log_direct").publishes("direct_logs", "info", b"hello");
    assert_eq!(ids_given(&[&plain], &direct_logs()), []);
    assert_eq!(ids(&[&emit("")]), []);
}

#[test]
fn each_argument_is_bound() {
    let receive = |keys: &[&str]| {
        let queue = Script::connected("receive_logs_direct info error")
            .declares_exchange("direct_logs")
            .declares_exclusive("amq.gen-1");
        let bind = |stage: Script, key: &&str| stage.binds_key("amq.gen-1", "direct_logs", key);
        keys.iter().fold(queue, bind).consumes("amq.gen-1", true)
    };
    let both = receive(&["error", "info"]).passes(5000);
    assert_eq!(ids_given(&[&both], &direct_logs()), []);
    for wrong in [&["info"][..], &["info error"]] {
        let found = found(&[&receive(wrong).passes(5000)], &direct_logs());
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!(found[0].id, Id::ArgumentNotBound);
    }
    // A program that consumes first may bind a moment later.
    assert_eq!(ids_given(&[&receive(&["info"])], &direct_logs()), []);
    // One that has bound something else has misread its arguments.
    let wrong = receive(&["info error"]);
    assert_eq!(ids_given(&[&wrong], &direct_logs()), [Id::ArgumentNotBound]);
}

#[test]
fn one_queue_has_all_bindings() {
    let queue = |stage: Script, queue: &str| {
        stage
            .declares_exclusive(queue)
            .binds_key(queue, "direct_logs", "error")
            .consumes(queue, true)
    };
    let start =
        Script::connected("receive_logs_direct error error").declares_exchange("direct_logs");
    let one = queue(start, "amq.gen-1");
    assert_eq!(ids_given(&[&one], &direct_logs()), []);
    let two = queue(one.clone(), "amq.gen-2");
    assert_eq!(ids_given(&[&two], &direct_logs()), [Id::QueuePerBinding]);
    // Whoever connects again has a new queue.
    let again = queue(one.connects().opens(1), "amq.gen-2");
    assert_eq!(ids_given(&[&again], &direct_logs()), []);
}
