//! What is checked of `rpc_server`, `rpc_client` and `rpc_client_direct`.
//!
//! The lab plays the other side. To the server it is a client that asks all sorts of things. To the clients it is a
//! server that replies late, twice, in any order, and with replies that belong to others.

use workbook_lab::{
    Checked, Cut, Failure, Fault, Lab, Outcome, Program, Rule, client, ensure,
    judge::{Access, Letter, Partner},
    lab,
    program::NO_BROKER_LIMIT,
    property,
    property::Words,
    proptest::{
        collection::vec,
        prelude::{Strategy, any},
        strategy::Union,
    },
    vocabulary::calls::{Call, DIRECT, Mess},
};

const QUEUE: &str = "rpc_queue";
const CLIENT: &str = "rpc_client";
const CLIENT_DIRECT: &str = "rpc_client_direct";
const REPLIES: &str = "`rpc_server` publishes its reply through the default exchange, with the request's reply_to as the routing key";

#[test]
fn rpc_server_replies_to_the_address_in_the_request() -> Outcome {
    property!(
        vec((0..=90_u8, "[ -~]{1,40}|\\PC{1,12}"), 1..=4),
        [
            vec![(7, "an id".to_owned()), (90, "another".to_owned())],
            vec![(0, "same".to_owned()), (1, "same".to_owned())],
            // The number of the page, and its neighbours.
            vec![
                (29, "a".to_owned()),
                (30, "b".to_owned()),
                (31, "c".to_owned())
            ],
            // The same n twice, ids that differ in case only, and the longest one.
            vec![
                (7, "id".to_owned()),
                (7, "ID".to_owned()),
                (8, "i".repeat(255))
            ]
        ],
        async |lab, requests| {
            let (server, partner) = start_server(lab).await?;
            let mut expected = Vec::new();
            for (n, id) in requests {
                ask(&partner, &n.to_string(), Some(&id)).await?;
                expected.push(Letter::new(fib(n).to_string()).with_id(id));
            }
            expect_replies(&server, &partner, &expected).await
        }
    )
}

#[test]
fn rpc_server_replies_with_an_error_to_what_is_no_number() -> Outcome {
    let text = "[a-z]{1,8}|-[1-9][0-9]{0,3}|9[1-9]|[1-9][0-9]{2,30}|[0-9]{1,2}[.][0-9]";
    let bytes = vec(any::<u8>(), 1..=8)
        .prop_filter("text", |bytes| std::str::from_utf8(bytes).is_err())
        .prop_map(Body);
    let examples = ["91", "-1", "", "7.5", "256"].map(|text| Body(text.into()));
    let [large, negative, empty, fraction, byte] = examples;
    property!(
        Union::new([
            text.prop_map(|text| Body(text.into())).boxed(),
            bytes.boxed()
        ]),
        [
            Body("seven".into()),
            large,
            negative,
            empty,
            fraction,
            byte,
            Body(b"\xff7".into())
        ],
        async |lab, Body(body)| {
            let (server, partner) = start_server(lab).await?;
            let bad = Letter {
                body,
                ..request("", Some("bad"), &partner)
            };
            partner.sends(QUEUE, &bad).await?;
            let reply = next_reply(&server, &partner, 0).await?;
            let what = "`rpc_server` replies to what is not a number from 0 to 90 with a text, the header error = true, and the correlation id of the request";
            ensure!(
                reply.error && !reply.body.is_empty() && reply.correlation_id == bad.correlation_id,
                what,
                format!(
                    "its reply is {:?}, {} that header, and its correlation_id is {:?}",
                    reply.text(),
                    if reply.error { "with" } else { "without" },
                    reply.correlation_id.unwrap_or_default(),
                ),
            );
            // And it goes on.
            ask(&partner, "7", Some("good")).await?;
            let next = next_reply(&server, &partner, 1).await?;
            expect_reply(&next, &Letter::new("13").with_id("good"))
        }
    )
}

#[test]
fn rpc_server_survives_requests_that_nobody_waits_for() -> Outcome {
    lab!(async |lab| {
        let (server, partner) = start_server(lab).await?;
        let what = "`rpc_server` serves the next request after one that has no reply_to";
        let nobody = Letter::new("1").with_id("no address");
        partner.sends(QUEUE, &nobody).await?;
        ask(&partner, "6", Some("next")).await?;
        let next = [Letter::new("8").with_id("next")];
        replies_come(&server, &partner, &next, what).await?;

        let what = "`rpc_server` serves the next request after one with a reply_to that names no queue, and one without a correlation_id";
        let gone = Letter {
            reply_to: Some(lab.unique("gone")),
            ..Letter::new("2").with_id("gone")
        };
        partner.sends(QUEUE, &gone).await?;
        ask(&partner, "7", None).await?;
        ask(&partner, "8", Some("last")).await?;
        let [next] = next;
        let expected = [next, Letter::new("13"), Letter::new("21").with_id("last")];
        replies_come(&server, &partner, &expected, what).await?;

        let what =
            "`rpc_server` is done with each of its 5 requests, be it wanted or not: basic.ack";
        let all_done = server.until(what, |server| {
            let tasks = server.tasks();
            let done = tasks.iter().filter(|task| task.is_done_with());
            (done.count() >= 5).then_some(Ok(()))
        });
        all_done.await
    })
}

#[test]
fn rpc_server_takes_one_request_at_a_time() -> Outcome {
    lab!(async |lab| {
        let (server, partner) = start_server(lab).await?;
        server.consumes_from(QUEUE).await?;
        let conversation = server.conversation().unwrap_or_default();
        let consumers = conversation.consumers.iter();
        let (prefetch, acknowledgement) = consumers
            .filter(|it| it.queue == QUEUE)
            .map(|consumer| (consumer.prefetch, consumer.acknowledgement))
            .find(|limits| *limits != (Some(1), "manual"))
            .unwrap_or((Some(1), "manual"));
        ensure!(
            (prefetch, acknowledgement) == (Some(1), "manual"),
            "`rpc_server` consumes with manual acknowledgement, after basic.qos with prefetch-count = 1",
            match prefetch {
                Some(count) => format!("its prefetch-count is {count}"),
                None =>
                    format!("its acknowledgement is {acknowledgement}, and no prefetch is in force"),
            },
        );
        for n in ["5", "6"] {
            ask(&partner, n, Some(n)).await?;
        }
        next_reply(&server, &partner, 1).await?;
        expect_acks(&server, 2).await?;
        server.ends_on_ctrl_c().await?;
        server.gets_no_error()?;
        let left = lab.judge().await?.drain(QUEUE).await?.unwrap_or_default();
        ensure!(
            left.is_empty(),
            format!("nothing is left in `{QUEUE}`: each request is acknowledged"),
            format!("{} requests are there again", left.len()),
        );
        Ok(())
    })
}

#[test]
fn a_request_is_served_again_when_its_server_dies() -> Outcome {
    lab!(async |lab| {
        let (first, partner) = start_server(lab).await?;
        // All that it sent before its reply reaches the broker, and nothing from there on.
        let held = first.inject(Fault::Hold, Rule::before(client("basic.publish")));
        ask(&partner, "9", Some("precious")).await?;
        let what = "`rpc_server` publishes its reply (basic.publish)";
        let hit = first.until(what, |_| held.as_ref()?.hit().map(Ok)).await?;
        first.may_ack_before_its_reply(hit).await;
        let lost = |observed| {
            let what =
                "the request of the server that died before its reply is served by the next one";
            let lost = Failure::new(what, observed);
            Err(lost.advise("acknowledge a request after its reply, on the same connection"))
        };
        if first.acked_before_its_reply(hit) {
            return lost("the server acknowledged it (basic.ack) before its reply");
        }
        // It can do nothing about the cut any more, such as to end by itself or to connect again.
        first.pause();
        first.suffers(Fault::Cut(Cut::Clean), Rule::now()).await?;
        first.kill();
        first.ends().await?;
        // When the broker has noticed that it is gone, it has put back what was not acknowledged.
        lab.judge().await?.left_alone(QUEUE).await?;
        let second = start_another(lab).await?;
        ask(&partner, "2", Some("next")).await?;
        let both = [
            Letter::new("34").with_id("precious"),
            Letter::new("1").with_id("next"),
        ];
        let served = expect_replies(&second, &partner, &both).await;
        let got = partner.got();
        if let Err(failure) = &served
            && !failure.is_infra()
            && !second.tasks().iter().any(|task| task.body == b"9")
            && got.iter().any(|reply| is_same(reply, &both[1]))
        {
            return lost("it is lost: the broker had forgotten it");
        }
        served?;
        expect_acks(&second, 2).await
    })
}

#[test]
fn rpc_client_asks_and_prints_the_result() -> Outcome {
    lab!(async |lab| {
        let call = ask_for_number(lab, CLIENT).await?;
        let address = call.request.reply_to.clone().unwrap_or_default();
        let judge = lab.judge().await?;
        ensure!(
            judge.access(&address).await? == Access::Locked,
            "the reply comes into an exclusive queue of `rpc_client`: another connection that asks for it gets 405 RESOURCE_LOCKED",
            format!("reply_to names `{}`, and that is none", shown(&address)),
        );
        call.client.consumes_from(&address).await?;
        get_number(&call).await?;
        judge.goes(&address, "when it has ended").await
    })
}

#[test]
fn rpc_client_takes_only_its_own_reply() -> Outcome {
    property!(
        Mess::any(),
        [Mess::simplest(), Mess::crossed(), Mess::every_trick()],
        async |lab, mess| { lab.replies_in_a_mess(QUEUE, CLIENT, &mess).await }
    )
}

#[test]
fn rpc_client_tells_of_an_error() -> Outcome {
    lab!(async |lab| error_is_told(lab, CLIENT).await)
}

#[test]
fn rpc_client_direct_asks_and_prints_the_result() -> Outcome {
    lab!(async |lab| {
        let call = ask_for_number(lab, CLIENT_DIRECT).await?;
        let address = call.request.reply_to.clone().unwrap_or_default();
        let what = "`rpc_client_direct` uses direct reply-to: reply_to is `amq.rabbitmq.reply-to`, and it declares no queue of its own";
        ensure!(
            address.starts_with(DIRECT),
            what,
            format!("reply_to names `{}`", shown(&address)),
        );
        let conversation = call.client.conversation().unwrap_or_default();
        let mut queues = conversation.queues.iter().map(|queue| &queue.name);
        let own = queues.find(|name| *name != QUEUE && !name.starts_with(DIRECT));
        ensure!(own.is_none(), what, "it declared one");
        get_number(&call).await
    })
}

#[test]
fn rpc_client_direct_takes_only_its_own_reply() -> Outcome {
    property!(
        Mess::any(),
        [Mess::simplest(), Mess::crossed(), Mess::every_trick()],
        async |lab, mess| { lab.replies_in_a_mess(QUEUE, CLIENT_DIRECT, &mess).await }
    )
}

#[test]
fn rpc_client_direct_tells_of_an_error() -> Outcome {
    lab!(async |lab| error_is_told(lab, CLIENT_DIRECT).await)
}

#[test]
fn a_late_reply_of_an_earlier_call_is_not_taken() -> Outcome {
    lab!(async |lab| {
        let call = reply_to_another_comes(lab, CLIENT).await?;
        let lab = lab.another().await?;
        let direct = reply_to_another_comes(&lab, CLIENT_DIRECT).await?;
        // Both wait at the same time.
        for call in [call, direct] {
            call.is_waited_for().await?;
            call.gets(&call.reply("1002")).await?;
            call.succeeds_with("1002").await?;
        }
        Ok(())
    })
}

#[test]
fn each_client_gets_its_own_result() -> Outcome {
    property!(
        vec((0..=25_u8, any::<bool>()), 1..=4),
        [
            vec![(7, false)],
            vec![(7, true)],
            vec![(20, false), (20, true), (20, false), (3, false)]
        ],
        async |lab, calls| {
            start_another(lab).await?;
            let mut clients = Vec::new();
            for (n, direct) in calls {
                let program = if direct { CLIENT_DIRECT } else { CLIENT };
                clients.push((lab.start(program, &[&n.to_string()]).await?, n));
            }
            for (client, n) in clients {
                client.prints_result(&fib(n).to_string()).await?;
                client.succeeds().await?;
            }
            Ok(())
        }
    )
}

#[test]
fn either_side_may_run_first() -> Outcome {
    lab!(async |lab| {
        for program in [CLIENT, CLIENT_DIRECT] {
            // The client first …
            let lab = lab.another().await?;
            let client = lab.start(program, &["10"]).await?;
            client.publishes_to(QUEUE).await?;
            let queue = lab.judge().await?.queue(QUEUE).await?;
            ensure!(
                queue.is_some(),
                format!(
                    "`{program}` declares the queue `{QUEUE}`, because the server may come later"
                ),
                "there is no such queue, so its request is lost",
            );
            let server = start_another(&lab).await?;
            client.prints_result("55").await?;
            client.succeeds().await?;
            // … and the server first.
            let client = lab.start(program, &["11"]).await?;
            client.prints_result("89").await?;
            client.succeeds().await?;
            expect_acks(&server, 2).await?;
        }
        Ok(())
    })
}

#[test]
fn clients_say_so_when_their_connection_is_cut() -> Outcome {
    lab!(async |lab| {
        let both = [(CLIENT, "3"), (CLIENT_DIRECT, "3")];
        for call in lab.is_asked_by(QUEUE, &both).await? {
            let client = call.client;
            client.loses_its_connection().await?;
            let why = "its connection was cut while it waited for the reply";
            client.is_back_or_fails_loudly(why).await?;
        }
        Ok(())
    })
}

#[test]
fn all_leave_nothing_but_the_queue() -> Outcome {
    lab!(async |lab| {
        start_another(lab).await?;
        for program in [CLIENT, CLIENT_DIRECT] {
            let client = lab.start(program, &["5"]).await?;
            client.prints_result("5").await?;
            client.ends().await?;
        }
        lab.leaves_nothing_else().await
    })
}

#[test]
fn all_say_so_without_a_broker() -> Outcome {
    lab!(async |lab| {
        let programs = ["rpc_server", "rpc_client 3", "rpc_client_direct 3"];
        lab.all_need_a_broker(&programs).await
    })
}

/// A body, shown as text where it is one.
#[derive(Clone, Debug)]
struct Body(Vec<u8>);

impl Words for Body {
    fn words(&self) -> String {
        self.0.words()
    }
}

/// The Fibonacci numbers.
fn fib(n: u8) -> u64 {
    (0..n).fold((0, 1), |(this, next), _| (next, this + next)).0
}

/// A name that is generated, or one that the program chose.
fn shown(address: &str) -> &str {
    match address.split_once("amq.gen-") {
        Some(_) => "amq.gen-…",
        None if address.starts_with(DIRECT) => DIRECT,
        None => address,
    }
}

/// Starts a server, and a client of the lab's own that gets its replies.
async fn start_server(lab: &Lab) -> Result<(Program, Partner), Failure> {
    let server = start_another(lab).await?;
    let partner = lab.judge().await?.receives().await?;
    Ok((server, partner))
}

/// Starts a server, and waits until it takes requests.
async fn start_another(lab: &Lab) -> Result<Program, Failure> {
    let server = lab.start("rpc_server", &[]).await?;
    server.takes_from(QUEUE).await?;
    Ok(server)
}

/// A request of the lab's own.
fn request(body: &str, id: Option<&str>, partner: &Partner) -> Letter {
    Letter {
        correlation_id: id.map(str::to_owned),
        reply_to: Some(partner.queue().to_owned()),
        ..Letter::new(body)
    }
}

async fn ask(partner: &Partner, body: &str, id: Option<&str>) -> Checked {
    partner.sends(QUEUE, &request(body, id, partner)).await
}

/// Waits for a reply of the server, by its place among those that the lab gets.
async fn next_reply(server: &Program, partner: &Partner, place: usize) -> Result<Letter, Failure> {
    next_reply_as(server, partner, place, REPLIES).await
}

async fn next_reply_as(
    server: &Program,
    partner: &Partner,
    place: usize,
    what: &str,
) -> Result<Letter, Failure> {
    server
        .until(what, |server| {
            if let Some(reply) = partner.got().get(place) {
                return Some(Ok(reply.clone()));
            }
            let elsewhere = server.replies_elsewhere()?;
            Some(Err(Failure::new(REPLIES, elsewhere)))
        })
        .await
}

/// Waits for these replies, in any order.
async fn expect_replies(server: &Program, partner: &Partner, expected: &[Letter]) -> Checked {
    replies_come(server, partner, expected, REPLIES).await
}

/// Waits for these replies, in any order: a server with several consumers need not finish in the order in which it was
/// asked, and a client knows its reply by the id.
async fn replies_come(
    server: &Program,
    partner: &Partner,
    expected: &[Letter],
    what: &str,
) -> Checked {
    for place in 0..expected.len() {
        let came = next_reply_as(server, partner, place, what).await;
        let mut missing: Vec<&Letter> = expected.iter().collect();
        let mut other = None;
        for reply in partner.got().iter().take(place + 1) {
            match missing.iter().position(|it| is_same(it, reply)) {
                Some(found) => drop(missing.remove(found)),
                None => other = Some(reply.clone()),
            }
        }
        if let Some(other) = other {
            // What it was meant to be: what has its id, else what has its body.
            let meant =
                |alike: &dyn Fn(&Letter) -> bool| missing.iter().copied().find(|it| alike(it));
            let meant = meant(&|it| id(it) == id(&other))
                .or_else(|| meant(&|it| it.body == other.body))
                .or(missing.first().copied());
            expect_reply(&other, meant.unwrap_or(&expected[place]))?;
        }
        came?;
    }
    Ok(())
}

/// An id as it is compared: one that is empty is none.
fn id(letter: &Letter) -> String {
    letter.correlation_id.clone().unwrap_or_default()
}

/// Whether a reply belongs to a request by its id. To one without an id, any will do: some clients (AMQPStorm 3.1.4) give
/// one to each message that has none.
fn has_id_of(reply: &Letter, expected: &Letter) -> bool {
    id(expected).is_empty() || id(reply) == id(expected)
}

fn is_same(reply: &Letter, expected: &Letter) -> bool {
    has_id_of(reply, expected) && reply.body == expected.body && reply.error == expected.error
}

fn expect_reply(reply: &Letter, expected: &Letter) -> Checked {
    ensure!(
        has_id_of(reply, expected),
        format!(
            "the reply has the correlation_id of its request: {:?}",
            id(expected)
        ),
        match &reply.correlation_id {
            Some(id) => format!("its correlation_id is {id:?}"),
            None => "it has no correlation_id".to_owned(),
        },
    );
    ensure!(
        reply.body == expected.body && !reply.error,
        format!("the reply is {:?}", expected.text()),
        format!(
            "it is {:?}{}",
            reply.text(),
            if reply.error {
                ", with the header error = true"
            } else {
                ""
            }
        ),
    );
    Ok(())
}

/// Waits until the server has acknowledged so many requests.
async fn expect_acks(server: &Program, count: usize) -> Checked {
    let what = format!("`rpc_server` acknowledges each of its {count} requests: basic.ack");
    server
        .until(&what, |server| {
            let acked = server.tasks().iter().filter(|it| it.is_acked()).count();
            (acked >= count).then_some(Ok(()))
        })
        .await
}

/// Starts a client, takes its request, and holds that there is all in it that a reply needs.
async fn ask_for_number(lab: &Lab, program: &str) -> Result<Call, Failure> {
    let call = lab.is_asked_by(QUEUE, &[(program, "30")]).await?.remove(0);
    let Letter {
        body,
        correlation_id,
        reply_to,
        ..
    } = &call.request;
    let filled = |property: &Option<String>| property.as_ref().is_some_and(|it| !it.is_empty());
    ensure!(
        body == b"30" && filled(correlation_id) && filled(reply_to),
        format!("`{program} 30` publishes `30`, with a correlation_id and a reply_to"),
        format!(
            "it published {:?}, {} correlation_id and {} reply_to",
            call.request.text(),
            if filled(correlation_id) {
                "with a"
            } else {
                "with no"
            },
            if filled(reply_to) { "a" } else { "no" },
        ),
    );
    let what = format!("`{program} 30` prints `Requesting fib(30)`");
    let said = call.client.until(&what, |client| {
        client.stdout().contains("fib(30)").then_some(Ok(()))
    });
    said.await?;
    Ok(call)
}

/// Replies to a client, and holds that it prints the result, closes its connection and ends well.
async fn get_number(call: &Call) -> Checked {
    // Not what the client could have reckoned out by itself.
    call.gets(&call.reply("4711")).await?;
    call.succeeds_with("4711").await?;
    call.client.closes_its_connections().await
}

async fn error_is_told(lab: &Lab, program: &str) -> Checked {
    let call = lab.is_asked_by(QUEUE, &[(program, "30")]).await?.remove(0);
    let error = Letter {
        error: true,
        ..call.reply("out of numbers today")
    };
    call.gets(&error).await?;
    let why = "the server replied with an error";
    call.client.fails_loudly(NO_BROKER_LIMIT, why).await?;
    let (stdout, stderr) = (call.client.stdout(), call.client.stderr());
    ensure!(
        stderr.contains("out of numbers today") && !stdout.contains("Got"),
        format!("`{program}` prints the text of an error reply on standard error, and no `Got`"),
        format!("it printed {stdout:?} on standard output, and {stderr:?} on standard error"),
    );
    Ok(())
}

/// A client gives up, and the reply to it comes to the next one, which asks the same.
async fn reply_to_another_comes(lab: &Lab, program: &str) -> Result<Call, Failure> {
    let mut calls = lab
        .is_asked_by(QUEUE, &[(program, "1"), (program, "1")])
        .await?;
    let early = calls.remove(0);
    early.client.kill();
    early.client.ends().await?;
    let late = calls.remove(0);
    late.gets(&early.reply("1001")).await?;
    Ok(late)
}
