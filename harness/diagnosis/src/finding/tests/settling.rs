use super::super::{
    FindingId as Id,
    testing::{Script, ids, only},
};

fn consumer(automatic: bool) -> Script {
    Script::connected("receive")
        .declares("hello")
        .consumes("hello", automatic)
        .prints("Waiting for messages. To exit press CTRL+C")
}

fn worker() -> Script {
    consumer(false).works(100)
}

#[test]
fn what_is_never_acknowledged_comes_back() {
    let receive = consumer(false)
        .delivered(1, b"one")
        .delivered(2, b"two")
        .delivered(3, b"three")
        .prints("Received 'one'")
        .prints("Received 'two'")
        .prints("Received 'three'")
        .interrupted()
        .closes()
        .exits(0);
    let finding = only(&[&receive]);
    assert_eq!(finding.id, Id::UnackedDeliveries);
    // It may still have been busy with the last one, so that proves nothing, but it is not settled either.
    assert_eq!(finding.evidence.len(), 3);
    assert_eq!(finding.arguments["count"], "3");
    assert_eq!(finding.arguments["all"], "3");
}

#[test]
fn one_that_is_done_and_never_acknowledged_is_told_once_time_has_passed() {
    let worker = consumer(false)
        .delivered(1, b"one.")
        .prints("Received 'one.'")
        .prints("Done");
    assert_eq!(ids(&[&worker]), []);
    assert_eq!(
        ids(&[&worker.clone().passes(2000)]),
        [Id::UnackedDeliveries]
    );
    assert_eq!(ids(&[&worker.clone().acks(1).passes(2000)]), []);
    assert_eq!(
        ids(&[&worker.interrupted().closes().exits(0)]),
        [Id::UnackedDeliveries]
    );
}

/// The work took less time than it takes: that is another mistake, and who acknowledges after it does so in time.
#[test]
fn one_that_is_done_too_soon_is_acknowledged_in_time() {
    let received = || worker().delivered(1, b"one.").prints("Received 'one.'");
    let early = received().acks(1).passes(100).prints("Done");
    assert_eq!(only(&[&early]).id, Id::AckBeforeDone);
    assert_eq!(ids(&[&received().prints("Done").acks(1)]), []);
    // A line may be seen a little later than it was printed.
    assert_eq!(ids(&[&received().acks(1).prints("Done")]), []);
}

#[test]
fn an_acknowledgement_may_settle_many() {
    let receive = consumer(false)
        .delivered(1, b"one")
        .delivered(2, b"two")
        .prints("one")
        .prints("two")
        .acks_up_to(2)
        .interrupted()
        .closes()
        .exits(0);
    assert_eq!(ids(&[&receive]), []);
}

#[test]
fn work_takes_its_time_before_the_ack() {
    let works = |stage: Script, millis: u64| stage.delivered(1, b"one..").passes(millis).acks(1);
    let finding = only(&[&works(worker(), 5)]);
    assert_eq!(finding.id, Id::AckBeforeDone);
    assert_eq!(finding.arguments["work"], "200 ms");
    assert_eq!(ids(&[&works(worker(), 200)]), []);
    assert_eq!(ids(&[&works(consumer(false), 5)]), []);
    assert_eq!(ids(&[&worker().delivered(1, b"none").acks(1)]), []);
}

#[test]
fn each_worker_is_judged_by_its_own_unit() {
    let quick = consumer(false)
        .works(1)
        .delivered(1, b"one..")
        .passes(2)
        .acks(1);
    let busy = consumer(false)
        .works(3_600_000)
        .delivered(1, b"all day long....")
        .acks(1);
    let finding = only(&[&quick, &busy]);
    assert_eq!((finding.id, finding.place), (Id::AckBeforeDone, 1));
    assert_eq!(finding.arguments["work"], "4 h");
}

#[test]
fn automatic_acknowledgement_loses_what_is_on_the_way() {
    let receive = || consumer(true).delivered(1, b"one").delivered(2, b"two");
    let one = receive().prints("Received 'one'");
    let finding = only(&[&one.clone().drops().dies(9)]);
    assert_eq!(
        (finding.id, &*finding.arguments["count"]),
        (Id::WorkLost, "1")
    );
    let both = one.clone().prints("Received 'two'").drops().dies(9);
    assert_eq!(ids(&[&both]), []);
    assert_eq!(ids(&[&one.clone()]), []);
    assert_eq!(ids(&[&one.interrupted().closes().exits(0)]), []);
}

#[test]
fn a_task_that_is_not_done_is_lost_although_it_was_printed() {
    let worker = || {
        consumer(true)
            .works(100)
            .delivered(1, b"one...")
            .prints("Received 'one...'")
    };
    let killed = worker().drops().dies(9);
    assert_eq!(ids(&[&killed]), [Id::WorkLost]);
    let done = worker().prints("Done").drops().dies(9);
    assert_eq!(ids(&[&done]), []);
}

#[test]
fn bodies_that_every_language_prints_differently_are_never_missed() {
    for body in ["消息 😀".as_bytes(), b"\xff\xfe", b"", b"it's \"so\""] {
        let receive = consumer(true).delivered(1, body).prints("Received b'?'");
        assert_eq!(ids(&[&receive.drops().dies(9)]), [], "{body:?}");
    }
}

#[test]
fn one_retry_is_no_loop() {
    let worker = |times: u64| {
        let first = consumer(false).delivered(1, b"bad").requeues(1);
        (2..=times).fold(first, |stage, tag| {
            stage.redelivered(tag, b"bad").requeues(tag)
        })
    };
    let finding = only(&[&worker(20)]);
    assert_eq!(
        (finding.id, &*finding.arguments["count"]),
        (Id::RedeliveryLoop, "20")
    );
    assert!(finding.evidence.len() <= 8);
    assert_eq!(ids(&[&worker(2)]), []);
}
