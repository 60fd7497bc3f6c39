//! What is checked of `emit_log` and `receive_logs`.
//!
//! Each check gets a virtual host of its own on a real RabbitMQ. The programs are
//! started as they are and judged by what they say to the broker, what they print
//! and how they end. The exchange is always declared by a program first, so that
//! its options are the program's choice.

use workbook_lab::{
    Checked, Failure, Lab, Outcome, Program,
    arguments::{texts, word},
    ensure,
    judge::Access,
    lab, property,
    proptest::{collection::vec, prelude::any, strategy::Strategy},
};

const EXCHANGE: &str = "logs";
const HELLO: &str = "info: Hello World!";

#[test]
fn emit_log_needs_no_subscriber() -> Outcome {
    lab!(async |lab| {
        let emit = lab.start("emit_log", &[]).await?;
        emit.succeeds().await?;
        emit.prints_bodies(&[HELLO.to_owned()]).await?;
        lab.is_left_an_exchange("emit_log", EXCHANGE, "fanout")
            .await
    })
}

#[test]
fn emit_log_publishes_to_the_exchange() -> Outcome {
    lab!(async |lab| {
        let queue = listen(lab).await?;
        lab.start("emit_log", &[]).await?.ends().await?;
        expect_copies(lab, &queue, &[HELLO.to_owned()]).await
    })
}

#[test]
fn emit_log_sends_its_words() -> Outcome {
    property!(
        vec(word(), 1..=5),
        [
            texts(&["error:", "disk is full"]),
            texts(&["twice", "twice", "Twice", "two  blanks", "", "it's", "\"\\"]),
        ],
        async |lab, words| {
            let queue = listen(lab).await?;
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let body = words.join(" ");
            let emit = lab.start("emit_log", &words).await?;
            emit.ends().await?;
            expect_copies(lab, &queue, std::slice::from_ref(&body)).await?;
            emit.prints_bodies(&[body]).await
        }
    )
}

#[test]
fn emit_log_closes_its_connection() -> Outcome {
    lab!(async |lab| {
        let emit = lab.start("emit_log", &[]).await?;
        emit.closes_after_publishing().await
    })
}

#[test]
fn either_program_may_run_first() -> Outcome {
    lab!(async |lab| {
        // `receive_logs` first …
        let receive = lab.start("receive_logs", &[]).await?;
        receive.subscribes_to(EXCHANGE).await?;
        lab.runs("emit_log", &["somebody", "listens"]).await?;
        // What the line says is for other checks.
        receive.gets_something_from("`emit_log`").await?;
        // … and `emit_log` first, in a world of its own.
        let lab = lab.another().await?;
        lab.runs("emit_log", &["nobody listens"]).await?;
        let receive = lab.start("receive_logs", &[]).await?;
        receive.subscribes_to(EXCHANGE).await?;
        lab.runs("emit_log", &["somebody", "listens"]).await?;
        receive.gets_something_from("`emit_log`").await
    })
}

#[test]
fn every_subscriber_gets_every_message_in_order() -> Outcome {
    let long = "0123456789".repeat(100);
    let awkward = [
        "",
        "twice",
        "twice",
        "Twice",
        "it's",
        "two\nlines",
        "消息 😀",
        " spaces ",
        "[x] info",
        &long,
    ];
    property!(
        (1..=3_usize, vec(body(), 0..=16)),
        [
            (1, vec!["one".to_owned()]),
            (2, vec!["one".to_owned(), "two".to_owned()]),
            (2, awkward.map(str::to_owned).to_vec())
        ],
        async |lab, (subscribers, bodies)| {
            let mut running = Vec::new();
            for _ in 0..subscribers {
                running.push(subscribe(lab).await?);
            }
            publish(lab, &running, &bodies).await
        }
    )
}

#[test]
fn a_late_subscriber_gets_nothing_of_before() -> Outcome {
    lab!(async |lab| {
        let first = subscribe(lab).await?;
        let early = [lab.unique("early")];
        publish_some(lab, &early).await?;
        first.prints_bodies(&early).await?;
        let late = subscribe(lab).await?;
        let bodies = ["late".to_owned(), lab.unique("end")];
        publish_some(lab, &bodies).await?;
        late.prints_bodies(&bodies).await?;
        first.prints_bodies(&[&early[..], &bodies].concat()).await?;
        first.ends_on_ctrl_c().await?;
        late.ends_on_ctrl_c().await?;
        // Nor does one that comes again, of what was published while it was away.
        lab.runs("emit_log", &["while", "away"]).await?;
        let again = subscribe(lab).await?;
        publish(lab, &[again], &["back".to_owned()]).await
    })
}

#[test]
fn the_queue_belongs_to_one_subscriber() -> Outcome {
    lab!(async |lab| {
        for ends in ["after Ctrl-C", "after `kill -9`"] {
            let receive = lab.start("receive_logs", &[]).await?;
            let queue = receive.subscribes_to(EXCHANGE).await?;
            receive.consumes_from(&queue).await?;
            let judge = lab.judge().await?;
            ensure!(
                judge.access(&queue).await? == Access::Locked,
                "the queue of `receive_logs` is exclusive: another connection that asks for it gets 405 RESOURCE_LOCKED",
                "every connection may use its queue",
            );
            // It ends in the middle of its work, not while it starts.
            let line = [ends.to_owned()];
            publish_some(lab, &line).await?;
            receive.prints_bodies(&line).await?;
            if ends == "after Ctrl-C" {
                receive.ends_on_ctrl_c().await?;
            } else {
                receive.kill();
                receive.ends().await?;
            }
            judge.goes(&queue, ends).await?;
        }
        Ok(())
    })
}

#[test]
fn a_subscriber_that_is_cut_off_harms_nobody() -> Outcome {
    lab!(async |lab| {
        let one = subscribe(lab).await?;
        let other = lab.start("receive_logs", &[]).await?;
        let queue = other.subscribes_to(EXCHANGE).await?;
        let before = ["before the cut".to_owned()];
        publish_some(lab, &before).await?;
        one.prints_bodies(&before).await?;
        other.prints_bodies(&before).await?;
        lab.cuts_off(&other, &queue).await?;
        let bodies = [
            &before[..],
            &["after the cut".to_owned(), lab.unique("end")],
        ]
        .concat();
        // Whether somebody is left to get it, is what `one` shows.
        let (judge, key) = (lab.judge().await?, lab.unique("key"));
        judge.publish_to(EXCHANGE, &key, &bodies[1..]).await?;
        one.prints_bodies(&bodies).await?;
        let why = "its connection was cut while it waited for messages";
        other.is_back_or_fails_loudly(why).await.map(|_| ())
    })
}

#[test]
fn any_bytes_never_end_receive_logs() -> Outcome {
    property!(
        vec(any::<u8>(), 1..=16),
        [vec![0xff], b"caf\xe9".to_vec()],
        async |lab, bytes| {
            let receive = subscribe(lab).await?;
            lab.outlives_bytes(&receive, EXCHANGE, "", &bytes).await
        }
    )
}

#[test]
fn receive_logs_ends_on_ctrl_c() -> Outcome {
    lab!(async |lab| {
        let receive = subscribe(lab).await?;
        let last = ["last words".to_owned()];
        publish_some(lab, &last).await?;
        receive.prints_bodies(&last).await?;
        let more = lab.unique("more");
        publish_some(lab, std::slice::from_ref(&more)).await?;
        receive.goes_on_to_print(&more).await?;
        receive.ends_settled_on_ctrl_c().await
    })
}

#[test]
fn both_leave_nothing_but_the_exchange() -> Outcome {
    lab!(async |lab| {
        let emit = lab.start("emit_log", &["something", "else"]);
        emit.await?.ends().await?;
        let receive = subscribe(lab).await?;
        publish_some(lab, &["something".to_owned()]).await?;
        receive.gets_something_from("the lab").await?;
        lab.leaves_nothing_else().await
    })
}

#[test]
fn both_say_when_there_is_no_broker() -> Outcome {
    lab!(async |lab| lab.all_need_a_broker(&["emit_log", "receive_logs"]).await)
}

/// Any text: mostly short, with quotes, line breaks and emoji in it.
fn body() -> impl Strategy<Value = String> {
    "(?s)\\PC{0,24}|[a-z '\"\\n\\\\😀é消]{0,40}|[ -~]{0,1024}"
}

/// Lets `emit_log` declare the exchange, and binds a queue of the lab's own to it.
async fn listen(lab: &Lab) -> Result<String, Failure> {
    lab.start("emit_log", &["first"]).await?.ends().await?;
    let judge = lab.judge().await?;
    let listening = judge.listen(EXCHANGE, &[""]).await;
    listening.map_err(|failure| lab.explain(failure))
}

/// Holds that these messages, and no others, were copied to the lab's queue.
async fn expect_copies(lab: &Lab, queue: &str, bodies: &[String]) -> Checked {
    let found = lab.judge().await?.drain_text(queue).await?;
    if found == bodies {
        return Ok(());
    }
    let expected = format!("a queue that is bound to the exchange `logs` gets exactly {bodies:?}");
    let observed = match found.is_empty() {
        true => "it gets nothing".to_owned(),
        false => format!("it gets {found:?}"),
    };
    Err(lab.explain(Failure::new(expected, observed)))
}

/// Starts a `receive_logs` that gets what is published from now on.
async fn subscribe(lab: &Lab) -> Result<Program, Failure> {
    let receive = lab.start("receive_logs", &[]).await?;
    receive.listens_to(EXCHANGE).await?;
    Ok(receive)
}

/// Publishes to the exchange, with a routing key that no binding has: a fanout exchange ignores it.
async fn publish_some(lab: &Lab, bodies: &[String]) -> Checked {
    let key = lab.unique("key");
    lab.judge().await?.broadcast(EXCHANGE, &key, bodies).await
}

/// Publishes bodies and then one of the lab's own, and waits until each subscriber has printed all of them.
///
/// The last one shows that nothing else was printed before it, without waiting for more.
async fn publish(lab: &Lab, subscribers: &[Program], bodies: &[String]) -> Checked {
    let bodies = [bodies, &[lab.unique("end")]].concat();
    publish_some(lab, &bodies).await?;
    for subscriber in subscribers {
        subscriber.prints_bodies(&bodies).await?;
    }
    Ok(())
}
