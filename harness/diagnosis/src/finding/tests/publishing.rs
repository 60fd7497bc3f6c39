use std::time::Duration;

use amqp_tap::{Side, What};
use workbook_course::Ask;

use super::super::{
    FindingId as Id, Given,
    testing::{Script, found, ids, ids_given, only},
};

#[test]
fn a_publish_before_the_queue_is_discarded() {
    let send = Script::connected("send").publishes("", "hello", b"Hello World!");
    let frame = send.last() - 1;
    let send = send.prints("Sent 'Hello World!'").closes().exits(0);
    let finding = only(&[&send]);
    assert_eq!(finding.id, Id::DiscardedPublish);
    assert_eq!(finding.evidence, [frame]);
    assert_eq!(finding.arguments["queue"], "hello");
    assert_eq!(finding.arguments["later"], "none");
}

#[test]
fn who_declares_the_queue_too_late_is_named() {
    let send = Script::connected("send")
        .publishes("", "hello", b"one")
        .closes()
        .exits(0);
    let receive = Script::connected("receive").asks_for("hello");
    let declare = receive.last();
    let receive = receive.declared("hello").after(Duration::from_secs(1));
    let finding = only(&[&send, &receive]);
    assert_eq!(finding.arguments["later"], "receive");
    assert_eq!(finding.elsewhere[0].event, declare);
    assert_eq!(finding.elsewhere[0].place, 1);
}

#[test]
fn nothing_is_discarded_where_somebody_may_have_declared_the_queue() {
    let send = || Script::connected("send").publishes("", "hello", b"one");
    let sent = || send().closes().exits(0);
    // Another program asked for it before this was routed.
    let receive = Script::connected("receive").asks_for("hello");
    assert_eq!(ids(&[&sent(), &receive]), [Id::DeclaredNothing]);
    // Nobody knows yet when it was routed.
    assert_eq!(ids(&[&send()]), [Id::DeclaredNothing]);
    // The lab declared it.
    let given = Given {
        queues: ["hello".to_owned()].into(),
        ..Given::default()
    };
    assert_eq!(ids_given(&[&sent()], &given), [Id::DeclaredNothing]);
    // Somebody declared it, at a time that is on no tape.
    let receive = Script::connected("receive")
        .consumes("hello", true)
        .after(Duration::from_secs(1));
    let both = ids(&[&sent(), &receive]);
    assert_eq!(both, [Id::DeclaredNothing, Id::DeclaredNothing]);
    // The broker says that it is there: it is declared with other options.
    let refused = "PRECONDITION_FAILED - inequivalent arg 'durable' for queue 'hello' in vhost '/': received 'true' but current is 'false'";
    let other = Script::connected("send")
        .asks_for("hello")
        .refused(406, refused, (50, 10));
    assert!(!ids(&[&other, &sent()]).contains(&Id::DiscardedPublish));
}

#[test]
fn what_is_mandatory_comes_back_and_is_not_discarded() {
    let send = Script::connected("publisher_confirms")
        .publishes_mandatory("confirmed", b"one")
        .returned("confirmed", b"one")
        .prints("returned one")
        .closes()
        .exits(1);
    assert_eq!(ids(&[&send]), [Id::DeclaredNothing]);
}

#[test]
fn publishing_with_no_subscriber_is_a_mistake_only_where_the_chapter_says_so() {
    let emit = Script::connected("emit_log")
        .declares_exchange("logs")
        .publishes("logs", "", b"info: one")
        .closes()
        .exits(0);
    let given = Given {
        asks: [Ask::Routed].into(),
        ..Given::default()
    };
    assert_eq!(ids(&[&emit]), []);
    assert_eq!(ids_given(&[&emit], &given), [Id::DiscardedPublish]);
    let bound = Script::connected("receive_logs")
        .declares("mine")
        .binds("mine", "logs");
    let late = emit.after(Duration::from_secs(1));
    assert_eq!(ids_given(&[&bound, &late], &given), []);
}

#[test]
fn a_publish_that_never_came_was_not_flushed() {
    let send = || Script::connected("send").declares("hello");
    let early = send().prints("Sent 'Hello World!'").drops().exits(0);
    assert_eq!(
        ids(&[&early]),
        [Id::PublishNotFlushed, Id::ConnectionNotClosed]
    );
    // What a library is given before it closes comes before the close: nothing was given to it.
    let never = send().prints("Sent 'Hello World!'").closes().exits(0);
    let finding = only(&[&never]);
    assert_eq!(
        (finding.id, &*finding.arguments["cut"]),
        (Id::PublishNotFlushed, "never")
    );
    let half = send().publishes_half("hello", b"Hello").drops().exits(0);
    assert_eq!(ids(&[&half])[0], Id::PublishNotFlushed);
    // It never said that it sent; it is still at it; the lab cut it.
    assert_eq!(ids(&[&send().closes().exits(0)]), []);
    assert_eq!(ids(&[&send().prints("Sent 'x'")]), []);
    let cut = send()
        .publishes_half("hello", b"Hel")
        .fault("cut")
        .drops()
        .exits(1);
    assert_eq!(ids(&[&cut]), []);
}

#[test]
fn sent_is_said_after_sending() {
    let early = Script::new("send")
        .prints("Sent 'Hello World!'")
        .connects()
        .opens(1)
        .declares("hello")
        .publishes("", "hello", b"Hello World!")
        .closes()
        .exits(0);
    assert_eq!(ids(&[&early]), [Id::SentTooEarly]);
    let nobody = Script::new("send")
        .without_broker()
        .prints("Sent 'Hello World!'")
        .exits(1);
    assert_eq!(ids(&[&nobody]), [Id::SentTooEarly]);
}

#[test]
fn who_never_came_to_the_broker_is_told_that_and_nothing_else() {
    let elsewhere = Script::new("send").prints("Sent 'Hello World!'").exits(0);
    let finding = only(&[&elsewhere]);
    assert_eq!(finding.id, Id::NeverConnected);
    assert_eq!(finding.arguments["how"], "claims");
    let waits = Script::new("receive").prints("Waiting for messages. To exit press CTRL+C");
    for stage in [waits.clone(), waits.dies(9)] {
        assert_eq!(only(&[&stage]).id, Id::NeverConnected);
    }
    // It may be about to connect.
    assert_eq!(ids(&[&Script::new("receive")]), []);
    let quiet = only(&[&Script::new("send").exits(0)]);
    assert_eq!(quiet.arguments["how"], "well");
    let early = only(&[&Script::new("send").exits(101)]);
    assert_eq!(early.arguments["how"], "badly");
    // A usage and Ctrl-C are ends of their own, and without a broker there is nothing to come to.
    let nobody = Script::new("send").without_broker().exits(0);
    assert_eq!(ids(&[&nobody]), []);
    assert_eq!(ids(&[&Script::new("receive").interrupted().exits(130)]), []);
}

#[test]
fn upper_and_lower_case_are_told() {
    let with = |program: &'static str, body: &[u8], line: &str| {
        Script::connected(program)
            .declares("hello")
            .publishes("", "hello", body)
            .prints(line)
            .closes()
            .exits(0)
    };
    let send = |body: &[u8], line: &str| with("send", body, line);
    let given = Given {
        bodies: vec![b"Hello World!".to_vec()],
        ..Given::default()
    };
    let told = |stage: &Script| {
        let mut found = found(&[stage], &given);
        let finding = found.pop().expect("it is told");
        assert_eq!((finding.id, found.len()), (Id::OtherBody, 0));
        let argument = |name: &str| finding.arguments[name].clone();
        (argument("how"), argument("body"), argument("wanted"))
    };
    let slip = |how: &str, body: &str| (how.to_owned(), body.to_owned(), "Hello World!".to_owned());
    let upper = told(&send(b"HELLO WORLD!", "Sent"));
    assert_eq!(upper, slip("case", "HELLO WORLD!"));
    // What it claims is no measure.
    let other = told(&send(b"hello world", "Sent Hello World"));
    assert_eq!(other, slip("other", "hello world"));
    assert_eq!(told(&send(b"Hello World!\n", "Sent")).1, "Hello World!\\n");
    assert_eq!(
        ids_given(&[&send(b"Hello World!", "Sent 'HELLO'")], &given),
        []
    );
    // Where nothing gives a body, anything may be meant.
    assert_eq!(ids(&[&send(b"Another one", "Sent 'Another one'")]), []);
    // Arguments give it, all of them or those that are no keys.
    let task = |body: &[u8]| with("new_task First 'task of' all", body, "Sent");
    for right in [&b"First task of all"[..], b"task of all", b"all"] {
        assert_eq!(ids_given(&[&task(right)], &given), []);
    }
    let lower = found(&[&task(b"first task of all")], &given);
    assert_eq!(lower[0].arguments["wanted"], "First task of all");
    // The check tells of other slips: nothing says which arguments are the body.
    assert_eq!(ids_given(&[&task(b"First")], &given), []);
}

#[test]
fn a_queue_that_nobody_else_uses_is_a_slip() {
    let send = |queue: &str| {
        Script::connected("send")
            .declares(queue)
            .publishes("", queue, b"one")
            .closes()
            .exits(0)
    };
    let receive = Script::connected("receive")
        .declares("hello")
        .consumes("hello", true);
    let finding = only(&[&send("helo"), &receive]);
    assert_eq!(finding.id, Id::UnusedQueue);
    assert_eq!(finding.arguments["wanted"], "hello");
    let given = Given {
        names: ["hello".to_owned()].into(),
        ..Given::default()
    };
    assert_eq!(ids_given(&[&send("Hello")], &given), [Id::UnusedQueue]);
    assert_eq!(ids_given(&[&send("hello")], &given), []);
    assert_eq!(ids_given(&[&send("something")], &given), []);
    assert_eq!(ids(&[&send("hello"), &receive]), []);
    assert_eq!(ids(&[&send("helo")]), []);
}

#[test]
fn a_purge_throws_away_only_what_waits() {
    let send = |messages: u32| {
        Script::connected("send")
            .declares("hello")
            .purges("hello", messages)
            .publishes("", "hello", b"one")
            .closes()
            .exits(0)
    };
    assert_eq!(ids(&[&send(0)]), []);
    let finding = only(&[&send(2)]);
    assert_eq!(
        (finding.id, &*finding.arguments["count"]),
        (Id::QueuePurged, "2")
    );
}

#[test]
fn confirms_are_awaited_before_the_close() {
    let send = || {
        Script::connected("send")
            .declares("hello")
            .wants_confirms()
            .publishes("", "hello", b"one")
            .publishes("", "hello", b"two")
    };
    let hasty = send().confirmed(1, false).closes().exits(0);
    let finding = only(&[&hasty]);
    assert_eq!(
        (finding.id, &*finding.arguments["count"]),
        (Id::ConfirmNotAwaited, "1")
    );
    assert!(ids(&[&send().drops().exits(0)]).contains(&Id::ConfirmNotAwaited));
    assert_eq!(
        ids(&[&send()
            .confirmed(1, false)
            .confirmed(2, false)
            .closes()
            .exits(0)]),
        []
    );
    assert_eq!(ids(&[&send()]), []);
    // What the lab holds back, nobody can await for ever.
    assert_eq!(ids(&[&send().fault("holds confirms").drops().dies(9)]), []);
}

/// The broker's confirm may come sooner than the end of a program that does not wait for it, or later: the finding is
/// the same.
#[test]
fn a_confirm_that_nobody_can_have_read_was_not_awaited() {
    let send = || {
        Script::connected("send")
            .declares("hello")
            .wants_confirms()
            .publishes("", "hello", b"one")
    };
    let gone = |stage: Script| stage.event(Side::Client, What::HalfClosed);
    let reset = |stage: Script| {
        let why = "connection reset".to_owned();
        stage.event(Side::Client, What::Reset { why })
    };
    let unread = [
        gone(send()),
        gone(send()).confirmed(1, false),
        reset(send().confirmed(1, false)),
    ];
    for stage in unread {
        let found = ids(&[&stage.drops().exits(0)]);
        assert_eq!(found, [Id::ConfirmNotAwaited, Id::ConnectionNotClosed]);
    }
    // It may have read the confirm: what was left unread came after it, or nothing was.
    for stage in [
        gone(send().confirmed(1, false)),
        reset(send().confirmed(1, false).declares("other")),
    ] {
        let found = ids(&[&stage.drops().exits(0)]);
        assert_eq!(found, [Id::ConnectionNotClosed]);
    }
}

#[test]
fn a_returned_message_is_looked_at() {
    let send = || {
        Script::connected("publisher_confirms")
            .declares("confirmed")
            .wants_confirms()
            .publishes_mandatory("confirmed", b"one")
            .returned("confirmed", b"one")
            .confirmed(1, false)
    };
    assert_eq!(
        ids(&[&send().closes().exits(0)]),
        [Id::ReturnedMessageIgnored]
    );
    assert_eq!(ids(&[&send().closes().exits(1)]), []);
    assert_eq!(ids(&[&send().prints("returned one").closes().exits(0)]), []);
}

#[test]
fn to_declare_nothing_is_worth_an_advice() {
    let given = Given {
        queues: ["hello".to_owned()].into(),
        ..Given::default()
    };
    let send = |stage: Script| stage.publishes("", "hello", b"one").closes().exits(0);
    let relying = send(Script::connected("send"));
    let declaring = send(Script::connected("send").declares("hello"));
    let advice = found(&[&relying], &given);
    assert_eq!(advice[0].id, Id::DeclaredNothing);
    assert_eq!(advice[0].severity, super::super::Severity::Advice);
    assert_eq!(ids_given(&[&declaring], &given), []);
}

/// A report to a queue of its own is no task, and may be lost.
#[test]
fn what_goes_past_the_queues_of_the_exercise_need_not_be_kept() {
    let given = Given {
        asks: [Ask::Durable].into(),
        names: ["task_queue".to_owned()].into(),
        ..Given::default()
    };
    let to = |queue: &str| {
        let worker = Script::connected("worker").declares("task_queue");
        let published = worker.declares("reports").publishes("", queue, b"one");
        ids_given(&[&published.closes().exits(0)], &given)
    };
    assert!(to("task_queue").contains(&Id::MessageNotPersistent));
    assert!(!to("reports").contains(&Id::MessageNotPersistent));
}

#[test]
fn what_a_restart_loses_is_told_where_the_chapter_asks() {
    let given = Given {
        asks: [Ask::Durable].into(),
        ..Given::default()
    };
    let lossy = Script::connected("new_task").declares_transient("task_queue");
    let declare = lossy.last() - 1;
    let lossy = lossy.publishes("", "task_queue", b"one");
    let content = lossy.last();
    let lossy = lossy.closes().exits(0);
    let told = found(&[&lossy], &given);
    let evidence: Vec<_> = told.iter().map(|it| (it.id, &it.evidence[..])).collect();
    assert_eq!(
        evidence,
        [
            (Id::QueueNotDurable, &[declare][..]),
            (Id::MessageNotPersistent, &[content][..])
        ]
    );
    assert_eq!(ids(&[&lossy]), []);
    let safe = Script::connected("new_task")
        .declares("task_queue")
        .publishes_persistent("task_queue", b"one")
        .closes()
        .exits(0);
    assert_eq!(ids_given(&[&safe], &given), []);
}
