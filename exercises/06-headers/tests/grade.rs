//! What is checked of `emit_log_headers` and `receive_logs_headers`.
//!
//! Each check gets a virtual host of its own on a real RabbitMQ. The programs are
//! started as they are and judged by what they say to the broker, what they print
//! and how they end. Who gets which message is held against a model of headers
//! routing: a binding lets a message pass when the message has all, or any, of the
//! binding's pairs, of the same type and value.

use workbook_lab::{
    Checked, Failure, Lab, Outcome, Program,
    arguments::{texts, word},
    ensure, lab,
    model::{
        Message, disagreement,
        headers::{self, Binding, Headers, Match},
    },
    property,
    proptest::{
        collection::{btree_map, vec},
        prelude::any,
        prop_oneof,
        sample::select,
        strategy::Strategy,
    },
};

const EXCHANGE: &str = "header_logs";

#[test]
fn emit_log_headers_needs_no_receiver() -> Outcome {
    lab!(async |lab| {
        let emit = lab.start("emit_log_headers", &[]).await?;
        emit.succeeds().await?;
        emit.prints_bodies(&["Hello World!".to_owned()]).await?;
        lab.is_left_an_exchange("emit_log_headers", EXCHANGE, "headers")
            .await
    })
}

#[test]
fn emit_log_headers_sends_its_headers_and_words() -> Outcome {
    property!(
        (pairs(), vec(word(), 0..=4)),
        [
            (
                texts(&["format=pdf", "pages=3"]),
                texts(&["report", "is", "ready"])
            ),
            (
                texts(&[
                    "a=",
                    "b=-12",
                    "c=007",
                    "d=1234567890123456789",
                    "e=x=y",
                    "f=1.5",
                    "g=-"
                ]),
                texts(&["--", "x=1"]),
            ),
            (
                texts(&["Format=PDF", "format=pdf", "n=1", "n=1"]),
                texts(&["", "two  spaces", "A "]),
            ),
            (
                vec![
                    format!("{}=1", "Long".repeat(63) + "one"),
                    format!("long={}", "x".repeat(300))
                ],
                texts(&["long"]),
            ),
        ],
        async |lab, (pairs, words)| {
            // Without a pair, all messages have all of the pairs.
            let queue = listen(lab, &Binding::new(Match::All, Headers::new())).await?;
            let emit = emit(lab, &pairs, &words).await?;
            let body = body(&words);
            let taken = lab.judge().await?.take(&queue).await?.unwrap_or_default();
            let sent: Vec<_> = taken
                .iter()
                .map(|message| {
                    let headers = message.properties.headers().clone().unwrap_or_default();
                    let body = String::from_utf8_lossy(&message.data).into_owned();
                    (headers::shown_table(&headers), body)
                })
                .collect();
            let wanted = (headers::shown(&headers::of(&pairs)), body.clone());
            if sent != [wanted.clone()] {
                let with = |(headers, body): &(String, String)| match headers.as_str() {
                    "" => format!("{body:?} without headers"),
                    headers => format!("{body:?} with the headers {headers}"),
                };
                let expected = format!("`{}` publishes {}", emit.name(), with(&wanted));
                let observed = match &sent[..] {
                    [] => "it published nothing to the exchange `header_logs`".to_owned(),
                    sent => {
                        let sent: Vec<_> = sent.iter().map(with).collect();
                        format!("it published {}", sent.join(", and "))
                    }
                };
                return Err(lab.explain(Failure::new(expected, observed)));
            }
            emit.prints_bodies(&[body]).await
        }
    )
}

#[test]
fn emit_log_headers_reaches_those_who_asked_for_its_headers() -> Outcome {
    property!(
        (how(), pairs(), pairs()),
        [
            (Match::All, texts(&["format=pdf"]), texts(&["format=pdf"])),
            (
                Match::Any,
                texts(&["format=pdf", "pages=3"]),
                texts(&["pages=3"])
            ),
            (
                Match::All,
                texts(&["format=pdf", "pages=3"]),
                texts(&["pages=3"])
            ),
        ],
        async |lab, (how, wanted, pairs)| {
            let binding = Binding::new(how, headers::of(&wanted));
            let queue = listen(lab, &binding).await?;
            emit(lab, &pairs, &texts(&["report"])).await?;
            let found = lab.judge().await?.drain_text(&queue).await?;
            let message = [Message::headed(headers::of(&pairs), "report")];
            let routed = |it: &Message| headers::passes(&binding, &it.headers);
            match disagreement(&message, routed, &found) {
                None => Ok(()),
                Some(it) => {
                    let expected = format!("a queue that is bound with {binding} {}", it.expected);
                    Err(lab.explain(Failure::new(expected, it.observed)))
                }
            }
        }
    )
}

#[test]
fn emit_log_headers_closes_its_connection() -> Outcome {
    lab!(async |lab| {
        let arguments = ["level=3", "--", "low", "battery"];
        let emit = lab.start("emit_log_headers", &arguments).await?;
        emit.closes_after_publishing().await
    })
}

#[test]
fn either_program_may_run_first() -> Outcome {
    lab!(async |lab| {
        // `receive_logs_headers` first …
        let somebody = ["format=pdf", "--", "somebody", "listens"];
        let receive = receive(lab, &["all", "format=pdf"]).await?;
        lab.runs("emit_log_headers", &somebody).await?;
        // What the line says is for other checks.
        let who = "`emit_log_headers`";
        receive.program.gets_something_from(who).await?;
        // … and `emit_log_headers` first, in a world of its own.
        let lab = lab.another().await?;
        lab.runs(
            "emit_log_headers",
            &["format=pdf", "--", "nobody", "listens"],
        )
        .await?;
        let receive = self::receive(&lab, &["all", "format=pdf"]).await?;
        lab.runs("emit_log_headers", &somebody).await?;
        receive.program.gets_something_from(who).await
    })
}

#[test]
fn receive_logs_headers_binds_one_queue_with_its_arguments() -> Outcome {
    lab!(async |lab| {
        for how in [Match::Any, Match::All] {
            let pairs = ["format=pdf", "pages=3", "lang="];
            let arguments = [&[how.as_str()][..], &pairs].concat();
            let receive = receive(lab, &arguments).await?;
            let program = &receive.program;
            program.consumes_from(&receive.queue).await?;
            let bound = program.bindings(EXCHANGE);
            let found: Vec<_> = bound
                .iter()
                .map(|bound| headers::shown_binding(&bound.arguments))
                .collect();
            let wanted = Binding::new(how, headers::of(&pairs)).to_string();
            ensure!(
                found == [wanted.clone()],
                format!("`{}` binds its queue once, with {wanted}", program.name()),
                format!("it bound its queue with {}", found.join("; and with ")),
            );
        }
        Ok(())
    })
}

#[test]
fn receive_logs_headers_gets_what_headers_routing_says() -> Outcome {
    property!(
        (how(), pairs(), vec(pairs(), 0..=8)),
        [
            (
                Match::All,
                texts(&["format=pdf"]),
                vec![texts(&["format=pdf"])]
            ),
            (
                Match::Any,
                texts(&["format=pdf", "pages=3"]),
                vec![texts(&["pages=3"])]
            ),
            (
                Match::All,
                texts(&["format=pdf", "pages=3"]),
                vec![texts(&["pages=3"])]
            ),
            (Match::All, texts(&["pages=3"]), vec![texts(&["pages=3"])]),
            (Match::Any, vec![], vec![vec![]]),
            (
                Match::Any,
                texts(&["Format=pdf", "lang=EN", "lang=EN"]),
                [
                    "format=pdf",
                    "Format=PDF",
                    "Format=pdf",
                    "lang=en",
                    "lang=EN"
                ]
                .map(|pair| texts(&[pair]))
                .to_vec()
            ),
            (
                Match::Any,
                texts(&["a=", "b=-5", "c=03", "d=999999999999999999", "e=x=y"]),
                [
                    "a=",
                    "a=0",
                    "b=-5",
                    "b=5",
                    "c=3",
                    "d=999999999999999999",
                    "e=x",
                    "e=x=y"
                ]
                .map(|pair| texts(&[pair]))
                .to_vec()
            ),
        ],
        async |lab, (how, wanted, messages)| {
            let mut arguments = vec![how.as_str()];
            arguments.extend(wanted.iter().map(String::as_str));
            let receive = receive(lab, &arguments).await?;
            receive.gets(lab, &numbered(&messages)).await
        }
    )
}

#[test]
fn a_number_is_not_the_text_of_its_digits() -> Outcome {
    lab!(async |lab| {
        let receive = receive(lab, &["all", "pages=3"]).await?;
        let text = Headers::from([("pages".to_owned(), headers::Value::Text("3".to_owned()))]);
        let number = headers::of(&["pages=3"]);
        let published = [
            Message::headed(text, "a text"),
            Message::headed(number.clone(), "a number"),
            // A message that is like another one is another one.
            Message::headed(number, "a number"),
        ];
        receive.gets(lab, &published).await
    })
}

#[test]
fn names_that_begin_with_x_do_not_count() -> Outcome {
    lab!(async |lab| {
        let receive = receive(lab, &["all", "format=pdf", "x-lang=en"]).await?;
        let messages = [texts(&["format=pdf"]), texts(&["x-lang=en"])];
        receive.gets(lab, &numbered(&messages)).await
    })
}

#[test]
fn a_receiver_that_is_cut_off_harms_nobody() -> Outcome {
    lab!(async |lab| {
        let arguments = ["any", "level=3"];
        let one = receive(lab, &arguments).await?.program;
        let other = receive(lab, &arguments).await?;
        let line = |body: &str| Message::headed(headers::of(&["level=3"]), body);
        let judge = lab.judge().await?;
        judge
            .publish_messages(EXCHANGE, &[line("before the cut")])
            .await?;
        let mut bodies = vec!["before the cut".to_owned()];
        one.prints_bodies(&bodies).await?;
        other.program.prints_bodies(&bodies).await?;
        lab.cuts_off(&other.program, &other.queue).await?;
        judge
            .publish_messages(EXCHANGE, &[line("after the cut")])
            .await?;
        bodies.push("after the cut".to_owned());
        one.prints_bodies(&bodies).await?;
        let why = "its connection was cut while it waited for messages";
        other.program.is_back_or_fails_loudly(why).await.map(|_| ())
    })
}

#[test]
fn both_tell_their_usage() -> Outcome {
    lab!(async |lab| {
        for arguments in [
            &[][..],
            &["some", "format=pdf"],
            &["ALL", "format=pdf"],
            &["any", "format"],
        ] {
            lab.tells_its_usage("receive_logs_headers", arguments)
                .await?;
        }
        for arguments in [&["report", "--", "ready"][..], &["format=pdf", "report"]] {
            lab.tells_its_usage("emit_log_headers", arguments).await?;
        }
        Ok(())
    })
}

#[test]
fn any_bytes_never_end_receive_logs_headers() -> Outcome {
    property!(
        vec(any::<u8>(), 1..=16),
        [vec![0xff], b"caf\xe9".to_vec()],
        async |lab, bytes| {
            let receive = receive(lab, &["all"]).await?;
            lab.outlives_bytes(&receive.program, EXCHANGE, "", &bytes)
                .await
        }
    )
}

#[test]
fn receive_logs_headers_ends_on_ctrl_c() -> Outcome {
    lab!(async |lab| {
        let Receiver { program, queue, .. } = receive(lab, &["all", "level=3"]).await?;
        let judge = lab.judge().await?;
        let last = Message::headed(headers::of(&["level=3"]), "last words");
        judge.publish_messages(EXCHANGE, &[last]).await?;
        program.prints_bodies(&["last words".to_owned()]).await?;
        let more = Message::headed(headers::of(&["level=3"]), lab.unique("more"));
        judge
            .publish_messages(EXCHANGE, std::slice::from_ref(&more))
            .await?;
        program.goes_on_to_print(&more.body).await?;
        program.ends_settled_on_ctrl_c().await?;
        judge.goes(&queue, "after Ctrl-C").await
    })
}

#[test]
fn both_leave_nothing_but_the_exchange() -> Outcome {
    lab!(async |lab| {
        let pairs = texts(&["level=3"]);
        emit(lab, &pairs, &texts(&["some", "words"])).await?;
        let receive = receive(lab, &["all"]).await?;
        let something = [Message::headed(headers::of(&pairs), "something")];
        let judge = lab.judge().await?;
        judge.publish_messages(EXCHANGE, &something).await?;
        receive.program.gets_something_from("the lab").await?;
        lab.leaves_nothing_else().await
    })
}

#[test]
fn both_say_when_there_is_no_broker() -> Outcome {
    lab!(async |lab| {
        lab.all_need_a_broker(&["emit_log_headers", "receive_logs_headers all level=3"])
            .await
    })
}

fn how() -> impl Strategy<Value = Match> {
    select(vec![Match::All, Match::Any])
}

/// Pairs as a person types them: mostly of a few names and values, so that they meet.
fn pairs() -> impl Strategy<Value = Vec<String>> {
    let name = prop_oneof![
        6 => select(vec!["format", "pages", "lang"]).prop_map(str::to_owned),
        1 => select(vec!["Format", "x-lang"]).prop_map(str::to_owned),
        1 => "[a-w]{1,8}",
    ];
    let value = prop_oneof![
        6 => select(vec!["pdf", "3", "en"]).prop_map(str::to_owned),
        1 => select(vec!["", "-3", "03", "3.0", "a=b", "消息", "999999999999999999"]).prop_map(str::to_owned),
        1 => "[ -~]{0,20}",
    ];
    btree_map(name, value, 0..=3).prop_map(|pairs| {
        let pairs = pairs.into_iter();
        pairs
            .map(|(name, value)| format!("{name}={value}"))
            .collect()
    })
}

/// A message for each, told apart by numbers.
fn numbered(messages: &[Vec<String>]) -> Vec<Message> {
    let messages = messages.iter().enumerate();
    messages
        .map(|(index, pairs)| Message::headed(headers::of(pairs), format!("line {}", index + 1)))
        .collect()
}

fn body(words: &[String]) -> String {
    match words.is_empty() {
        true => "Hello World!".to_owned(),
        false => words.join(" "),
    }
}

/// Runs `emit_log_headers PAIRS… -- WORDS…`.
async fn emit(lab: &Lab, pairs: &[String], words: &[String]) -> Result<Program, Failure> {
    let mut arguments: Vec<&str> = pairs.iter().map(String::as_str).collect();
    arguments.push("--");
    arguments.extend(words.iter().map(String::as_str));
    let emit = lab.start("emit_log_headers", &arguments).await?;
    emit.ends().await?;
    Ok(emit)
}

/// Lets `emit_log_headers` declare the exchange, and binds a queue of the lab's own to it.
async fn listen(lab: &Lab, binding: &Binding) -> Result<String, Failure> {
    lab.start("emit_log_headers", &["--", "first"])
        .await?
        .ends()
        .await?;
    let judge = lab.judge().await?;
    let listening = judge
        .listen_by(EXCHANGE, &[("", binding.arguments())])
        .await;
    listening.map_err(|failure| lab.explain(failure))
}

/// A `receive_logs_headers` that gets what is published from now on.
struct Receiver {
    program: Program,
    queue: String,
    binding: Binding,
}

async fn receive(lab: &Lab, arguments: &[&str]) -> Result<Receiver, Failure> {
    let program = lab.start("receive_logs_headers", arguments).await?;
    let queue = program.listens_to(EXCHANGE).await?.remove(0).queue;
    let how = match arguments[0] {
        "any" => Match::Any,
        _ => Match::All,
    };
    let binding = Binding::new(how, headers::of(&arguments[1..]));
    Ok(Receiver {
        program,
        queue,
        binding,
    })
}

impl Receiver {
    /// Publishes messages, and holds that the receiver gets and prints of them what the model says.
    async fn gets(&self, lab: &Lab, published: &[Message]) -> Checked {
        let judge = lab.judge().await?;
        judge.publish_messages(EXCHANGE, published).await?;
        let routed = |message: &Message| headers::passes(&self.binding, &message.headers);
        lab.expect_routed(&self.program, EXCHANGE, published, routed)
            .await
    }
}
