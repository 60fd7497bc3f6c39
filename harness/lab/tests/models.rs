//! The models of routing, held against a real broker over random bindings and messages.
//!
//! Each round declares one exchange, a queue for each binding, publishes all messages, and looks at who got which: many
//! pairs of a binding and a message in one go.

#![allow(
    clippy::expect_used,
    reason = "a test may stop at what it does not expect"
)]

use std::collections::BTreeSet;

use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties, ExchangeKind,
    options::{
        BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions,
        QueueBindOptions, QueueDeclareOptions,
    },
    types::{AMQPValue, FieldTable},
};
use proptest::{
    collection::btree_map,
    prelude::any,
    prop_oneof,
    sample::select,
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use workbook_broker::{Broker, Options};
use workbook_lab::model::{
    direct,
    headers::{self, Binding, Headers, Match, Value},
    topic,
};

const EXCHANGE: &str = "models";

/// A binding as the broker gets it: its key and its arguments.
type Bind = (String, FieldTable);
/// A message as the broker gets it: its key and its headers.
type Address = (String, FieldTable);

/// Asks a broker which of the bindings let which of the messages pass: the pairs of their places.
async fn passed(
    kind: ExchangeKind,
    bindings: &[Bind],
    messages: &[Address],
) -> BTreeSet<(usize, usize)> {
    let options = Options::from_env().expect("the choice of a broker");
    let broker = Broker::find_or_start(&options).await.expect("a broker");
    let lease = broker.lease().await.expect("a virtual host");
    let connection = Connection::connect(&lease.amqp_url(), ConnectionProperties::default())
        .await
        .expect("a connection");
    let channel = connection.create_channel().await.expect("a channel");
    let none = FieldTable::default;
    channel
        .exchange_declare(
            EXCHANGE.into(),
            kind,
            ExchangeDeclareOptions::default(),
            none(),
        )
        .await
        .expect("an exchange");
    let mut queues = Vec::new();
    for (key, arguments) in bindings {
        let queue = channel
            .queue_declare("".into(), QueueDeclareOptions::exclusive(), none())
            .await
            .expect("a queue");
        channel
            .queue_bind(
                queue.name().clone(),
                EXCHANGE.into(),
                key.as_str().into(),
                QueueBindOptions::default(),
                arguments.clone(),
            )
            .await
            .expect("a binding");
        queues.push(queue.name().clone());
    }
    publish(&channel, messages).await;
    let mut pairs = BTreeSet::new();
    for (binding, queue) in queues.into_iter().enumerate() {
        let get = async || {
            channel
                .basic_get(queue.clone(), BasicGetOptions { no_ack: true })
                .await
                .expect("an answer")
        };
        while let Some(message) = get().await {
            let place = std::str::from_utf8(&message.data).map(str::parse);
            let message = place.expect("text").expect("a number");
            assert!(pairs.insert((binding, message)), "a message came twice");
        }
    }
    connection
        .close(200, "done".into())
        .await
        .expect("it closes");
    lease.release().await.expect("the virtual host goes");
    pairs
}

/// Publishes all messages, with their places as bodies, and waits until the broker has routed them.
async fn publish(channel: &Channel, messages: &[Address]) {
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await
        .expect("confirms");
    let mut confirms = Vec::new();
    for (place, (key, headers)) in messages.iter().enumerate() {
        let body = place.to_string();
        let confirm = channel.basic_publish(
            EXCHANGE.into(),
            key.as_str().into(),
            BasicPublishOptions::default(),
            body.as_bytes(),
            BasicProperties::default().with_headers(headers.clone()),
        );
        confirms.push(confirm.await.expect("it is published"));
    }
    for confirm in confirms {
        confirm.await.expect("it is confirmed");
    }
}

/// So many random values, other ones at each run.
fn some<S: Strategy>(strategy: S, count: usize) -> Vec<S::Value> {
    let mut runner = TestRunner::default();
    let new = |_| strategy.new_tree(&mut runner).expect("a value").current();
    (0..count).map(new).collect()
}

/// Holds all pairs against the model.
fn agree<B: std::fmt::Debug, M: std::fmt::Debug>(
    bindings: &[B],
    messages: &[M],
    passed: &BTreeSet<(usize, usize)>,
    model: impl Fn(&B, &M) -> bool,
) {
    let mut some_pass = 0;
    for (b, binding) in bindings.iter().enumerate() {
        for (m, message) in messages.iter().enumerate() {
            let expected = model(binding, message);
            some_pass += usize::from(expected);
            assert_eq!(
                passed.contains(&(b, m)),
                expected,
                "binding {binding:?}, message {message:?}: left the broker, right the model"
            );
        }
    }
    let pairs = bindings.len() * messages.len();
    assert!(pairs >= 2_000, "only {pairs} pairs");
    assert!(
        some_pass >= pairs / 100 && some_pass < pairs,
        "{some_pass} of {pairs} pairs pass: that shows little"
    );
}

#[tokio::test]
async fn direct_routing_is_that_of_the_broker() {
    let key = || {
        prop_oneof![
            4 => select(vec!["", "info", "Info", "info ", "error", "*", "#", "a.b", "消息"])
                .prop_map(str::to_owned),
            1 => "[ -~]{0,255}",
            1 => "\\PC{0,60}",
        ]
    };
    let (bindings, messages) = (some(key(), 50), some(key(), 50));
    let plain = |key: &String| (key.clone(), FieldTable::default());
    let passed = passed(
        ExchangeKind::Direct,
        &bindings.iter().map(plain).collect::<Vec<_>>(),
        &messages.iter().map(plain).collect::<Vec<_>>(),
    )
    .await;
    agree(&bindings, &messages, &passed, |binding, key| {
        direct::passes(binding, key)
    });
}

#[tokio::test]
async fn topic_matching_is_that_of_the_broker() {
    // The corners that a person would ask about, and random ones.
    let corners = |corners: &[&str]| corners.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut patterns = corners(&[
        "", ".", "a", "*", "#", "a.*", "*.#", "#.#", "#.*.#", "a.#.b", "a#", "*b", "a b",
    ]);
    let mut keys = corners(&["", ".", "a", "*", "#", "a.", ".a", "a.b", "a..b", "a#", "b"]);
    patterns.extend(some(topic::pattern(), 60));
    keys.extend(some(topic::key(), 60));
    let plain = |key: &String| (key.clone(), FieldTable::default());
    let passed = passed(
        ExchangeKind::Topic,
        &patterns.iter().map(plain).collect::<Vec<_>>(),
        &keys.iter().map(plain).collect::<Vec<_>>(),
    )
    .await;
    agree(&patterns, &keys, &passed, |pattern, key| {
        topic::passes(pattern, key)
    });
}

#[tokio::test]
async fn a_third_hash_is_refused_where_the_version_says_so() {
    let options = Options::from_env().expect("the choice of a broker");
    let broker = Broker::find_or_start(&options).await.expect("a broker");
    let lease = broker.lease().await.expect("a virtual host");
    let connection = Connection::connect(&lease.amqp_url(), ConnectionProperties::default())
        .await
        .expect("a connection");
    let channel = connection.create_channel().await.expect("a channel");
    let none = FieldTable::default;
    let queue = channel
        .queue_declare("".into(), QueueDeclareOptions::exclusive(), none())
        .await
        .expect("a queue");
    let hashes = ["#"; topic::HASHES + 1].join(".");
    let options = QueueBindOptions::default();
    let bound = channel
        .queue_bind(
            queue.name().clone(),
            "amq.topic".into(),
            hashes.as_str().into(),
            options,
            none(),
        )
        .await;
    match broker.version() {
        version if version.starts_with("3.10.") => bound.expect("any number is accepted"),
        version if version.starts_with("4.3.") => {
            let error = bound.expect_err("one too many").to_string();
            assert!(error.contains("at most 2 are allowed"), "{error}");
        }
        // Where the line is between these two is not known.
        _ => {}
    }
    drop((channel, connection));
    lease.release().await.expect("the virtual host goes");
}

/// A few names and values, so that they meet; and some that only seem to be the same.
fn some_headers() -> impl Strategy<Value = Headers> {
    let name = select(vec![
        "format", "Format", "pages", "lang", "x-lang", "x", "x-",
    ]);
    let value = prop_oneof![
        4 => select(vec!["pdf", "PDF", "3", "", "消息"])
            .prop_map(|text| Value::Text(text.to_owned())),
        3 => select(vec![3, 0, -1, 70_000]).prop_map(Value::Integer),
        1 => any::<i64>().prop_map(Value::Integer),
        1 => "\\PC{0,300}".prop_map(Value::Text),
    ];
    btree_map(name.prop_map(str::to_owned), value, 0..=4)
}

/// Headers as clients write them: an integer takes as many bytes as it needs, or more.
fn written(headers: &Headers, wide: bool) -> FieldTable {
    let mut table = headers::table(headers);
    for (name, value) in headers {
        if let Value::Integer(number) = value
            && let Ok(short) = i32::try_from(*number)
            && !wide
        {
            table.insert(name.as_str().into(), AMQPValue::LongInt(short));
        }
    }
    table
}

#[tokio::test]
async fn headers_routing_is_that_of_the_broker() {
    let binding = (any::<bool>(), some_headers()).prop_map(|(all, headers)| Binding {
        how: if all { Match::All } else { Match::Any },
        headers,
    });
    let bindings: Vec<(Binding, bool)> = some((binding, any::<bool>()), 60);
    let messages: Vec<(Headers, bool)> = some((some_headers(), any::<bool>()), 60);
    let binds: Vec<Bind> = bindings
        .iter()
        .map(|(binding, wide)| {
            let mut arguments = written(&binding.headers, *wide);
            // Without `x-match`, all are meant.
            if binding.how == Match::Any || *wide {
                let how = AMQPValue::LongString(binding.how.as_str().into());
                arguments.insert("x-match".into(), how);
            }
            (String::new(), arguments)
        })
        .collect();
    let addresses: Vec<Address> = messages
        .iter()
        .map(|(headers, wide)| ("any key".to_owned(), written(headers, *wide)))
        .collect();
    let passed = passed(ExchangeKind::Headers, &binds, &addresses).await;
    agree(
        &bindings,
        &messages,
        &passed,
        |(binding, _), (headers, _)| headers::passes(binding, headers),
    );
}
