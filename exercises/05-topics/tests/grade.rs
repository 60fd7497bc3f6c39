//! What is checked of `emit_log_topic` and `receive_logs_topic`.
//!
//! Each check gets a virtual host of its own on a real RabbitMQ. The programs are
//! started as they are and judged by what they say to the broker, what they print
//! and how they end. Who gets which message is held against a model of topic
//! matching, which is itself held against the broker by the lab's own tests.

use std::collections::BTreeSet;

use workbook_lab::{
    Checked, Failure, Lab, Outcome, Program,
    arguments::{texts, word},
    ensure, lab,
    model::{Message, topic},
    property,
    proptest::{collection::vec, prelude::any, strategy::Strategy},
};

const EXCHANGE: &str = "topic_logs";

#[test]
fn emit_log_topic_needs_no_receiver() -> Outcome {
    lab!(async |lab| {
        let emit = lab.start("emit_log_topic", &[]).await?;
        emit.succeeds().await?;
        let hello = Message::keyed("anonymous.info", "Hello World!");
        emit.prints_messages(&[hello]).await?;
        lab.is_left_an_exchange("emit_log_topic", EXCHANGE, "topic")
            .await
    })
}

#[test]
fn emit_log_topic_has_a_default() -> Outcome {
    lab!(async |lab| {
        let hello = Message::keyed("anonymous.info", "Hello World!");
        emit(lab, &[], &hello).await.map(|_| ())
    })
}

#[test]
fn emit_log_topic_publishes_with_its_key() -> Outcome {
    property!(
        (topic::key(), vec(word(), 1..=4)),
        [
            ("kern.critical".to_owned(), texts(&["the", "disk is full"])),
            (String::new(), texts(&["no", "key"])),
            ("disk full.error".to_owned(), texts(&["help"])),
            (" kern.info ".to_owned(), texts(&["blanks", "at the ends"])),
            (
                "Kern..CRITICAL.".to_owned(),
                texts(&["", "two  spaces", "A:b "])
            ),
            (longest_key(), texts(&["long"])),
        ],
        async |lab, (key, words)| {
            let mut arguments = vec![key.as_str()];
            arguments.extend(words.iter().map(String::as_str));
            let message = Message::keyed(&key, words.join(" "));
            let emit = emit(lab, &arguments, &message).await?;
            emit.prints_messages(&[message]).await
        }
    )
}

#[test]
fn emit_log_topic_closes_its_connection() -> Outcome {
    lab!(async |lab| {
        let emit = lab.start("emit_log_topic", &["a.b", "some", "words"]);
        let emit = emit.await?;
        emit.closes_after_publishing().await
    })
}

#[test]
fn either_program_may_run_first() -> Outcome {
    lab!(async |lab| {
        // `receive_logs_topic` first …
        let one = receive(lab, &["kern.*"]).await?;
        let line = ["kern.info", "somebody", "listens"];
        lab.runs("emit_log_topic", &line).await?;
        // What the line says is for other checks.
        one.gets_something_from("`emit_log_topic`").await?;
        // … and `emit_log_topic` first, in a world of its own.
        let lab = lab.another().await?;
        let early = ["kern.info", "nobody", "listens"];
        lab.runs("emit_log_topic", &early).await?;
        let other = receive(&lab, &["kern.*"]).await?;
        lab.runs("emit_log_topic", &line).await?;
        other.gets_something_from("`emit_log_topic`").await
    })
}

#[test]
fn receive_logs_topic_gets_what_its_patterns_match() -> Outcome {
    property!(
        (patterns(), vec(topic::key(), 0..=8)),
        [
            (texts(&["kern.*", "*.critical"]), texts(&["cron.critical"])),
            (texts(&["#", "#.a"]), texts(&["a"])),
            (texts(&["*"]), texts(&["a.a"])),
            (texts(&["#."]), texts(&[""])),
            (texts(&["a b.#"]), texts(&["a"])),
            (
                texts(&[" kern.*", "*.info "]),
                texts(&["kern.disk", " kern.disk", "cron.info", "cron.info "])
            ),
            (
                texts(&["lazy.#"]),
                texts(&["lazy", "lazy.", "lazy.a.b", "crazy"])
            ),
            (
                texts(&["#"]),
                texts(&["", ".", "a", "#", "*", "a.b.c.d.e.f"])
            ),
            (
                texts(&["Kern.*", "*.INFO", ""]),
                texts(&["kern.disk", "Kern.disk", "kern.info", "", "kern.INFO"])
            ),
            (
                vec![longest_key()],
                vec![longest_key().to_lowercase(), longest_key()]
            ),
        ],
        async |lab, (patterns, keys)| {
            let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
            let receive = receive(lab, &patterns).await?;
            publish(lab, &[(&receive, &patterns)], &keys).await
        }
    )
}

#[test]
fn a_message_comes_once_however_many_patterns_match() -> Outcome {
    lab!(async |lab| {
        let patterns = ["kern.*", "kern.critical", "kern.*", "*.critical", "#"];
        let receive = receive(lab, &patterns).await?;
        // A message that is like another one is another one.
        let again = Message::keyed("kern.critical", "the same again");
        let blanks = Message::keyed("kern.critical", "  blanks at the ends  ");
        let mut messages = lines(lab, &["kern.critical", "cron.info"]);
        messages.extend([again.clone(), again, blanks]);
        publish_messages(lab, &[(&receive, &patterns)], &messages).await
    })
}

#[test]
fn each_receiver_gets_what_it_asked_for() -> Outcome {
    lab!(async |lab| {
        let (orange, rabbits) = (["*.orange.*"], ["*.*.rabbit", "lazy.#"]);
        let one = receive(lab, &orange).await?;
        let other = receive(lab, &rabbits).await?;
        let [one_queue, other_queue] = have_own_queues(&one, &other).await?;
        one.consumes_from(&one_queue).await?;
        other.consumes_from(&other_queue).await?;
        let keys = [
            "quick.orange.rabbit",
            "lazy.orange.elephant",
            "quick.orange.fox",
            "lazy.brown.fox",
            "lazy.pink.rabbit",
            "quick.brown.fox",
            "orange",
            "quick.orange.new.rabbit",
            "lazy.orange.new.rabbit",
            "lazy",
        ];
        publish(lab, &[(&one, &orange), (&other, &rabbits)], &keys).await
    })
}

#[test]
fn a_receiver_that_is_cut_off_harms_nobody() -> Outcome {
    lab!(async |lab| {
        let patterns = ["kern.*"];
        let one = receive(lab, &patterns).await?;
        let other = receive(lab, &patterns).await?;
        have_own_queues(&one, &other).await?;
        publish(
            lab,
            &[(&one, &patterns), (&other, &patterns)],
            &["kern.info", "cron.info"],
        )
        .await?;
        let queue = other.bindings(EXCHANGE)[0].queue.clone();
        lab.cuts_off(&other, &queue).await?;
        let after = [Message::keyed("kern.info", lab.unique("after"))];
        lab.judge()
            .await?
            .publish_messages(EXCHANGE, &after)
            .await?;
        let what = "`receive_logs_topic` prints what is published after another one was cut off";
        one.until(what, |one| {
            one.stdout().contains(&after[0].body).then_some(Ok(()))
        })
        .await?;
        let why = "its connection was cut while it waited for messages";
        if !other.is_back_or_fails_loudly(why).await? {
            return Ok(());
        }
        let what = "`receive_logs_topic` binds its queue again after its connection was cut";
        other
            .until(what, |other| {
                (other.bindings(EXCHANGE).len() >= 2).then_some(Ok(()))
            })
            .await
    })
}

#[test]
fn any_bytes_never_end_receive_logs_topic() -> Outcome {
    property!(
        vec(any::<u8>(), 1..=16),
        [vec![0xff], b"caf\xe9".to_vec()],
        async |lab, bytes| {
            let receive = receive(lab, &["kern.info"]).await?;
            lab.outlives_bytes(&receive, EXCHANGE, "kern.info", &bytes)
                .await
        }
    )
}

#[test]
fn receive_logs_topic_ends_on_ctrl_c() -> Outcome {
    lab!(async |lab| {
        let receive = receive(lab, &["kern.info"]).await?;
        publish(
            lab,
            &[(&receive, &["kern.info"])],
            &["kern.info", "cron.info"],
        )
        .await?;
        let more = lines(lab, &["kern.info"]);
        let judge = lab.judge().await?;
        judge.publish_messages(EXCHANGE, &more).await?;
        receive.goes_on_to_print(&more[0].body).await?;
        receive.ends_settled_on_ctrl_c().await?;
        let queue = &receive.bindings(EXCHANGE)[0].queue;
        judge.goes(queue, "after Ctrl-C").await
    })
}

#[test]
fn receive_logs_topic_tells_its_usage() -> Outcome {
    lab!(async |lab| lab.tells_its_usage("receive_logs_topic", &[]).await)
}

#[test]
fn both_leave_nothing_but_the_exchange() -> Outcome {
    lab!(async |lab| {
        let emit = lab.start("emit_log_topic", &["kern.info", "some", "words"]);
        emit.await?.ends().await?;
        let receive = receive(lab, &["kern.info"]).await?;
        let something = lines(lab, &["kern.info"]);
        let judge = lab.judge().await?;
        judge.publish_messages(EXCHANGE, &something).await?;
        receive.gets_something_from("the lab").await?;
        lab.leaves_nothing_else().await
    })
}

#[test]
fn both_say_when_there_is_no_broker() -> Outcome {
    lab!(async |lab| {
        lab.all_need_a_broker(&["emit_log_topic a.b words", "receive_logs_topic #"])
            .await
    })
}

/// The model: whether a queue that is bound with these patterns gets a copy of a message.
fn passes(patterns: &[&str], message: &Message) -> bool {
    let mut patterns = patterns.iter();
    patterns.any(|pattern| topic::passes(pattern, &message.key))
}

/// Starts an `emit_log_topic`, and holds that exactly this message reaches a queue that gets everything.
async fn emit(lab: &Lab, arguments: &[&str], message: &Message) -> Result<Program, Failure> {
    // One that runs before declares the exchange.
    let first = lab.start("emit_log_topic", &["a.b", "first"]).await?;
    first.ends().await?;
    let judge = lab.judge().await?;
    let listening = judge.listen(EXCHANGE, &["#"]).await;
    let queue = listening.map_err(|failure| lab.explain(failure))?;
    let emit = lab.start("emit_log_topic", arguments).await?;
    emit.ends().await?;
    let taken = judge.take(&queue).await?.unwrap_or_default();
    let found: Vec<_> = taken
        .iter()
        .map(|it| Message::keyed(it.routing_key.as_str(), String::from_utf8_lossy(&it.data)))
        .collect();
    if found == std::slice::from_ref(message) {
        return Ok(emit);
    }
    let shown = |it: &Message| format!("{it} and the body {:?}", it.body);
    let observed = match found.as_slice() {
        [] => "it gets nothing".to_owned(),
        [one] => format!("it gets one with {}", shown(one)),
        more => format!("it gets {} messages", more.len()),
    };
    let expected = format!(
        "a queue that is bound to `topic_logs` with `#` gets one message with {}",
        shown(message)
    );
    Err(lab.explain(Failure::new(expected, observed)))
}

/// Up to four patterns, each of them once: with a pattern that comes again, nobody could tell when it is bound twice.
fn patterns() -> impl Strategy<Value = Vec<String>> {
    vec(topic::pattern(), 1..=4).prop_map(|mut patterns| {
        let mut known = BTreeSet::new();
        patterns.retain(|pattern| known.insert(pattern.clone()));
        patterns
    })
}

/// Starts a `receive_logs_topic`, and waits until it gets what it asked for.
///
/// One that has bound something else and consumes gets what it asked for, too. What comes of that is held against the
/// model.
async fn receive(lab: &Lab, patterns: &[&str]) -> Result<Program, Failure> {
    let receive = lab.start("receive_logs_topic", patterns).await?;
    let wanted: BTreeSet<&str> = patterns.iter().copied().collect();
    let what = format!(
        "`{}` binds its queue to the exchange `topic_logs` with each of its patterns",
        receive.name()
    );
    let ready = receive.until(&what, |receive| {
        let bound = receive.bindings(EXCHANGE);
        let keys: BTreeSet<&str> = bound.iter().map(|it| it.key.as_str()).collect();
        let all = wanted.is_subset(&keys);
        (all || receive.takes_messages() && !keys.is_subset(&wanted)).then_some(Ok(()))
    });
    let ready = ready.await;
    ready.map_err(|mut failure| {
        let bound = receive.bindings(EXCHANGE);
        let keys: Vec<_> = bound.iter().map(|it| format!("`{}`", it.key)).collect();
        if !keys.is_empty() {
            let keys = keys.join(", ");
            failure.observed += &format!("\nit bound its queue with {keys} only");
        }
        failure
    })?;
    Ok(receive)
}

/// Holds that two receivers do not take each other's messages away.
async fn have_own_queues(one: &Program, other: &Program) -> Result<[String; 2], Failure> {
    let queues = [one, other].map(|it| it.bindings(EXCHANGE)[0].queue.clone());
    one.takes_from(&queues[0]).await?;
    other.takes_from(&queues[1]).await?;
    ensure!(
        queues[0] != queues[1],
        "each `receive_logs_topic` has a queue of its own",
        format!("two of them bind the same queue, `{}`", queues[0]),
    );
    Ok(queues)
}

/// Publishes a message with each of the keys, and holds that each receiver gets and prints what the model says.
async fn publish(
    lab: &Lab,
    receivers: &[(&Program, &[&str])],
    keys: &[impl AsRef<str>],
) -> Checked {
    publish_messages(lab, receivers, &lines(lab, keys)).await
}

/// A message with each of the keys, told apart by their bodies.
fn lines(lab: &Lab, keys: &[impl AsRef<str>]) -> Vec<Message> {
    keys.iter()
        .map(|key| Message::keyed(key.as_ref(), lab.unique("line")))
        .collect()
}

async fn publish_messages(
    lab: &Lab,
    receivers: &[(&Program, &[&str])],
    published: &[Message],
) -> Checked {
    let judge = lab.judge().await?;
    judge.publish_messages(EXCHANGE, published).await?;
    for (receive, patterns) in receivers {
        let routed = |message: &Message| passes(patterns, message);
        lab.expect_routed(receive, EXCHANGE, published, routed)
            .await?;
    }
    Ok(())
}

/// A routing key of 255 bytes: there are none that are longer.
fn longest_key() -> String {
    format!("{}.{}", "Long".repeat(32), "k".repeat(126))
}
