//! Where scenes are played: programs behind taps of their own, and what they do in few words.

use std::{sync::Arc, time::SystemTime};

use amqp_tap::{Event, Login, Tap, TapOptions, Tape, What};
use futures_util::StreamExt as _;
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties, Consumer,
    message::Delivery,
    options::{BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, QueueDeclareOptions},
    types::FieldTable,
};
use workbook_broker::Lease;

use workbook_diagnosis::recording::{About, Line, RecordedProgram};

use super::DEADLINE;

/// A program of a scene: what is known of it, and its tape as JSON lines.
pub struct Recorded {
    pub about: About,
    pub jsonl: Vec<u8>,
}

impl Recorded {
    pub fn recording(&self) -> RecordedProgram {
        let tape = Tape::read_jsonl(self.jsonl.as_slice()).expect("a tape");
        RecordedProgram::new(self.about.clone(), &tape)
    }
}

pub(super) struct Stage<'a> {
    pub(super) lease: &'a Lease,
}

impl Stage<'_> {
    pub(super) async fn enters(&self, name: &'static str) -> Actor {
        self.enters_as(name, |_| {}).await
    }

    pub(super) async fn enters_as(
        &self,
        name: &'static str,
        change: impl FnOnce(&mut TapOptions),
    ) -> Actor {
        let mut options = TapOptions {
            login: Some(Login {
                user: self.lease.user().to_owned(),
                password: self.lease.password().to_owned(),
                vhost: self.lease.vhost().to_owned(),
            }),
            ..TapOptions::to(self.lease.amqp_address())
        };
        change(&mut options);
        Actor {
            name,
            tap: Tap::open(options).await.expect("a tap"),
            printed: Vec::new(),
        }
    }
}

/// A program, seen from outside: its tap, and what it says.
pub(super) struct Actor {
    name: &'static str,
    pub(super) tap: Tap,
    printed: Vec<Line>,
}

impl Actor {
    pub(super) fn url(&self) -> String {
        format!("amqp://guest:guest@{}/%2f", self.tap.endpoint())
    }

    pub(super) async fn connects(&self) -> Connection {
        connect(&self.url()).await
    }

    pub(super) async fn begins(&self) -> (Connection, Channel) {
        let connection = self.connects().await;
        let channel = connection.create_channel().await.expect("a channel");
        (connection, channel)
    }

    pub(super) fn says(&mut self, line: &str) {
        self.printed.push(Line {
            at_us: micros(self.tap.tape().began()),
            line: line.to_owned(),
        });
    }

    /// All of its connections have ended, and so has the program.
    pub(super) async fn exits(self, code: i32) -> Recorded {
        let ended = |events: &[Arc<Event>]| {
            let count = |what: fn(&What) -> bool| events.iter().filter(|it| what(&it.what)).count();
            let opened = count(|what| matches!(what, What::Connected));
            let ended = count(|what| matches!(what, What::Closed(_)));
            (opened > 0 && opened == ended).then_some(())
        };
        let tape = self.tap.tape().clone();
        tape.wait_until(DEADLINE, ended)
            .await
            .expect("its connections end");
        self.recorded(Some(code))
    }

    /// It has not ended.
    pub(super) fn waits(&self) -> Recorded {
        self.recorded(None)
    }

    pub(super) fn recorded(&self, code: Option<i32>) -> Recorded {
        let tape = self.tap.tape();
        let mut jsonl = Vec::new();
        tape.write_jsonl(&mut jsonl).expect("written");
        Recorded {
            about: About {
                argv: vec![self.name.to_owned()],
                printed: self.printed.clone(),
                ended: code,
                runs: code.is_none(),
                looked_us: micros(tape.began()),
                ..About::default()
            },
            jsonl,
        }
    }
}

fn micros(began: SystemTime) -> u64 {
    let since = SystemTime::now().duration_since(began).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

pub(super) async fn connect(url: &str) -> Connection {
    Connection::connect(url, ConnectionProperties::default())
        .await
        .expect("a connection")
}

pub(super) async fn closes(connection: &Connection) {
    let closed = connection.close(200, "done".into());
    closed.await.expect("it closes");
}

pub(super) async fn declares(channel: &Channel, queue: &str) {
    declares_as(channel, queue, QueueDeclareOptions::durable())
        .await
        .expect("a queue");
}

pub(super) async fn declares_as(
    channel: &Channel,
    queue: &str,
    options: QueueDeclareOptions,
) -> lapin::Result<()> {
    let declared = channel.queue_declare(queue.into(), options, FieldTable::default());
    declared.await.map(drop)
}

pub(super) async fn publishes_as(channel: &Channel, key: &str, options: BasicPublishOptions) {
    let persistent = BasicProperties::default().with_delivery_mode(2);
    let published = channel.basic_publish("".into(), key.into(), options, b"hi", persistent);
    drop(published.await.expect("published"));
}

pub(super) async fn publishes(channel: &Channel, key: &str) {
    publishes_as(channel, key, BasicPublishOptions::default()).await;
}

pub(super) async fn consumes_as(
    channel: &Channel,
    queue: &str,
    options: BasicConsumeOptions,
) -> lapin::Result<Consumer> {
    let none = FieldTable::default();
    channel
        .basic_consume(queue.into(), "".into(), options, none)
        .await
}

/// Sends itself a message, and gets it.
pub(super) async fn gets(channel: &Channel, no_ack: bool) -> (Consumer, Delivery) {
    declares(channel, "hello").await;
    publishes(channel, "hello").await;
    let options = BasicConsumeOptions {
        no_ack,
        ..BasicConsumeOptions::default()
    };
    let consumer = consumes_as(channel, "hello", options).await;
    let mut consumer = consumer.expect("a consumer");
    let delivery = consumer.next().await.expect("a delivery");
    (consumer, delivery.expect("a delivery"))
}

pub(super) async fn acks(channel: &Channel, tag: u64) {
    let acked = channel.basic_ack(tag, BasicAckOptions::default());
    acked.await.expect("an acknowledgement is never answered");
}

/// Asks something that the broker answers, so that the error comes now.
pub(super) async fn is_refused(channel: &Channel) {
    let options = QueueDeclareOptions {
        passive: true,
        ..QueueDeclareOptions::durable()
    };
    let answer = declares_as(channel, "hello", options).await;
    answer.expect_err("the broker has closed the channel");
}
