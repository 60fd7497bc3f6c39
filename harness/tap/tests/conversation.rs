//! Programs that mean the same have equal conversations, whatever library they use; others do not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed step fails the test"
)]

mod support;

use amqp_tap::{
    Content, Conversation, Method, Side, Tap, TapOptions, Tape, What,
    amq_protocol::{
        protocol::{AMQPClass, BasicProperties, basic, queue},
        types::ShortString,
    },
    ended,
};
use futures_util::StreamExt;
use lapin::{
    Channel, Connection, ConnectionProperties, ExchangeKind,
    options::{
        BasicAckOptions, BasicConsumeOptions, BasicNackOptions, BasicPublishOptions,
        BasicQosOptions, ConfirmSelectOptions, ExchangeDeclareOptions, ExchangeDeleteOptions,
        QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
    },
    types::{AMQPValue, FieldTable},
};
use std::{net::SocketAddr, path::Path};
use support::{DEADLINE, real_broker, soon};

fn recorded(name: &str) -> Conversation {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/tapes")
        .join(name);
    let file = std::fs::File::open(path).unwrap();
    Conversation::of(&Tape::read_jsonl(std::io::BufReader::new(file)).unwrap())
}

/// Runs a lapin program through a tap, and answers what it said.
async fn told(
    address: SocketAddr,
    program: impl AsyncFnOnce(&Connection, &Channel) -> Vec<Channel>,
) -> Conversation {
    let tap = Tap::open(TapOptions::to(address)).await.unwrap();
    let url = format!("amqp://{}/%2f", tap.endpoint());
    let connection = soon(Connection::connect(&url, ConnectionProperties::default()))
        .await
        .unwrap();
    let channel = connection.create_channel().await.unwrap();
    // A channel that is dropped is closed, which must not meet the connection's own close.
    let channels = soon(program(&connection, &channel)).await;
    soon(connection.close(200, "done".into())).await.unwrap();
    drop(channels);
    tap.tape().wait_for_frame(DEADLINE, &ended()).await.unwrap();
    Conversation::of(&soon(tap.close()).await)
}

async fn send(channel: &Channel, exchange: &str, key: &str, body: &[u8]) {
    channel
        .basic_publish(
            exchange.into(),
            key.into(),
            BasicPublishOptions::default(),
            body,
            lapin::BasicProperties::default(),
        )
        .await
        .unwrap()
        .await
        .unwrap();
}

/// Deletes the queue `hello`, outside of what is told.
async fn clear(address: SocketAddr) {
    told(address, async |_, channel| {
        channel
            .queue_delete("hello".into(), QueueDeleteOptions::default())
            .await
            .unwrap();
        Vec::new()
    })
    .await;
}

#[test]
fn pika_and_amqprs_mean_the_same() {
    assert_eq!(recorded("pika-send.jsonl"), recorded("amqprs-send.jsonl"));
    assert_eq!(
        recorded("pika-receive.jsonl"),
        recorded("amqprs-receive.jsonl")
    );
    insta::assert_yaml_snapshot!("chapter_1_send", recorded("pika-send.jsonl"));
    insta::assert_yaml_snapshot!("chapter_1_receive", recorded("pika-receive.jsonl"));
}

#[tokio::test]
async fn lapin_means_the_same_as_pika() {
    let Some(address) = real_broker("lapin_means_the_same_as_pika") else {
        return;
    };
    clear(address).await;
    let declare = async |channel: &Channel| {
        channel
            .queue_declare(
                "hello".into(),
                QueueDeclareOptions::durable(),
                FieldTable::default(),
            )
            .await
            .unwrap();
    };
    let sent = told(address, async |connection, channel| {
        // A channel that is not used, and a declaration twice: both mean nothing.
        let unused = connection.create_channel().await.unwrap();
        declare(channel).await;
        declare(channel).await;
        send(channel, "", "hello", b"Hello World!").await;
        vec![unused]
    })
    .await;
    assert_eq!(sent, recorded("pika-send.jsonl"));
    let received = told(address, async |_, channel| {
        declare(channel).await;
        let mut consumer = channel
            .basic_consume(
                "hello".into(),
                "a-tag-of-my-own".into(),
                BasicConsumeOptions {
                    no_ack: true,
                    ..BasicConsumeOptions::default()
                },
                FieldTable::default(),
            )
            .await
            .unwrap();
        soon(consumer.next()).await.unwrap().unwrap();
        Vec::new()
    })
    .await;
    assert_eq!(received, recorded("pika-receive.jsonl"));
    clear(address).await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "it is one story")]
async fn settlements_confirms_returns_and_names_are_told() {
    let Some(address) = real_broker("settlements_confirms_returns_and_names_are_told") else {
        return;
    };
    let said = told(address, async |connection, channel| {
        let exchange = "amqp-tap.conversation";
        channel
            .exchange_declare(
                exchange.into(),
                ExchangeKind::Topic,
                ExchangeDeclareOptions {
                    auto_delete: true,
                    ..ExchangeDeclareOptions::default()
                },
                FieldTable::default(),
            )
            .await
            .unwrap();
        let mut arguments = FieldTable::default();
        arguments.insert("x-max-length".into(), AMQPValue::LongInt(10));
        let queue = channel
            .queue_declare("".into(), QueueDeclareOptions::exclusive(), arguments)
            .await
            .unwrap();
        let queue = queue.name().as_str();
        channel
            .queue_bind(
                queue.into(),
                exchange.into(),
                "a.*".into(),
                QueueBindOptions::default(),
                FieldTable::default(),
            )
            .await
            .unwrap();
        let publisher = connection.create_channel().await.unwrap();
        publisher
            .confirm_select(ConfirmSelectOptions::default())
            .await
            .unwrap();
        for (number, mandatory) in [(1, false), (2, false), (3, false), (4, true)] {
            let key = if mandatory { "nowhere" } else { "a.b" };
            publisher
                .basic_publish(
                    exchange.into(),
                    key.into(),
                    BasicPublishOptions {
                        mandatory,
                        ..BasicPublishOptions::default()
                    },
                    format!("message {number}").as_bytes(),
                    lapin::BasicProperties::default()
                        .with_delivery_mode(2)
                        .with_content_type("text/plain".into())
                        .with_correlation_id(format!("id-{}", number % 2).as_str().into())
                        .with_reply_to(queue.into()),
                )
                .await
                .unwrap()
                .await
                .unwrap();
        }
        channel
            .basic_qos(5, BasicQosOptions::default())
            .await
            .unwrap();
        let mut consumer = channel
            .basic_consume(
                queue.into(),
                "".into(),
                BasicConsumeOptions::default(),
                FieldTable::default(),
            )
            .await
            .unwrap();
        let mut tags = Vec::new();
        for _ in 0..3 {
            tags.push(soon(consumer.next()).await.unwrap().unwrap().delivery_tag);
        }
        channel
            .basic_ack(tags[0], BasicAckOptions::default())
            .await
            .unwrap();
        channel
            .basic_nack(
                tags[1],
                BasicNackOptions {
                    requeue: false,
                    ..BasicNackOptions::default()
                },
            )
            .await
            .unwrap();
        // The declaration is not the one that there is: the broker closes this channel.
        let refused = connection.create_channel().await.unwrap();
        refused
            .exchange_declare(
                exchange.into(),
                ExchangeKind::Fanout,
                ExchangeDeclareOptions::default(),
                FieldTable::default(),
            )
            .await
            .unwrap_err();
        channel
            .exchange_delete(exchange.into(), ExchangeDeleteOptions::default())
            .await
            .unwrap();
        vec![publisher, refused]
    })
    .await;
    insta::assert_yaml_snapshot!("everything", said);
}

/// A tape made by hand, of one channel.
#[derive(Default)]
struct Hand(Tape);

impl Hand {
    fn says(&self, side: Side, class: AMQPClass) -> (Method, u64) {
        let method = Method::new(1, class);
        let number = self.0.record(1, side, What::Method(method.clone()));
        (method, number)
    }

    fn declares(&self, generated: &str, max_length: i32) {
        let mut declare = queue::Declare {
            exclusive: true,
            ..queue::Declare::default()
        };
        declare
            .arguments
            .insert("x-max-length".into(), AMQPValue::LongInt(max_length));
        self.says(
            Side::Client,
            AMQPClass::Queue(queue::AMQPMethod::Declare(declare)),
        );
        self.says(
            Side::Broker,
            AMQPClass::Queue(queue::AMQPMethod::DeclareOk(queue::DeclareOk {
                queue: generated.into(),
                ..queue::DeclareOk::default()
            })),
        );
    }

    fn publishes(&self, key: &str, correlation_id: &str) {
        let (method, number) = self.says(
            Side::Client,
            AMQPClass::Basic(basic::AMQPMethod::Publish(basic::Publish {
                routing_key: key.into(),
                ..basic::Publish::default()
            })),
        );
        let properties =
            BasicProperties::default().with_correlation_id(ShortString::from(correlation_id));
        let content = Content::new(&method, number, properties, b"body");
        self.0
            .record(1, Side::Client, What::Content(Box::new(content)));
    }
}

#[test]
fn the_order_of_independent_declarations_and_the_generated_names_mean_nothing() {
    let one = Hand::default();
    one.declares("amq.gen-aaa", 1);
    one.declares("amq.gen-bbb", 2);
    one.publishes("amq.gen-bbb", "7c2a");
    one.publishes("amq.gen-aaa", "7c2a");
    let other = Hand::default();
    other.declares("amq.gen-ccc", 2);
    other.declares("amq.gen-ddd", 1);
    other.publishes("amq.gen-ccc", "first");
    other.publishes("amq.gen-ddd", "first");
    assert_eq!(Conversation::of(&one.0), Conversation::of(&other.0));
    // Another correlation id, or another queue, is something else.
    let third = Hand::default();
    third.declares("amq.gen-ccc", 2);
    third.declares("amq.gen-ddd", 1);
    third.publishes("amq.gen-ccc", "first");
    third.publishes("amq.gen-ddd", "second");
    assert_ne!(Conversation::of(&one.0), Conversation::of(&third.0));
    let fourth = Hand::default();
    fourth.declares("amq.gen-ccc", 2);
    fourth.declares("amq.gen-ddd", 1);
    fourth.publishes("amq.gen-ddd", "first");
    fourth.publishes("amq.gen-ccc", "first");
    assert_ne!(Conversation::of(&one.0), Conversation::of(&fourth.0));
}

#[test]
fn addresses_that_were_generated_elsewhere_are_put_in_normal_form() {
    let reply = |address: &str| {
        let server = Hand::default();
        server.publishes(address, "7c2a");
        Conversation::of(&server.0)
    };
    let direct = reply("amq.rabbitmq.reply-to.g1h2AA5yZXBseQ==.C3C21ngf==");
    assert_eq!(direct.publishers[0].publishes[0].key, "<reply-to 1>");
    // A server cannot tell it from the queue of another program, and need not.
    assert_eq!(direct, reply("amq.gen-JzTY20BRgKO-HjmUJj0wLg"));
    assert_ne!(direct, reply("replies"));
}
