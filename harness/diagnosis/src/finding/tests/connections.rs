use amqp_tap::{
    Ending, Flaw, FrameKind, Protocol, Side, What,
    amq_protocol::{
        protocol::{AMQPClass, connection},
        types::{AMQPValue, FieldTable},
    },
};
use workbook_course::Language;

use super::super::{
    FindingId as Id,
    testing::{Script, ids, only},
};

fn sent() -> Script {
    Script::connected("send")
        .declares("hello")
        .publishes("", "hello", b"Hello World!")
        .prints("Sent 'Hello World!'")
}

fn waits() -> Script {
    Script::connected("receive")
        .declares("hello")
        .consumes("hello", true)
        .prints("Waiting for messages. To exit press CTRL+C")
}

#[test]
fn a_program_comes_to_the_broker() {
    assert_eq!(
        only(&[&Script::new("send").exits(101)]).id,
        Id::NeverConnected
    );
    assert_eq!(ids(&[&Script::new("send").fault("refuses").exits(1)]), []);
    assert_eq!(ids(&[&Script::new("send").dies(9)]), []);
}

#[test]
fn a_connection_is_closed() {
    let finding = only(&[&sent().drops().exits(0)]);
    assert_eq!(
        (finding.id, &*finding.arguments["count"]),
        (Id::ConnectionNotClosed, "1")
    );
    let left_unread = What::Reset {
        why: "connection reset".to_owned(),
    };
    let reset = sent().event(Side::Client, left_unread).drops().exits(0);
    assert_eq!(ids(&[&reset]), [Id::ConnectionNotClosed]);
    assert_eq!(ids(&[&sent().closes().exits(0)]), []);
    // It is still at it; it was killed; it had an error and said so.
    assert_eq!(ids(&[&sent()]), []);
    assert_eq!(ids(&[&sent().drops().dies(9)]), []);
    assert_eq!(ids(&[&sent().drops().exits(1)]), []);
}

#[test]
fn a_lost_connection_is_an_error() {
    let cut = || {
        waits()
            .fault("cuts the connection")
            .ends(Side::Broker, Ending::Fault)
    };
    assert_eq!(ids(&[&cut().exits(0)]), [Id::LostConnectionIgnored]);
    assert_eq!(ids(&[&cut().exits(1)]), []);
    let again = cut()
        .connects()
        .opens(1)
        .consumes("hello", true)
        .interrupted()
        .closes();
    assert_eq!(ids(&[&again.exits(0)]), []);
}

#[test]
fn ctrl_c_ends_a_program() {
    assert_eq!(ids(&[&waits().interrupted().passes(500)]), []);
    let stubborn = waits().interrupted().passes(2500);
    assert_eq!(only(&[&stubborn]).id, Id::InterruptIgnored);
    assert_eq!(
        ids(&[&stubborn.clone().drops().dies(9)]),
        [Id::InterruptIgnored]
    );
    assert_eq!(
        ids(&[&waits().interrupted().closes().exits(0).passes(2500)]),
        []
    );
}

#[test]
fn silence_is_taken_for_death() {
    let silent = |millis: u64| {
        waits()
            .passes(millis)
            .ends(Side::Broker, Ending::DroppedByBroker)
            .exits(1)
    };
    let finding = only(&[&silent(20_000)]);
    assert_eq!(
        (finding.id, &*finding.arguments["interval"]),
        (Id::HeartbeatMissed, "10")
    );
    assert_eq!(ids(&[&silent(9_000)]), []);
    // A program that is stuck closes nothing, so the tape ends while its side is still open.
    let stuck = waits().passes(21_000).event(Side::Broker, What::HalfClosed);
    assert_eq!(ids(&[&stuck]), [Id::HeartbeatMissed]);
    let alive = waits()
        .passes(9_000)
        .event(Side::Client, What::Heartbeat { channel: 0 })
        .passes(9_000)
        .ends(Side::Broker, Ending::DroppedByBroker)
        .exits(1);
    assert_eq!(ids(&[&alive]), []);
}

#[test]
fn many_connections_at_once_are_too_many() {
    let connects = |times: usize, pause: u64| {
        (0..times).fold(Script::new("send"), |stage, _| {
            stage.connects().closes().passes(pause)
        })
    };
    let finding = only(&[&connects(30, 50)]);
    assert_eq!(
        (finding.id, &*finding.arguments["count"]),
        (Id::ConnectionChurn, "30")
    );
    assert_eq!(ids(&[&connects(30, 1000)]), []);
    assert_eq!(ids(&[&connects(3, 0)]), []);
}

#[test]
fn a_blocked_publisher_waits() {
    let publisher = || {
        Script::connected("send")
            .declares("q")
            .blocked("low on memory")
    };
    let publish = |stage: Script, times: usize| {
        (0..times).fold(stage, |stage, _| stage.publishes("", "q", b"one"))
    };
    assert_eq!(only(&[&publisher()]).id, Id::ConnectionBlocked);
    let ignoring = publish(publisher(), 3).unblocked().closes().exits(0);
    assert_eq!(ids(&[&ignoring]), [Id::ConnectionBlocked]);
    let waiting = publish(publisher().unblocked(), 3).closes().exits(0);
    assert_eq!(ids(&[&waiting]), []);
}

#[test]
fn what_is_no_amqp_is_told() {
    let flaw = Flaw::FrameType(65);
    let cut = |from: Side| {
        sent()
            .event(from, What::Unreadable(flaw.clone()))
            .ends(Side::Client, Ending::Cut)
            .exits(1)
    };
    assert_eq!(only(&[&cut(Side::Client)]).id, Id::Unreadable);
    assert_eq!(ids(&[&cut(Side::Broker)]), []);
}

#[test]
fn what_is_no_amqp_is_told_by_what_it_looks_like() {
    let begins = |looks_like: Protocol| {
        let start = "\"…\"".to_owned();
        let flaw = What::Unreadable(Flaw::Greeting { start, looks_like });
        let stage = Script::new("send").event(Side::Client, What::Connected);
        let cut = stage
            .event(Side::Client, flaw)
            .ends(Side::Client, Ending::Cut);
        only(&[&cut.exits(1)])
    };
    let (tls, http) = (begins(Protocol::Tls), begins(Protocol::Http));
    assert_eq!((tls.id, http.id), (Id::Unreadable, Id::Unreadable));
    assert!(tls.explanation(Language::English).contains("amqps://"));
    assert_ne!(tls.title(Language::Chinese), http.title(Language::Chinese));
}

#[test]
fn a_frame_that_is_too_large_is_no_foreign_protocol() {
    let flaw = Flaw::FrameSize {
        kind: FrameKind::Header,
        claimed: 1_398_038,
        allowed: 131_072,
    };
    let cut = sent()
        .event(Side::Client, What::Unreadable(flaw))
        .ends(Side::Client, Ending::Cut)
        .exits(1);
    let finding = only(&[&cut]);
    assert_eq!(finding.id, Id::FrameTooLarge);
    let told = finding.explanation(Language::English);
    assert!(told.contains("must fit into one frame"), "{told}");
    assert!(
        told.contains("1398038") && told.contains("131072"),
        "{told}"
    );
}

/// A connection whose opening goes as far as `connection.tune-ok`.
fn tunes(version: &str, frame_max: u32, channel_max: u16) -> Script {
    let mut properties = FieldTable::default();
    let version = AMQPValue::LongString(version.into());
    properties.insert("version".into(), version);
    let start = connection::AMQPMethod::Start(connection::Start {
        server_properties: properties,
        ..connection::Start::default()
    });
    let tune = connection::AMQPMethod::Tune(connection::Tune {
        channel_max: 2047,
        frame_max: 131_072,
        heartbeat: 60,
    });
    let chosen = connection::AMQPMethod::TuneOk(connection::TuneOk {
        channel_max,
        frame_max,
        heartbeat: 60,
    });
    Script::new("send")
        .event(Side::Client, What::Connected)
        .at(0)
        .broker(AMQPClass::Connection(start))
        .broker(AMQPClass::Connection(tune))
        .client(AMQPClass::Connection(chosen))
}

#[test]
fn what_the_broker_does_not_accept_in_the_negotiation_is_told_with_both_numbers() {
    let gone = |stage: Script| stage.ends(Side::Broker, Ending::DroppedByBroker).exits(1);
    let small = tunes("4.3.6", 4096, 2047);
    let finding = only(&[&gone(small.clone())]);
    assert_eq!(finding.id, Id::NegotiationRefused);
    let told = finding.explanation(Language::English);
    for words in ["131072", "4096", "8192 at least since RabbitMQ 4.1"] {
        assert!(told.contains(words), "{told}");
    }
    // Whether the program waits for the broker to close is its own affair.
    assert_eq!(ids(&[&small.drops().exits(1)]), [Id::NegotiationRefused]);
    for refused in [
        tunes("4.3.6", 0, 2047),
        tunes("4.3.6", 131_073, 2047),
        tunes("4.3.6", 131_072, 0),
        tunes("4.3.6", 131_072, 2048),
        tunes("3.10.8", 4095, 2047),
    ] {
        assert_eq!(ids(&[&gone(refused)]), [Id::NegotiationRefused]);
    }
    // An older broker takes half as much, and ends such a connection for another reason.
    for accepted in [tunes("3.10.8", 4096, 2047), tunes("4.3.6", 8192, 1)] {
        assert_eq!(ids(&[&gone(accepted)]), [Id::ConnectionNotOpened]);
    }
}

#[test]
fn a_connection_that_ends_while_it_is_being_opened_has_a_finding() {
    let connects = || Script::new("send").event(Side::Client, What::Connected);
    let left = connects().drops().exits(1);
    let finding = only(&[&left]);
    assert_eq!(
        (
            finding.id,
            &*finding.arguments["by"],
            &*finding.arguments["after"]
        ),
        (Id::ConnectionNotOpened, "program", "none")
    );
    let dropped = connects().ends(Side::Broker, Ending::DroppedByBroker);
    assert_eq!(only(&[&dropped.exits(1)]).arguments["by"], "broker");
    // It tried again, and it is open; it was killed; the lab cut it; there is no broker.
    assert_eq!(ids(&[&connects().drops().connects().closes().exits(0)]), []);
    assert_eq!(ids(&[&connects().drops().dies(9)]), []);
    let cut = connects().fault("cuts").ends(Side::Client, Ending::Fault);
    assert_eq!(ids(&[&cut.exits(1)]), []);
    let nobody = connects().ends(Side::Broker, Ending::NoBroker);
    assert_eq!(ids(&[&nobody.exits(1)]), []);
}

#[test]
fn a_limit_of_the_lab_is_told() {
    let limit = What::Limit {
        limit: "channels".to_owned(),
        allowed: 64,
    };
    let program = sent()
        .event(Side::Client, limit)
        .ends(Side::Client, Ending::Cut)
        .exits(1);
    let finding = only(&[&program]);
    assert_eq!(
        (finding.id, &*finding.arguments["allowed"]),
        (Id::LimitPassed, "64")
    );
}

#[test]
fn what_vanished_was_never_said() {
    let send = Script::connected("send")
        .vanishing()
        .publishes("", "hello", b"Hello World!")
        .closes();
    assert_eq!(ids(&[&send]), []);
}
