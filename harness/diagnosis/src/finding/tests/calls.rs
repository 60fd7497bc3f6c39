use super::super::{
    FindingId as Id,
    testing::{Script, ids, only},
};
use crate::finding::DIRECT;

/// A server that has got a request.
fn server(automatic: bool) -> Script {
    Script::connected("rpc_server")
        .declares("rpc_queue")
        .prefetches(1, false)
        .consumes("rpc_queue", automatic)
        .prints("Awaiting RPC requests")
        .requested(1, b"7", "amq.gen-1")
}

/// A client that waits for its reply.
fn client(id: &str) -> Script {
    Script::connected("rpc_client 7")
        .declares("rpc_queue")
        .declares_exclusive("amq.gen-1")
        .consumes("amq.gen-1", true)
        .asks(b"7", id, "amq.gen-1")
}

fn gets_13(client: Script, id: &str) -> Script {
    client
        .replied(1, b"13", id)
        .prints("Got 13")
        .closes()
        .exits(0)
}

#[test]
fn a_call_as_it_ought_to_be_shows_nothing() {
    let server = server(false).replies("", "amq.gen-1", b"13", "1").acks(1);
    let foreign = client("a").replied(1, b"666", "x").replied(2, b"13", "a");
    let client = foreign.prints("Got 13").closes().exits(0);
    assert_eq!(ids(&[&server, &client]), []);
}

#[test]
fn an_error_reply_may_end_the_client() {
    let error = client("a").replied(1, b"no number", "a").closes().exits(1);
    assert_eq!(ids(&[&error]), []);
}

#[test]
fn what_comes_after_the_ack_is_too_late() {
    let early = server(false).acks(1).replies("", "amq.gen-1", b"13", "1");
    let finding = only(&[&early]);
    assert_eq!(finding.id, Id::AckBeforeReply);
    assert_eq!(finding.arguments["how"], "early");
    let automatic = server(true).replies("", "amq.gen-1", b"13", "1");
    assert_eq!(only(&[&automatic]).arguments["how"], "automatic");
    // A second request may come before the first is acknowledged.
    let both = server(false)
        .requested(2, b"8", "amq.gen-1")
        .replies("", "amq.gen-1", b"13", "1")
        .acks(1)
        .replies("", "amq.gen-1", b"21", "2")
        .acks(2);
    assert_eq!(ids(&[&both]), []);
}

#[test]
fn a_reply_goes_where_the_request_says() {
    let exchange = server(false)
        .replies("amq.direct", "amq.gen-1", b"13", "1")
        .acks(1);
    let finding = only(&[&exchange]);
    assert_eq!(finding.id, Id::MisdirectedReply);
    assert_eq!(finding.arguments["exchange"], "amq.direct");
    // Something else beside the reply is none of our business.
    let beside = server(false)
        .replies("", "audit", b"7", "1")
        .replies("", "amq.gen-1", b"13", "1")
        .acks(1);
    assert_eq!(ids(&[&beside]), []);
}

#[test]
fn a_reply_has_the_id_of_its_request() {
    let other = server(false)
        .replies("", "amq.gen-1", b"13", "other")
        .acks(1);
    let finding = only(&[&other]);
    assert_eq!(finding.id, Id::ReplyWithoutId);
    assert_eq!(finding.arguments["wanted"], "1");
    let none = server(false).publishes("", "amq.gen-1", b"13").acks(1);
    assert_eq!(only(&[&none]).arguments["id"], "none");
    // A client may write the method and the content apart, and the connection is lost between them.
    let cut_off = server(false).announces("", "amq.gen-1", false);
    assert_eq!(ids(&[&cut_off]), []);
    // The reply to the first of two is none to the second.
    let first_of_two = server(false)
        .requested(2, b"8", "amq.gen-1")
        .replies("", "amq.gen-1", b"13", "1")
        .acks(1);
    assert_eq!(ids(&[&first_of_two]), []);
}

#[test]
fn an_id_belongs_to_one_call() {
    let one = gets_13(client("same"), "same");
    let found = ids(&[&one, &client("same")]);
    assert_eq!(found, [Id::ReusedCorrelationId, Id::ReusedCorrelationId]);
    assert_eq!(ids(&[&one, &client("other")]), []);
    // The same request once more is no other call.
    let again = client("a").asks(b"7", "a", "amq.gen-1");
    assert_eq!(ids(&[&again]), []);
    let finding = only(&[&gets_13(client(""), "")]);
    assert_eq!(finding.id, Id::ReusedCorrelationId);
    assert_eq!(finding.arguments["id"], "none");
}

#[test]
fn the_reply_to_another_call_is_not_the_result() {
    let finding = only(&[&gets_13(client("a"), "b")]);
    assert_eq!(finding.id, Id::ForeignReply);
    assert_eq!(finding.arguments["body"], "13");
    assert_eq!(finding.arguments["id"], "b");
}

#[test]
fn a_queue_of_replies_belongs_to_its_client() {
    let shared = Script::connected("rpc_client 7")
        .declares("rpc_queue")
        .declares("replies")
        .consumes("replies", true)
        .asks(b"7", "a", "replies");
    assert_eq!(only(&[&gets_13(shared, "a")]).id, Id::QueueNotExclusive);
}

#[test]
fn direct_reply_to_has_its_conditions() {
    let asks = |text: &str, stage: Script| {
        stage
            .asks(b"7", "a", DIRECT)
            .refused(406, text, (60, 40))
            .closes()
            .exits(1)
    };
    let missing = "PRECONDITION_FAILED - fast reply consumer does not exist";
    let late = Script::connected("rpc_client_direct 7").declares("rpc_queue");
    let finding = only(&[&asks(missing, late.clone())]);
    assert_eq!(finding.id, Id::DirectReplyTo);
    assert_eq!(finding.arguments["why"], "late");
    let other = late.clone().consumes(DIRECT, true).opens(2).at(2);
    assert_eq!(only(&[&asks(missing, other)]).arguments["why"], "channel");
    let acks = late.consumes(DIRECT, false);
    let refused = "PRECONDITION_FAILED - reply consumer cannot acknowledge";
    let refused = acks.refused(406, refused, (60, 20)).closes().exits(1);
    assert_eq!(only(&[&refused]).arguments["why"], "acks");
}
