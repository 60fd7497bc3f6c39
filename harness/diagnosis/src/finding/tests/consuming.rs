use amqp_tap::{Ending, Side};
use workbook_course::Ask;

use super::super::{
    FindingId as Id, Given, Severity,
    testing::{Script, found, ids, ids_given, only},
};

fn consumer(automatic: bool) -> Script {
    Script::connected("receive")
        .declares("hello")
        .consumes("hello", automatic)
        .prints("Waiting for messages. To exit press CTRL+C")
}

#[test]
fn a_consumer_does_not_end_by_itself() {
    let one = || consumer(true).delivered(1, b"one").prints("Received 'one'");
    assert_eq!(only(&[&one().closes().exits(0)]).id, Id::StoppedEarly);
    assert_eq!(ids(&[&one().drops().exits(0)]), [Id::StoppedEarly]);
    assert_eq!(ids(&[&one().interrupted().closes().exits(0)]), []);
    // It never said that it waits: a client that takes its one answer.
    let client = Script::connected("rpc_client")
        .declares("mine")
        .consumes("mine", true)
        .delivered(1, b"13")
        .prints("Got 13")
        .closes()
        .exits(0);
    assert_eq!(ids(&[&client]), []);
}

#[test]
fn an_empty_queue_is_not_the_end() {
    let receive = Script::connected("receive")
        .declares("hello")
        .prints("Waiting for messages. To exit press CTRL+C")
        .gets_nothing("hello")
        .closes()
        .exits(0);
    let finding = only(&[&receive]);
    assert_eq!(
        (finding.id, &*finding.arguments["empty"]),
        (Id::StoppedEarly, "yes")
    );
}

/// The broker sends on while a program dies: what is told is what it printed, or else the first.
#[test]
fn who_dies_of_a_body_has_not_read_those_behind_it() {
    let receive = consumer(true)
        .delivered(1, b"one")
        .delivered(2, b"two")
        .delivered(3, b"three");
    let printed = receive.clone().prints("got one");
    for receive in [receive, printed] {
        let finding = only(&[&receive.drops().exits(1)]);
        assert_eq!(finding.id, Id::DiedOnDelivery);
        assert_eq!(finding.arguments["body"], "one");
    }
}

/// What was still on its way to it is lost because it died.
#[test]
fn who_dies_of_a_body_is_not_told_of_the_others_as_well() {
    let receive = consumer(true)
        .prints("Waiting for messages. To exit press CTRL+C")
        .delivered(1, b"caf\xe9")
        .delivered(2, b"two")
        .drops();
    assert_eq!(ids(&[&receive.clone().dies(9)]), [Id::WorkLost]);
    assert_eq!(ids(&[&receive.exits(1)]), [Id::DiedOnDelivery]);
}

#[test]
fn a_body_that_is_no_text_ends_nobody() {
    let receive = consumer(true).delivered(1, b"caf\xe9");
    let finding = only(&[&receive.clone().drops().exits(1)]);
    assert_eq!(
        (finding.id, &*finding.arguments["why"]),
        (Id::DiedOnDelivery, "bytes")
    );
    assert_eq!(finding.arguments["body"], "caf\\xe9");
    assert_eq!(
        ids(&[&receive.clone().drops().dies(6)]),
        [Id::DiedOnDelivery]
    );
    assert_eq!(ids(&[&receive.clone().drops().dies(9)]), []);
    assert_eq!(
        ids(&[&receive.clone().interrupted().drops().exits(130)]),
        []
    );
    assert_eq!(ids(&[&receive.prints("Received 'caf\u{fffd}'")]), []);
    // It may have printed the body before, this one or one that is the same.
    let printed = consumer(true).delivered(1, b"one").prints("Received 'one'");
    let finding = only(&[&printed.clone().drops().exits(1)]);
    assert_eq!(
        (finding.id, &*finding.arguments["why"]),
        (Id::DiedOnDelivery, "printed")
    );
    // The broker, or the network, may end the connection, and the program with it.
    for ending in [
        Ending::DroppedByBroker,
        Ending::ClosedByBroker,
        Ending::Fault,
    ] {
        let lost = printed.clone().ends(Side::Broker, ending).exits(1);
        assert_eq!(ids(&[&lost]), [], "{ending}");
    }
}

#[test]
fn numbers_are_not_text() {
    let receive = consumer(true).delivered(1, b"Hello");
    let list = receive.clone().prints("Received [72, 101, 108, 108, 111]");
    assert_eq!(only(&[&list]).id, Id::BytesPrinted);
    assert_eq!(ids(&[&receive.prints("Received 'Hello'")]), []);
    // The text may be such a list.
    let text = consumer(true)
        .delivered(1, b"Hello")
        .delivered(2, b"[72, 101, 108, 108, 111]")
        .prints("Received 'Hello'")
        .prints("Received '[72, 101, 108, 108, 111]'");
    assert_eq!(ids(&[&text]), []);
}

#[test]
fn the_prefetch_comes_before_the_consumer() {
    let worker = || Script::connected("worker").declares("hello");
    let late = worker().consumes("hello", false).prefetches(1, false);
    assert_eq!(only(&[&late]).id, Id::PrefetchTooLate);
    let early = worker().prefetches(1, false).consumes("hello", false);
    assert_eq!(ids(&[&early]), []);
    // For a second consumer, or for the whole channel, it is in time.
    assert_eq!(ids(&[&late.consumes("hello", false)]), []);
    let global = worker().consumes("hello", false).prefetches(1, true);
    assert_eq!(ids(&[&global]), []);
    // With automatic acknowledgement there is none.
    assert_eq!(
        ids(&[&worker().consumes("hello", true).prefetches(1, false)]),
        []
    );
}

#[test]
fn no_prefetch_is_told_where_the_chapter_asks_for_one() {
    let given = Given {
        asks: [Ask::Prefetch].into(),
        ..Given::default()
    };
    let worker = || Script::connected("worker").declares("hello");
    let without = worker().consumes("hello", false);
    assert_eq!(ids(&[&without]), []);
    assert_eq!(ids_given(&[&without], &given), [Id::PrefetchMissing]);
    let unlimited = worker().prefetches(0, false).consumes("hello", false);
    assert_eq!(ids_given(&[&unlimited], &given), [Id::PrefetchMissing]);
    let late = worker().consumes("hello", false).prefetches(1, false);
    assert_eq!(ids_given(&[&late], &given), [Id::PrefetchTooLate]);
    let global = worker().prefetches(1, true).consumes("hello", false);
    assert_eq!(ids_given(&[&global], &given), [Id::PrefetchGlobal]);
    let right = worker().prefetches(1, false).consumes("hello", false);
    assert_eq!(ids_given(&[&right], &given), []);
}

#[test]
fn no_prefetch_is_why_a_check_fails_only_where_messages_waited_or_none_came() {
    let given = Given {
        asks: [Ask::Prefetch].into(),
        ..Given::default()
    };
    let severity = |stage: Script, given: &Given| found(&[&stage], given)[0].severity;
    let worker = || {
        Script::connected("worker")
            .declares("hello")
            .consumes("hello", false)
    };
    let waited = || worker().delivered(1, b"one").delivered(2, b"two");
    let in_turn = || {
        let first = worker().delivered(1, b"one").acks(1);
        first.delivered(2, b"two").acks(2)
    };
    assert_eq!(severity(worker(), &given), Severity::Error);
    assert_eq!(severity(waited(), &given), Severity::Error);
    assert_eq!(severity(in_turn(), &given), Severity::Advice);
    let late = |stage: Script| stage.prefetches(1, false);
    assert_eq!(severity(late(waited()), &given), Severity::Error);
    assert_eq!(
        severity(late(waited()), &Given::default()),
        Severity::Advice
    );
    assert_eq!(severity(late(in_turn()), &given), Severity::Advice);
    // An early acknowledgement on the tape comes before it.
    let hasty = worker().works(1000).delivered(1, b"one..").acks(1);
    let both = found(
        &[&hasty.delivered(2, b"two..").delivered(3, b"three..")],
        &given,
    );
    let ids: Vec<_> = both.iter().map(|finding| finding.id).collect();
    assert_eq!(ids, [Id::AckBeforeDone, Id::PrefetchMissing]);
}

#[test]
fn no_prefetch_is_told_where_another_consumer_starves() {
    let greedy = Script::connected("worker 1")
        .declares("hello")
        .passes(100)
        .consumes("hello", false)
        .delivered(1, b"one")
        .delivered(2, b"two")
        .delivered(3, b"three");
    let idle = Script::connected("worker 2")
        .declares("hello")
        .consumes("hello", false);
    let found = found(&[&greedy, &idle], &Given::default());
    assert_eq!(found[0].id, Id::PrefetchMissing);
    assert_eq!((found.len(), found[0].place), (1, 0));
    let served = idle.delivered(1, b"four");
    assert_eq!(ids(&[&greedy, &served]), []);
}

#[test]
fn who_asks_again_and_again_polls() {
    let asks = |times: usize| {
        let receive = Script::connected("receive").declares("hello");
        (0..times).fold(receive, |receive, _| receive.gets_nothing("hello"))
    };
    let finding = only(&[&asks(3)]);
    assert_eq!((finding.id, &*finding.arguments["count"]), (Id::Polls, "3"));
    assert_eq!(finding.arguments["queue"], "hello");
    // Once is no polling, and who consumes afterwards has only looked first.
    assert_eq!(ids(&[&asks(1)]), []);
    assert_eq!(ids(&[&asks(3).consumes("hello", true)]), []);
}
