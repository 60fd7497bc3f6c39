use amqp_tap::{
    Ending, Side,
    amq_protocol::{
        protocol::{AMQPClass, BasicProperties, basic},
        types::{AMQPValue, FieldTable},
    },
};
use workbook_course::Ask;

use super::super::{
    FindingId as Id, Given,
    testing::{Script, found, ids_given},
};

fn given() -> Given {
    Given {
        asks: [Ask::Confirms].into(),
        ..Given::default()
    }
}

fn ids(stage: &Script) -> Vec<Id> {
    ids_given(&[stage], &given())
}

/// A program in confirm mode.
fn publisher() -> Script {
    Script::connected("publisher_confirms")
        .declares("confirmed")
        .wants_confirms()
}

/// Publishes a message with its body as its id.
fn sends(stage: Script, body: &str) -> Script {
    sends_as(stage, body, body, false)
}

fn sends_as(stage: Script, body: &str, id: &str, marked: bool) -> Script {
    let mut properties = BasicProperties::default().with_message_id(id.into());
    if marked {
        let mut headers = FieldTable::default();
        headers.insert("republished".into(), AMQPValue::Boolean(true));
        properties = properties.with_headers(headers);
    }
    stage.announces("", "confirmed", true).content_with(
        Side::Client,
        body.as_bytes(),
        true,
        properties,
    )
}

fn comes_back(stage: Script, body: &str) -> Script {
    let properties = BasicProperties::default().with_message_id(body.into());
    stage
        .broker(AMQPClass::Basic(basic::AMQPMethod::Return(basic::Return {
            reply_code: 312,
            reply_text: "NO_ROUTE".into(),
            exchange: "".into(),
            routing_key: "confirmed".into(),
        })))
        .content_with(Side::Broker, body.as_bytes(), true, properties)
}

fn refused(stage: Script, tag: u64) -> Script {
    stage.broker(AMQPClass::Basic(basic::AMQPMethod::Nack(basic::Nack {
        delivery_tag: tag,
        multiple: false,
        requeue: false,
    })))
}

fn ends(stage: Script, code: i32) -> Script {
    stage.closes().exits(code)
}

/// Cut off, and on its second connection.
fn cut(stage: Script) -> Script {
    stage
        .fault("reset")
        .ends(Side::Client, Ending::Fault)
        .connects()
        .opens(1)
        .declares("confirmed")
        .wants_confirms()
}

#[test]
fn what_is_confirmed_returned_and_refused_is_told() {
    let three = ["one", "two", "three"];
    let sent = three.into_iter().fold(publisher(), sends);
    let told = comes_back(sent, "two").confirmed(2, true);
    let told = refused(told, 3)
        .prints("confirmed one")
        .prints("returned two")
        .prints("refused three");
    assert_eq!(ids(&ends(told, 1)), []);
}

#[test]
fn confirms_are_asked_for_before_the_first_publish() {
    let without = Script::connected("publisher_confirms").declares("confirmed");
    let blind = sends(without, "one");
    let found = found(&[&ends(blind.clone(), 0)], &given());
    assert_eq!(found[0].id, Id::ConfirmModeMissing);
    assert_eq!(found[0].arguments["later"], "no");
    let late = sends(blind.clone().wants_confirms(), "two").confirmed(1, false);
    assert_eq!(ids(&ends(late, 0)), [Id::ConfirmModeMissing]);
    // Other chapters do not ask for them.
    assert_eq!(ids_given(&[&ends(blind, 0)], &Given::default()), []);
}

#[test]
fn a_return_is_no_confirm() {
    let back = |line: &str| {
        let back = comes_back(sends(publisher(), "one"), "one").confirmed(1, false);
        ids(&ends(back.prints(line), 1))
    };
    assert_eq!(back("confirmed one"), [Id::ReportedAsConfirmed]);
    assert_eq!(back("[x] Confirmed 'one'"), [Id::ReportedAsConfirmed]);
    assert_eq!(back("returned one"), []);
    // Of two lines that are the same, one was confirmed.
    let two = sends(sends(publisher(), "one").confirmed(1, false), "one");
    let two = comes_back(two, "one").confirmed(2, false);
    assert_eq!(ids(&ends(two.prints("confirmed one"), 1)), []);
}

#[test]
fn a_refusal_is_no_confirm() {
    let refusal = |line: &str| {
        let told = refused(sends(publisher(), "one"), 1).prints(line);
        found(&[&ends(told, 1)], &given())
    };
    let claimed = refusal("confirmed one");
    assert_eq!(claimed[0].id, Id::ReportedAsConfirmed);
    assert_eq!(claimed[0].arguments["how"], "refused");
    assert_eq!(refusal("refused one"), []);
}

#[test]
fn a_confirm_may_be_for_many() {
    let three = || {
        let sent = ["one", "two", "three"].into_iter().fold(publisher(), sends);
        sent.confirmed(3, true).prints("confirmed three")
    };
    let waits = three().passes(3000).prints("chatter");
    let found = found(&[&waits], &given());
    assert_eq!(found[0].id, Id::MultipleIgnored);
    assert_eq!(found[0].arguments["count"], "3");
    // It may still be at it.
    assert_eq!(ids(&three()), []);
    let all = three()
        .prints("confirmed one")
        .prints("confirmed two")
        .passes(3000);
    assert_eq!(ids(&all.prints("chatter")), []);
    // It says nothing of any of them, for whatever reason.
    let mute = ["one", "two"].into_iter().fold(publisher(), sends);
    let mute = mute.confirmed(2, true).passes(3000).prints("chatter");
    assert_eq!(ids(&mute), []);
}

#[test]
fn what_is_published_again_is_marked() {
    let again = |id: &str, marked: bool| {
        let again = sends_as(cut(sends(publisher(), "one")), "one", id, marked);
        let again = again.confirmed(1, false).prints("confirmed one");
        found(&[&ends(again, 0)], &given())
    };
    assert_eq!(again("one", true), []);
    let bare = again("one", false);
    assert_eq!(bare[0].id, Id::RepublishedUnmarked);
    assert_eq!(bare[0].arguments["what"], "header");
    assert_eq!(again("other", true)[0].arguments["what"], "id");
    // An empty message is known by its content, and this one was cut off before that came.
    let cut_off = cut(sends(publisher(), "")).announces("", "confirmed", true);
    assert_eq!(ids(&ends(cut(cut_off), 1)), []);
    // Another line that is the same.
    let same = sends_as(cut(sends(publisher(), "one")), "one", "one", true);
    let same = sends_as(same, "one", "other", false).confirmed(2, true);
    assert_eq!(ids(&ends(same, 0)), []);
    // What was confirmed before is done, and the same line comes once more.
    let done = cut(sends(publisher(), "one").confirmed(1, false));
    let done = sends_as(done, "one", "other", false).confirmed(1, false);
    assert_eq!(ids(&ends(done, 0)), []);
}

#[test]
fn who_closes_while_confirms_are_held_does_not_await_them() {
    let held = || sends(publisher(), "one").fault("held the confirms, to merge them");
    assert_eq!(ids(&ends(held(), 0)), [Id::ConfirmNotAwaited]);
    assert_eq!(ids(&held().drops().dies(9)), []);
}
