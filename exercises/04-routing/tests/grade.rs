//! What is checked of `emit_log_direct` and `receive_logs_direct`.
//!
//! Each check gets a virtual host of its own on a real RabbitMQ. The programs are
//! started as they are and judged by what they say to the broker, what they print
//! and how they end. Who gets which message is held against a model of direct
//! routing: a queue gets one copy of a message when one of its bindings has exactly
//! the message's routing key.

use workbook_lab::{
    Checked, Failure, Lab, Outcome, Program,
    arguments::{texts, word},
    ensure, lab,
    model::{Message, direct, disagreement},
    property,
    proptest::{collection::vec, prelude::any, prop_oneof, sample::select, strategy::Strategy},
};

const EXCHANGE: &str = "direct_logs";

#[test]
fn emit_log_direct_needs_no_receiver() -> Outcome {
    lab!(async |lab| {
        let emit = lab.start("emit_log_direct", &[]).await?;
        emit.succeeds().await?;
        let hello = Message::keyed("info", "Hello World!");
        emit.prints_messages(&[hello]).await?;
        lab.is_left_an_exchange("emit_log_direct", EXCHANGE, "direct")
            .await
    })
}

#[test]
fn emit_log_direct_reaches_those_who_asked_for_its_severity() -> Outcome {
    let example = |bindings, arguments| (texts(bindings), texts(arguments));
    let arguments = (severity(), vec(word(), 0..=4));
    let arguments = arguments.prop_map(|(severity, words)| [vec![severity], words].concat());
    property!(
        (vec(severity(), 1..=3), arguments),
        [
            example(&["error"], &["error", "disk", "full"]),
            example(&["info"], &["error", "disk", "full"]),
            example(&["info", "info"], &["info", "all", "is", "well"]),
            example(&["Info"], &["Info", "all", "All", "all", "all"]),
            example(&["info"], &["Info", "two  blanks", "", "it's"]),
            example(&["error"], &["error"]),
            example(&["info"], &[]),
            example(&[""], &["", "no", "severity"]),
        ],
        async |lab, (bindings, arguments)| {
            let queue = listen(lab, &bindings).await?;
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let message = match arguments.as_slice() {
                [] => Message::keyed("info", "Hello World!"),
                [severity] => Message::keyed(*severity, "Hello World!"),
                [severity, words @ ..] => Message::keyed(*severity, words.join(" ")),
            };
            let emit = lab.start("emit_log_direct", &arguments).await?;
            emit.ends().await?;
            let found = lab.judge().await?.drain_text(&queue).await?;
            let message = [message];
            let routed = |it: &Message| passes(&bindings, it);
            if let Some(it) = disagreement(&message, routed, &found) {
                let expected = format!("a queue that is bound with {bindings:?} {}", it.expected);
                return Err(lab.explain(Failure::new(expected, it.observed)));
            }
            emit.prints_messages(&message).await
        }
    )
}

#[test]
fn emit_log_direct_closes_its_connection() -> Outcome {
    lab!(async |lab| {
        let emit = lab
            .start("emit_log_direct", &["warning", "low", "battery"])
            .await?;
        emit.closes_after_publishing().await
    })
}

#[test]
fn either_program_may_run_first() -> Outcome {
    lab!(async |lab| {
        // `receive_logs_direct` first …
        let emit = ["info", "somebody", "listens"];
        let receive = receive(lab, &["info"]).await?;
        lab.runs("emit_log_direct", &emit).await?;
        // What the line says is for other checks.
        receive.gets_something_from("`emit_log_direct`").await?;
        // … and `emit_log_direct` first, in a world of its own.
        let lab = lab.another().await?;
        lab.runs("emit_log_direct", &["info", "nobody", "listens"])
            .await?;
        let receive = self::receive(&lab, &["info"]).await?;
        lab.runs("emit_log_direct", &emit).await?;
        receive.gets_something_from("`emit_log_direct`").await
    })
}

#[test]
fn receive_logs_direct_binds_one_queue_with_each_severity() -> Outcome {
    lab!(async |lab| {
        let severities = ["info", "warning", "error"];
        let receive = lab.start("receive_logs_direct", &severities).await?;
        let bound = receive.binds_keys(EXCHANGE, &severities).await?;
        let queue = &bound[0].queue;
        let others = bound.iter().filter(|it| it.queue != *queue).count();
        ensure!(
            others == 0,
            "`receive_logs_direct` binds one queue once for each severity",
            format!("of {} bindings, {others} are of other queues", bound.len()),
        );
        receive.consumes_from(queue).await
    })
}

#[test]
fn receive_logs_direct_gets_what_direct_routing_says() -> Outcome {
    property!(
        (vec(severity(), 1..=4), vec(severity(), 0..=10)),
        [
            (texts(&["info", "error"]), texts(&["error"])),
            (texts(&["info"]), texts(&["error"])),
            (texts(&["info", "info"]), texts(&["info"])),
            (texts(&["Info"]), texts(&["info", "Info", "Info"])),
            (texts(&["info", "Info"]), texts(&["Info", "info"])),
            (
                texts(&["info"]),
                texts(&["", "Info", "info ", "#", "*", "info.*"])
            ),
        ],
        async |lab, (severities, keys)| {
            let severities: Vec<&str> = severities.iter().map(String::as_str).collect();
            let receive = receive(lab, &severities).await?;
            publish(lab, &receive, &severities, &numbered(&keys)).await
        }
    )
}

#[test]
fn a_repeated_severity_brings_no_second_copy() -> Outcome {
    lab!(async |lab| {
        let severities = ["error", "error"];
        let receive = receive(lab, &severities).await?;
        publish(lab, &receive, &severities, &numbered(&["error", "error"])).await
    })
}

#[test]
fn each_receiver_gets_its_own_severities() -> Outcome {
    lab!(async |lab| {
        let (all, grave) = (["info", "warning", "error"], ["error"]);
        let everything = receive(lab, &all).await?;
        let errors = receive(lab, &grave).await?;
        let published = numbered(&["info", "error", "debug", "warning", "error"]);
        publish(lab, &everything, &all, &published).await?;
        expect(lab, &errors, &grave, &published).await
    })
}

#[test]
fn a_receiver_that_is_cut_off_harms_nobody() -> Outcome {
    lab!(async |lab| {
        let severities = ["error"];
        let one = receive(lab, &severities).await?;
        let other = lab.start("receive_logs_direct", &severities).await?;
        let queue = other.subscribes_to(EXCHANGE).await?;
        let before = [Message::keyed("error", "before the cut")];
        let judge = lab.judge().await?;
        judge.publish_messages(EXCHANGE, &before).await?;
        one.prints_messages(&before).await?;
        other.prints_messages(&before).await?;
        lab.cuts_off(&other, &queue).await?;
        let after = [before, [Message::keyed("error", "after the cut")]].concat();
        judge.publish_messages(EXCHANGE, &after[1..]).await?;
        one.prints_messages(&after).await?;
        let why = "its connection was cut while it waited for messages";
        other.is_back_or_fails_loudly(why).await.map(|_| ())
    })
}

#[test]
fn receive_logs_direct_tells_its_usage() -> Outcome {
    lab!(async |lab| lab.tells_its_usage("receive_logs_direct", &[]).await)
}

#[test]
fn any_bytes_never_end_receive_logs_direct() -> Outcome {
    property!(
        vec(any::<u8>(), 1..=16),
        [vec![0xff], b"caf\xe9".to_vec()],
        async |lab, bytes| {
            let receive = receive(lab, &["info"]).await?;
            lab.outlives_bytes(&receive, EXCHANGE, "info", &bytes).await
        }
    )
}

#[test]
fn receive_logs_direct_ends_on_ctrl_c() -> Outcome {
    lab!(async |lab| {
        let receive = lab.start("receive_logs_direct", &["info"]).await?;
        let queue = receive.subscribes_to(EXCHANGE).await?;
        let last = [Message::keyed("info", "last words")];
        let judge = lab.judge().await?;
        judge.publish_messages(EXCHANGE, &last).await?;
        receive.prints_messages(&last).await?;
        let more = [Message::keyed("info", lab.unique("more"))];
        judge.publish_messages(EXCHANGE, &more).await?;
        receive.goes_on_to_print(&more[0].body).await?;
        receive.ends_settled_on_ctrl_c().await?;
        judge.goes(&queue, "after Ctrl-C").await
    })
}

#[test]
fn both_leave_nothing_but_the_exchange() -> Outcome {
    lab!(async |lab| {
        let emit = lab.start("emit_log_direct", &["info", "something", "else"]);
        emit.await?.ends().await?;
        let receive = receive(lab, &["info", "error"]).await?;
        let judge = lab.judge().await?;
        let something = [Message::keyed("error", "something")];
        judge.publish_messages(EXCHANGE, &something).await?;
        receive.gets_something_from("the lab").await?;
        lab.leaves_nothing_else().await
    })
}

#[test]
fn both_say_when_there_is_no_broker() -> Outcome {
    lab!(async |lab| {
        lab.all_need_a_broker(&["emit_log_direct", "receive_logs_direct info"])
            .await
    })
}

/// A severity: mostly one of a few, so that keys and bindings meet; sometimes one that only looks the same.
fn severity() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => select(vec!["info", "warning", "error"]).prop_map(str::to_owned),
        1 => select(vec!["Info", "info ", "", "#", "*", "info.*", "消息"]).prop_map(str::to_owned),
        1 => "[a-z.]{1,20}",
    ]
}

/// A message for each key, told apart by numbers.
fn numbered(keys: &[impl AsRef<str>]) -> Vec<Message> {
    let keys = keys.iter().enumerate();
    keys.map(|(index, key)| Message::keyed(key.as_ref(), format!("line {}", index + 1)))
        .collect()
}

/// The model: whether a queue with these bindings gets a message.
fn passes(bindings: &[impl AsRef<str>], message: &Message) -> bool {
    let mut bindings = bindings.iter();
    bindings.any(|binding| direct::passes(binding.as_ref(), &message.key))
}

/// Lets `emit_log_direct` declare the exchange, and binds a queue of the lab's own to it.
async fn listen(lab: &Lab, keys: &[String]) -> Result<String, Failure> {
    lab.start("emit_log_direct", &["first", "line"])
        .await?
        .ends()
        .await?;
    let judge = lab.judge().await?;
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let listening = judge.listen(EXCHANGE, &keys).await;
    listening.map_err(|failure| lab.explain(failure))
}

/// Starts a `receive_logs_direct` that gets what is published with these keys from now on.
async fn receive(lab: &Lab, severities: &[&str]) -> Result<Program, Failure> {
    let receive = lab.start("receive_logs_direct", severities).await?;
    receive.binds_keys(EXCHANGE, severities).await?;
    receive.listens_to(EXCHANGE).await?;
    Ok(receive)
}

/// Publishes messages, and holds that the receiver gets and prints of them what the model says.
async fn publish(
    lab: &Lab,
    receive: &Program,
    severities: &[&str],
    published: &[Message],
) -> Checked {
    let judge = lab.judge().await?;
    judge.publish_messages(EXCHANGE, published).await?;
    expect(lab, receive, severities, published).await
}

async fn expect(
    lab: &Lab,
    receive: &Program,
    severities: &[&str],
    published: &[Message],
) -> Checked {
    let routed = |message: &Message| passes(severities, message);
    lab.expect_routed(receive, EXCHANGE, published, routed)
        .await
}
