use super::super::{
    Finding, FindingId as Id, Given,
    refusals::anonymous,
    testing::{Script, ids, ids_given, only},
};

const NO_QUEUE: &str = "NOT_FOUND - no queue 'hello' in vhost 'lab-1'";

fn consume_refused() -> Script {
    Script::connected("receive")
        .client(consume("hello"))
        .refused(404, NO_QUEUE, (60, 20))
        .drops()
        .exits(1)
}

fn consume(queue: &str) -> amqp_tap::amq_protocol::protocol::AMQPClass {
    use amqp_tap::amq_protocol::protocol::{AMQPClass, basic};
    AMQPClass::Basic(basic::AMQPMethod::Consume(basic::Consume {
        queue: queue.into(),
        no_ack: true,
        ..basic::Consume::default()
    }))
}

#[test]
fn a_queue_that_is_not_there_is_named() {
    let finding = only(&[&consume_refused()]);
    assert_eq!(finding.id, Id::QueueNotFound);
    assert_eq!(finding.arguments["queue"], "hello");
    assert_eq!(finding.arguments["method"], "basic.consume");
    // The consume, and the channel.close that answers it.
    assert_eq!(finding.evidence, [10, 11]);
    assert_eq!(
        finding.arguments["text"],
        "NOT_FOUND - no queue 'hello' in vhost '/'"
    );
}

#[test]
fn who_declares_it_later_is_named() {
    let send = Script::connected("send")
        .passes(500)
        .declares("hello")
        .publishes("", "hello", b"one")
        .closes()
        .exits(0);
    let finding = only(&[&consume_refused(), &send]);
    assert_eq!(finding.arguments["later"], "send");
    assert_eq!(finding.elsewhere[0].program, "send");
}

#[test]
fn who_declared_it_before_did_not_do_so_afterwards() {
    let before = Script::connected("send")
        .declares("hello")
        .closes()
        .exits(0);
    let refused = consume_refused().after(std::time::Duration::from_secs(1));
    let finding = only(&[&refused, &before]);
    assert_eq!(finding.id, Id::QueueNotFound);
    assert_eq!(finding.arguments["later"], "none");
}

#[test]
fn an_exchange_that_has_the_name_of_the_queue_is_the_usual_slip() {
    let text = "NOT_FOUND - no exchange 'hello' in vhost '/'";
    let send = |exchange: &str| {
        Script::connected("send")
            .declares("hello")
            .publishes(exchange, "hello", b"one")
            .refused(404, text, (60, 40))
            .prints("Sent 'one'")
            .drops()
            .exits(0)
    };
    let finding = only(&[&send("hello")]);
    assert_eq!(finding.id, Id::ExchangeNotFound);
    assert_eq!(finding.arguments["queue"], "yes");
    assert_eq!(finding.evidence.len(), 2);
}

#[test]
fn the_argument_that_differs_is_named_and_who_declared_it() {
    let text = "PRECONDITION_FAILED - inequivalent arg 'durable' for queue 'hello' in vhost 'lab-1': received 'false' but current is 'true'";
    let send = Script::connected("send")
        .declares("hello")
        .publishes("", "hello", b"one")
        .closes()
        .exits(0);
    let receive = Script::connected("receive")
        .asks_for("hello")
        .refused(406, text, (50, 10))
        .drops()
        .exits(1)
        .after(std::time::Duration::from_secs(1));
    let finding = only(&[&send, &receive]);
    assert_eq!(finding.id, Id::InequivalentArguments);
    assert_eq!(finding.program, "receive");
    for (name, value) in [
        ("argument", "durable"),
        ("name", "hello"),
        ("received", "false"),
        ("current", "true"),
        ("owner", "send"),
    ] {
        assert_eq!(finding.arguments[name], value, "{name}");
    }
    assert_eq!(finding.elsewhere[0].event, 10);
}

#[test]
fn an_optional_argument_is_understood_too() {
    let text = "PRECONDITION_FAILED - inequivalent arg 'x-max-priority' for queue 'q' in vhost '/': received none but current is the value '10' of type 'long'";
    let program = Script::connected("p")
        .asks_for("q")
        .refused(406, text, (50, 10))
        .drops()
        .exits(1);
    let finding = only(&[&program]);
    assert_eq!(finding.arguments["received"], "none");
    assert_eq!(finding.arguments["current"], "10");
    assert_eq!(finding.arguments["owner"], "none");
}

fn unknown_tag(stage: Script, tag: u64) -> Finding {
    let text = format!("PRECONDITION_FAILED - unknown delivery tag {tag}");
    only(&[&stage.refused(406, &text, (60, 80)).drops().exits(1)])
}

fn consumer(automatic: bool) -> Script {
    Script::connected("worker")
        .declares("hello")
        .consumes("hello", automatic)
        .delivered(1, b"one")
}

/// A library that Ctrl-C interrupts while it sends may send the same again.
#[test]
fn what_is_acknowledged_again_after_ctrl_c_is_no_fault_of_the_program() {
    let text = "PRECONDITION_FAILED - unknown delivery tag 1";
    let late = consumer(false).acks(1).passes(5).interrupted().passes(5);
    let late = late.acks(1);
    assert_eq!(ids(&[&late.clone().drops().exits(0)]), []);
    let refused = late.refused(406, text, (60, 80)).drops().exits(0);
    assert_eq!(ids(&[&refused]), []);
    let early = consumer(false).acks(1).acks(1).passes(5).interrupted();
    let refused = early.refused(406, text, (60, 80)).drops().exits(0);
    assert_eq!(ids(&[&refused]), [Id::DoubleAck]);
}

#[test]
fn each_way_to_an_unknown_tag_has_its_own_name() {
    let twice = unknown_tag(consumer(false).acks(1).acks(1), 1);
    assert_eq!((twice.id, twice.evidence.len()), (Id::DoubleAck, 3));
    let covered = unknown_tag(
        consumer(false).delivered(2, b"two").acks_up_to(2).acks(1),
        1,
    );
    assert_eq!(covered.id, Id::DoubleAck);
    let automatic = unknown_tag(consumer(true).acks(1), 1);
    assert_eq!(automatic.id, Id::AckAfterAutomaticAck);
    let other = unknown_tag(consumer(false).opens(2).acks(1), 1);
    assert_eq!(other.id, Id::AckOnOtherChannel);
    let invented = unknown_tag(consumer(false).acks(7), 7);
    assert_eq!(invented.id, Id::UnknownDeliveryTag);
    // After a reconnect, the old tag is not one of another channel.
    let old = unknown_tag(consumer(false).drops().connects().opens(1).acks(1), 1);
    assert_eq!(old.id, Id::UnknownDeliveryTag);
}

#[test]
fn the_owner_of_an_exclusive_queue_is_named() {
    let text = "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue 'mine' in vhost '/'. It could be originally declared on another connection or the exclusive property value does not match that of the original declaration.";
    let owner = Script::connected("one").declares("mine");
    let other = Script::connected("two")
        .passes(100)
        .asks_for("mine")
        .refused(405, text, (50, 10))
        .drops()
        .exits(1);
    let finding = only(&[&owner, &other]);
    assert_eq!(
        (finding.id, &*finding.arguments["owner"]),
        (Id::ResourceLocked, "one")
    );
    assert_eq!(finding.arguments["queue"], "mine");
}

#[test]
fn refused_access_says_to_what() {
    let about = |text: &str, ids| {
        let program = Script::connected("p").declares("q").client(consume("q"));
        let program = program.refused(403, text, ids).drops().exits(1);
        only(&[&program]).arguments["about"].clone()
    };
    let used = "ACCESS_REFUSED - queue 'q' in vhost '/' in exclusive use";
    assert_eq!(about(used, (60, 20)), "consumer");
    let other = "ACCESS_REFUSED - access to queue 'q' in vhost '/' refused for user 'guest'";
    assert_eq!(about(other, (60, 20)), "other");
    let login = "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN.";
    assert_eq!(about(login, (0, 0)), "login");
}

#[test]
fn a_refused_transient_queue_is_told_from_other_internal_errors() {
    let text = "INTERNAL_ERROR - Feature `transient_nonexcl_queues` is deprecated.";
    let send = |text: &str| {
        let send = Script::connected("send").asks_for("hello");
        send.thrown_out(541, text, (50, 10)).exits(1)
    };
    let finding = only(&[&send(text)]);
    assert_eq!(finding.id, Id::TransientQueueRefused);
    assert_eq!(finding.arguments["queue"], "hello");
    assert_eq!(only(&[&send("INTERNAL_ERROR")]).id, Id::BrokerError);
}

#[test]
fn a_broker_that_shuts_down_is_nobodys_mistake() {
    let text = "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'";
    let receive = Script::connected("receive")
        .declares("hello")
        .thrown_out(320, text, (0, 0));
    assert_eq!(ids(&[&receive.exits(1)]), []);
}

#[test]
fn the_labs_virtual_host_stays_unnamed() {
    assert_eq!(
        anonymous("in vhost 'a' and vhost 'b'"),
        "in vhost '/' and vhost '/'"
    );
    assert_eq!(anonymous("in vhost 'a"), "in vhost 'a");
    assert_eq!(
        anonymous("'amq.gen-5QYk0zMmDMvVwBZpqCvs_Q' and amq.gen-Wm4IvzYcWJ1mSgVxqHqHXw:end"),
        "'amq.gen-…' and amq.gen-…:end"
    );
}

/// A program may end before the broker's answer comes: what its own frames prove is told in any case.
#[test]
fn what_is_certainly_refused_is_told_without_the_answer() {
    let worker = |automatic: bool| {
        Script::connected("worker")
            .declares("q")
            .consumes("q", automatic)
            .delivered(1, b"one")
    };
    let text = "PRECONDITION_FAILED - unknown delivery tag 1";
    for (stage, id) in [
        (worker(false).acks(1).acks(1), Id::DoubleAck),
        (worker(false).opens(2).acks(1), Id::AckOnOtherChannel),
        (worker(true).acks(1), Id::AckAfterAutomaticAck),
    ] {
        let silent = ids(&[&stage.clone().drops().exits(1)]);
        assert_eq!(silent, [id]);
        let answered = stage.refused(406, text, (60, 80)).drops().exits(1);
        assert_eq!(ids(&[&answered]), [id]);
    }
    // All that is open, which is none; a fault may have swallowed what is missing.
    let all = worker(false).acks(1).acks_up_to(0).closes().exits(0);
    assert_eq!(ids(&[&all]), []);
    let bent = worker(false)
        .acks(1)
        .fault("holds")
        .acks(1)
        .drops()
        .exits(1);
    assert_eq!(ids(&[&bent]), []);
}

#[test]
fn an_exchange_that_nobody_declares_is_missing_without_the_answer() {
    let given = Given {
        fresh: true,
        ..Given::default()
    };
    let send = |exchange: &str| {
        Script::connected("send")
            .declares("q")
            .publishes(exchange, "", b"hi")
    };
    let text = "NOT_FOUND - no exchange 'nowhere' in vhost '/'";
    let told = |stage: Script| ids_given(&[&stage.exits(0)], &given);
    assert_eq!(told(send("nowhere").closes()), [Id::ExchangeNotFound]);
    let answered = send("nowhere").refused(404, text, (60, 40)).closes();
    assert_eq!(told(answered), [Id::ExchangeNotFound]);
    // A program that goes on, on the closed channel, is thrown out: that follows.
    let on = send("nowhere").refused(404, text, (60, 40));
    let on = on.thrown_out(504, "CHANNEL_ERROR - expected 'channel.open'", (60, 40));
    assert_eq!(told(on), [Id::ExchangeNotFound]);
    // The text's own, the broker's own, another program's.
    let text = Given {
        exchanges: ["logs".to_owned()].into(),
        ..given.clone()
    };
    for exchange in ["logs", "amq.fanout", ""] {
        let found = ids_given(&[&send(exchange).closes().exits(0)], &text);
        assert!(!found.contains(&Id::ExchangeNotFound));
    }
    let other = Script::connected("other")
        .declares_exchange("nowhere")
        .closes()
        .exits(0);
    let found = ids_given(&[&send("nowhere").closes().exits(0), &other], &given);
    assert!(!found.contains(&Id::ExchangeNotFound));
    // A broker that is not the lab's may have any exchange.
    let found = ids(&[&send("nowhere").closes().exits(0)]);
    assert!(!found.contains(&Id::ExchangeNotFound));
}

#[test]
fn to_ask_is_no_mistake() {
    use amqp_tap::amq_protocol::protocol::{AMQPClass, queue};
    let asks = || {
        Script::connected("receive")
            .client(AMQPClass::Queue(queue::AMQPMethod::Declare(
                queue::Declare {
                    queue: "hello".into(),
                    passive: true,
                    ..queue::Declare::default()
                },
            )))
            .refused(404, NO_QUEUE, (50, 10))
    };
    let goes_on = asks().opens(2).declares("hello").consumes("hello", true);
    assert_eq!(ids(&[&goes_on]), []);
    // Who takes the answer for the end has declared nothing.
    assert_eq!(ids(&[&asks().drops().exits(1)]), [Id::QueueNotFound]);
    let other = asks().opens(2).declares("other").drops().exits(1);
    assert_eq!(ids(&[&other]), [Id::QueueNotFound]);
}
