//! What is checked of `send` and `receive`.
//!
//! Each check gets a virtual host of its own on a real RabbitMQ. The programs are
//! started as they are and judged by what they say to the broker, what they print
//! and how they end.

use workbook_lab::{
    Checked, Failure, Lab, OnceCell, Outcome, Program, ensure,
    judge::Declare,
    lab, property,
    proptest::{collection::vec, prelude::any, prop_oneof, strategy::Strategy},
};

const QUEUE: &str = "hello";
const HELLO: &str = "Hello World!";

#[test]
fn send_leaves_one_message() -> Outcome {
    lab!(async |lab| {
        lab.start("send", &[]).await?.ends().await?;
        expect_messages(lab, 1).await?;
        for other in lab.queues().await?.iter().filter(|name| *name != QUEUE) {
            let left = lab.judge().await?.drain(other).await?.unwrap_or_default();
            ensure!(
                left.is_empty(),
                "no message anywhere but in the queue `hello`",
                format!("the queue `{other}` holds {} more", left.len()),
            );
        }
        Ok(())
    })
}

#[test]
fn send_says_so_and_exits() -> Outcome {
    lab!(async |lab| {
        let send = lab.start("send", &[]).await?;
        send.succeeds().await?;
        send.until_frame(
            "`send` publishes what it says that it sent (basic.publish)",
            |event| event.is("basic.publish"),
        )
        .await?;
        send.prints_bodies(&[HELLO.to_owned()]).await
    })
}

#[test]
fn send_closes_its_connection() -> Outcome {
    lab!(async |lab| {
        let send = lab.start("send", &[]).await?;
        send.closes_after_publishing().await
    })
}

#[test]
fn every_send_adds_one_message() -> Outcome {
    lab!(async |lab| {
        let sends = 3;
        for _ in 0..sends {
            lab.start("send", &[]).await?.ends().await?;
        }
        expect_messages(lab, sends).await
    })
}

#[test]
fn send_and_receive_agree() -> Outcome {
    lab!(async |lab| {
        // `receive` first …
        let receive = lab.start("receive", &[]).await?;
        receive.takes_from(QUEUE).await?;
        lab.runs("send", &[]).await?;
        // What the message says is for other checks.
        receive.gets_something_from("`send`").await?;
        receive.ends_on_ctrl_c().await?;
        // … and `send` first, in a world of its own.
        let lab = lab.another().await?;
        lab.runs("send", &[]).await?;
        let receive = lab.start("receive", &[]).await?;
        receive.gets_something_from("`send`").await
    })
}

#[test]
fn receive_works_when_started_first() -> Outcome {
    lab!(async |lab| {
        let receive = lab.start("receive", &[]).await?;
        receive.consumes_from(QUEUE).await?;
        send_bodies(lab, &receive, &["early bird".to_owned()]).await
    })
}

#[test]
fn receive_prints_and_removes_what_was_waiting() -> Outcome {
    lab!(async |lab| {
        let bodies = ["one", "two", "three"].map(str::to_owned);
        let declare = how_receive_declares(lab).await?;
        leave_waiting(lab, &declare, &bodies).await?;
        let receive = lab.start("receive", &[]).await?;
        receive.prints_bodies(&bodies).await?;
        receive.ends_settled_on_ctrl_c().await?;
        let left = lab.judge().await?.drain(QUEUE).await?.unwrap_or_default();
        ensure!(
            left.is_empty(),
            "the queue `hello` is empty afterwards",
            format!("it holds {} messages", left.len())
        );
        Ok(())
    })
}

#[test]
fn receive_prints_every_body_in_order() -> Outcome {
    let long = "0123456789".repeat(100);
    let awkward = [
        "",
        "twice",
        "twice",
        "Twice",
        "it's",
        "\"quoted\"",
        "two\nlines",
        "tab\tand\\backslash",
        "消息 😀",
        " spaces ",
        "[x] Received",
        "line\n",
        &long,
    ];
    property!(
        2 of vec(body(), 0..=64),
        [vec!["one".to_owned()], awkward.map(str::to_owned).to_vec()],
        async |lab, bodies| {
            let receive = lab.start("receive", &[]).await?;
            receive.takes_from(QUEUE).await?;
            send_bodies(lab, &receive, &bodies).await
        }
    )
}

#[test]
fn any_bytes_never_end_receive() -> Outcome {
    property!(
        2 of vec(vec(any::<u8>(), 1..=16), 1..=32),
        [vec![vec![0xff]]],
        async |lab, bodies| {
            let receive = lab.start("receive", &[]).await?;
            receive.takes_from(QUEUE).await?;
            let end = lab.unique("end");
            let all = [bodies, vec![end.clone().into_bytes()]].concat();
            lab.judge().await?.publish(QUEUE, &all).await?;
            let what =
                "`receive` goes on after a body that is not UTF-8, and prints the next message";
            receive
                .until(what, |receive| {
                    receive.stdout().contains(&end).then_some(Ok(()))
                })
                .await
        }
    )
}

#[test]
fn receive_gets_what_comes_before_and_after_it_starts() -> Outcome {
    let bodies = || vec(body(), 0..=8);
    let declared = OnceCell::new();
    let two_after = (vec![], vec![String::new(), String::new()]);
    property!(2 of (bodies(), bodies()), [two_after], async move |lab, (before, after)| {
        let declare = declared
            .get_or_try_init(|| how_receive_declares(lab))
            .await?;
        leave_waiting(lab, declare, &before).await?;
        let receive = lab.start("receive", &[]).await?;
        receive.prints_bodies(&before).await?;
        receive.takes_from(QUEUE).await?;
        lab.judge().await?.publish(QUEUE, &after).await?;
        receive.prints_bodies(&[before, after].concat()).await
    })
}

#[test]
fn receive_ends_on_ctrl_c() -> Outcome {
    lab!(async |lab| {
        let receive = lab.start("receive", &[]).await?;
        receive.takes_from(QUEUE).await?;
        send_bodies(lab, &receive, &["last words".to_owned()]).await?;
        let more = lab.unique("more");
        lab.judge().await?.publish(QUEUE, &[&more]).await?;
        receive.goes_on_to_print(&more).await?;
        receive.ends_on_ctrl_c().await.map(drop)
    })
}

#[test]
fn receive_says_when_its_connection_is_cut() -> Outcome {
    lab!(async |lab| {
        let receive = lab.start("receive", &[]).await?;
        receive.takes_from(QUEUE).await?;
        send_bodies(lab, &receive, &["before the cut".to_owned()]).await?;
        receive.loses_its_connection().await?;
        let why = "its connection was cut while it waited for messages";
        if !receive.is_back_or_fails_loudly(why).await? {
            return Ok(());
        }
        let after = lab.unique("after the cut");
        lab.judge().await?.publish(QUEUE, &[&after]).await?;
        receive
            .until("`receive` is back, and prints the next message", |it| {
                it.stdout().contains(&after).then_some(Ok(()))
            })
            .await
    })
}

#[test]
fn both_leave_nothing_but_the_queue() -> Outcome {
    lab!(async |lab| {
        let receive = lab.start("receive", &[]).await?;
        receive.takes_from(QUEUE).await?;
        lab.judge().await?.publish(QUEUE, &["something"]).await?;
        receive.gets_something_from("the lab").await?;
        lab.leaves_nothing_else().await?;
        lab.start("send", &[]).await?.ends().await?;
        lab.leaves_nothing_else().await
    })
}

#[test]
fn both_say_when_there_is_no_broker() -> Outcome {
    lab!(async |lab| {
        // With a broker they talk to it: else their error would be another one.
        for program in ["send", "receive"] {
            let with = lab.start(program, &[]).await?;
            with.until_frame(&format!("`{program}` opens a connection"), |event| {
                event.is("connection.open-ok")
            })
            .await?;
            with.kill();
            with.ends().await?;
        }
        for program in ["send", "receive"] {
            let without = lab.fails_without_broker(program, &[]).await?;
            let said = without.stdout();
            ensure!(
                !said.contains("Sent"),
                format!("`{program}` does not claim to have sent anything"),
                "it printed `Sent`, although there is no broker",
            );
        }
        Ok(())
    })
}

/// Any text of up to 4 KiB: mostly short, with quotes, line breaks and emoji in it.
fn body() -> impl Strategy<Value = String> {
    let short = "(?s)\\PC{0,24}|[a-z '\"\\n\\\\😀é消]{0,40}";
    // To choose each of thousands of characters would take more time than `receive` does.
    let long = ("[ -~]{1,64}", 1..=64_usize).prop_map(|(text, times)| text.repeat(times));
    prop_oneof![2 => short, 1 => long]
}

/// Publishes bodies to `hello` and then one of the lab's own, and waits until `receive` has printed all of them.
///
/// The last one shows that nothing else was printed before it, without waiting for more.
async fn send_bodies(lab: &Lab, receive: &Program, bodies: &[String]) -> Checked {
    let bodies = [bodies, &[lab.unique("end")]].concat();
    lab.judge().await?.publish(QUEUE, &bodies).await?;
    receive.prints_bodies(&bodies).await
}

/// How `receive` declares the queue: it is asked, in a world of its own.
async fn how_receive_declares(lab: &Lab) -> Result<Declare, Failure> {
    let other = lab.another().await?;
    let receive = other.start("receive", &[]).await?;
    receive.declares_queue(QUEUE).await
}

/// Leaves messages in `hello`, declared as `receive` declares it, before `receive` starts.
async fn leave_waiting(lab: &Lab, declare: &Declare, bodies: &[String]) -> Checked {
    let judge = lab.judge().await?;
    judge.declare_as(declare).await?;
    judge.publish(QUEUE, bodies).await
}

/// Holds that the queue `hello` has so many messages `Hello World!` and nothing else.
async fn expect_messages(lab: &Lab, count: usize) -> Checked {
    let expected = format!("the queue `hello` holds exactly {count} × `{HELLO}`");
    let found = match lab.judge().await?.drain(QUEUE).await? {
        None => format!(
            "there is no queue `hello`; the queues are {:?}",
            lab.queues().await?
        ),
        Some(bodies) if bodies == vec![HELLO.as_bytes(); count] => return Ok(()),
        Some(bodies) if bodies.is_empty() => "it is empty".to_owned(),
        Some(bodies) => {
            let texts: Vec<_> = bodies
                .iter()
                .map(|body| String::from_utf8_lossy(body))
                .collect();
            format!("it holds {texts:?}")
        }
    };
    Err(lab.explain(Failure::new(expected, found)))
}
