//! Tapes made by hand, for the tests of rules and pictures.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use amq_protocol::types::FieldTable;
use amqp_tap::{
    Content, Ending, Event, Fate, Method, Side, What,
    amq_protocol::protocol::{
        AMQPClass, BasicProperties, basic, channel, confirm, connection, exchange, queue,
    },
};

use super::{Finding, FindingId, Given, Printed, Seen, catalogue, findings_given};
use crate::Ended;

/// What a program does, one thing a millisecond.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    program: &'static str,
    argv: Vec<String>,
    reachable: bool,
    began: SystemTime,
    task_unit: Option<Duration>,
    now: Duration,
    events: Vec<Arc<Event>>,
    printed: Vec<Printed>,
    interrupted: Option<Duration>,
    ended: Option<Ended>,
    connection: u32,
    channel: u16,
    fate: Fate,
}

impl Script {
    /// A program that has done nothing yet, at the time 0.
    pub(crate) fn new(program: &'static str) -> Self {
        Self {
            program,
            argv: shell_words::split(program).expect("words"),
            reachable: true,
            began: SystemTime::UNIX_EPOCH,
            task_unit: None,
            now: Duration::ZERO,
            events: Vec::new(),
            printed: Vec::new(),
            interrupted: None,
            ended: None,
            connection: 0,
            channel: 1,
            fate: Fate::Passed,
        }
    }

    /// A program on its first connection and channel.
    pub(crate) fn connected(program: &'static str) -> Self {
        Self::new(program).connects().opens(1)
    }

    /// Begins at another time than the other programs.
    pub(crate) fn after(mut self, time: Duration) -> Self {
        self.began += time;
        self
    }

    pub(crate) fn without_broker(mut self) -> Self {
        self.reachable = false;
        self
    }

    /// It is a worker, and works so many milliseconds for each `.` in a task.
    pub(crate) fn works(mut self, millis: u64) -> Self {
        self.task_unit = Some(Duration::from_millis(millis));
        self
    }

    /// Lets time pass.
    pub(crate) fn passes(mut self, millis: u64) -> Self {
        self.now += Duration::from_millis(millis);
        self
    }

    /// What comes next does not reach the other side.
    pub(crate) fn vanishing(mut self) -> Self {
        self.fate = Fate::Vanished;
        self
    }

    pub(crate) fn event(mut self, from: Side, what: What) -> Self {
        self.now += Duration::from_millis(1);
        self.events.push(Arc::new(Event {
            number: self.events.len() as u64,
            at: self.now,
            connection: self.connection,
            from,
            fate: self.fate,
            offset: 0,
            what,
        }));
        self
    }

    /// The number of the newest event.
    pub(crate) fn last(&self) -> u64 {
        self.events.len() as u64 - 1
    }

    pub(crate) fn client(self, class: AMQPClass) -> Self {
        let method = What::Method(Method::new(self.channel, class));
        self.event(Side::Client, method)
    }

    pub(crate) fn broker(self, class: AMQPClass) -> Self {
        let method = What::Method(Method::new(self.channel, class));
        self.event(Side::Broker, method)
    }

    fn content(self, from: Side, body: &[u8], complete: bool) -> Self {
        self.content_with(from, body, complete, BasicProperties::default())
    }

    pub(crate) fn content_with(
        self,
        from: Side,
        body: &[u8],
        complete: bool,
        properties: BasicProperties,
    ) -> Self {
        let before = self.events[self.events.len() - 1].clone();
        let method = before.method().expect("a content follows a method");
        let mut content = Content::new(method, before.number, properties, body);
        content.complete = complete;
        self.event(from, What::Content(content.into()))
    }

    fn on(self, channel: u16, does: impl FnOnce(Self) -> Self) -> Self {
        let before = self.channel;
        let mut this = does(Self { channel, ..self });
        this.channel = before;
        this
    }

    /// Uses another channel from here on.
    pub(crate) fn at(mut self, channel: u16) -> Self {
        self.channel = channel;
        self
    }

    pub(crate) fn connects(mut self) -> Self {
        self.connection += 1;
        self.event(Side::Client, What::Connected)
            .event(Side::Client, What::Greeting([0, 0, 9, 1]))
            .on(0, |stage| {
                stage
                    .broker(AMQPClass::Connection(connection::AMQPMethod::Start(
                        connection::Start::default(),
                    )))
                    .client(AMQPClass::Connection(connection::AMQPMethod::StartOk(
                        connection::StartOk::default(),
                    )))
                    .broker(AMQPClass::Connection(connection::AMQPMethod::Tune(
                        connection::Tune::default(),
                    )))
                    .client(AMQPClass::Connection(connection::AMQPMethod::TuneOk(
                        connection::TuneOk {
                            heartbeat: 10,
                            ..connection::TuneOk::default()
                        },
                    )))
                    .client(AMQPClass::Connection(connection::AMQPMethod::Open(
                        connection::Open {
                            virtual_host: "/".into(),
                        },
                    )))
                    .broker(AMQPClass::Connection(connection::AMQPMethod::OpenOk(
                        connection::OpenOk::default(),
                    )))
            })
    }

    pub(crate) fn opens(self, channel: u16) -> Self {
        self.at(channel)
            .client(AMQPClass::Channel(channel::AMQPMethod::Open(
                channel::Open::default(),
            )))
            .broker(AMQPClass::Channel(channel::AMQPMethod::OpenOk(
                channel::OpenOk::default(),
            )))
    }

    /// Asks for a durable queue.
    pub(crate) fn asks_for(self, queue: &str) -> Self {
        self.client(AMQPClass::Queue(queue::AMQPMethod::Declare(
            queue::Declare {
                queue: queue.into(),
                durable: true,
                ..queue::Declare::default()
            },
        )))
    }

    /// Declares a queue that does not survive a restart.
    pub(crate) fn declares_transient(self, queue: &str) -> Self {
        self.client(AMQPClass::Queue(queue::AMQPMethod::Declare(
            queue::Declare {
                queue: queue.into(),
                ..queue::Declare::default()
            },
        )))
        .declared(queue)
    }

    pub(crate) fn declared(self, queue: &str) -> Self {
        self.broker(AMQPClass::Queue(queue::AMQPMethod::DeclareOk(
            queue::DeclareOk {
                queue: queue.into(),
                ..queue::DeclareOk::default()
            },
        )))
    }

    pub(crate) fn declares(self, queue: &str) -> Self {
        self.asks_for(queue).declared(queue)
    }

    /// A queue that belongs to its connection.
    pub(crate) fn declares_exclusive(self, queue: &str) -> Self {
        self.client(AMQPClass::Queue(queue::AMQPMethod::Declare(
            queue::Declare {
                queue: queue.into(),
                exclusive: true,
                ..queue::Declare::default()
            },
        )))
        .declared(queue)
    }

    /// A queue that anybody may use, and that goes with its last consumer.
    pub(crate) fn declares_auto_delete(self, queue: &str) -> Self {
        self.client(AMQPClass::Queue(queue::AMQPMethod::Declare(
            queue::Declare {
                queue: queue.into(),
                auto_delete: true,
                ..queue::Declare::default()
            },
        )))
        .declared(queue)
    }

    pub(crate) fn declares_exchange(self, exchange: &str) -> Self {
        self.client(AMQPClass::Exchange(exchange::AMQPMethod::Declare(
            exchange::Declare {
                exchange: exchange.into(),
                kind: "fanout".into(),
                ..exchange::Declare::default()
            },
        )))
        .broker(AMQPClass::Exchange(exchange::AMQPMethod::DeclareOk(
            exchange::DeclareOk {},
        )))
    }

    pub(crate) fn binds(self, queue: &str, exchange: &str) -> Self {
        self.binds_key(queue, exchange, "")
    }

    pub(crate) fn binds_headers(self, queue: &str, exchange: &str, arguments: FieldTable) -> Self {
        self.client(AMQPClass::Queue(queue::AMQPMethod::Bind(queue::Bind {
            queue: queue.into(),
            exchange: exchange.into(),
            arguments,
            ..queue::Bind::default()
        })))
        .broker(AMQPClass::Queue(queue::AMQPMethod::BindOk(
            queue::BindOk {},
        )))
    }

    pub(crate) fn publishes_headers(self, exchange: &str, headers: FieldTable) -> Self {
        let properties = BasicProperties::default().with_headers(headers);
        self.announces(exchange, "", false)
            .content_with(Side::Client, b"body", true, properties)
    }

    pub(crate) fn binds_key(self, queue: &str, exchange: &str, key: &str) -> Self {
        self.client(AMQPClass::Queue(queue::AMQPMethod::Bind(queue::Bind {
            queue: queue.into(),
            exchange: exchange.into(),
            routing_key: key.into(),
            ..queue::Bind::default()
        })))
        .broker(AMQPClass::Queue(queue::AMQPMethod::BindOk(
            queue::BindOk {},
        )))
    }

    pub(crate) fn purges(self, queue: &str, messages: u32) -> Self {
        self.client(AMQPClass::Queue(queue::AMQPMethod::Purge(queue::Purge {
            queue: queue.into(),
            nowait: false,
        })))
        .broker(AMQPClass::Queue(queue::AMQPMethod::PurgeOk(
            queue::PurgeOk {
                message_count: messages,
            },
        )))
    }

    pub(crate) fn announces(self, exchange: &str, key: &str, mandatory: bool) -> Self {
        self.client(AMQPClass::Basic(basic::AMQPMethod::Publish(
            basic::Publish {
                exchange: exchange.into(),
                routing_key: key.into(),
                mandatory,
                immediate: false,
            },
        )))
    }

    pub(crate) fn publishes(self, exchange: &str, key: &str, body: &[u8]) -> Self {
        self.announces(exchange, key, false)
            .content(Side::Client, body, true)
    }

    pub(crate) fn publishes_persistent(self, key: &str, body: &[u8]) -> Self {
        let persistent = BasicProperties::default().with_delivery_mode(2);
        self.announces("", key, false)
            .content_with(Side::Client, body, true, persistent)
    }

    pub(crate) fn publishes_mandatory(self, key: &str, body: &[u8]) -> Self {
        self.announces("", key, true)
            .content(Side::Client, body, true)
    }

    pub(crate) fn publishes_half(self, key: &str, body: &[u8]) -> Self {
        self.announces("", key, false)
            .content(Side::Client, body, false)
    }

    pub(crate) fn returned(self, key: &str, body: &[u8]) -> Self {
        self.broker(AMQPClass::Basic(basic::AMQPMethod::Return(basic::Return {
            reply_code: 312,
            reply_text: "NO_ROUTE".into(),
            exchange: "".into(),
            routing_key: key.into(),
        })))
        .content(Side::Broker, body, true)
    }

    pub(crate) fn wants_confirms(self) -> Self {
        self.client(AMQPClass::Confirm(confirm::AMQPMethod::Select(
            confirm::Select { nowait: false },
        )))
        .broker(AMQPClass::Confirm(confirm::AMQPMethod::SelectOk(
            confirm::SelectOk {},
        )))
    }

    pub(crate) fn confirmed(self, tag: u64, multiple: bool) -> Self {
        self.broker(ack(tag, multiple))
    }

    pub(crate) fn prefetches(self, count: u16, global: bool) -> Self {
        self.client(AMQPClass::Basic(basic::AMQPMethod::Qos(basic::Qos {
            prefetch_count: count,
            global,
        })))
        .broker(AMQPClass::Basic(basic::AMQPMethod::QosOk(basic::QosOk {})))
    }

    pub(crate) fn consumes(self, queue: &str, automatic: bool) -> Self {
        self.client(AMQPClass::Basic(basic::AMQPMethod::Consume(
            basic::Consume {
                queue: queue.into(),
                no_ack: automatic,
                ..basic::Consume::default()
            },
        )))
        .broker(AMQPClass::Basic(basic::AMQPMethod::ConsumeOk(
            basic::ConsumeOk {
                consumer_tag: "tag".into(),
            },
        )))
    }

    fn delivered_as(self, tag: u64, redelivered: bool) -> Self {
        self.broker(AMQPClass::Basic(basic::AMQPMethod::Deliver(
            basic::Deliver {
                consumer_tag: "tag".into(),
                delivery_tag: tag,
                redelivered,
                exchange: "".into(),
                routing_key: "hello".into(),
            },
        )))
    }

    pub(crate) fn delivered(self, tag: u64, body: &[u8]) -> Self {
        self.delivered_as(tag, false)
            .content(Side::Broker, body, true)
    }

    pub(crate) fn redelivered(self, tag: u64, body: &[u8]) -> Self {
        self.delivered_as(tag, true)
            .content(Side::Broker, body, true)
    }

    /// A request that names where the answer goes; its correlation id is its tag.
    pub(crate) fn requested(self, tag: u64, body: &[u8], reply_to: &str) -> Self {
        let properties = BasicProperties::default()
            .with_correlation_id(tag.to_string().into())
            .with_reply_to(reply_to.into());
        self.delivered_as(tag, false)
            .content_with(Side::Broker, body, true, properties)
    }

    /// Publishes a request, to `rpc_queue`.
    pub(crate) fn asks(self, body: &[u8], id: &str, reply_to: &str) -> Self {
        let mut properties = BasicProperties::default().with_reply_to(reply_to.into());
        if !id.is_empty() {
            properties = properties.with_correlation_id(id.into());
        }
        self.announces("", "rpc_queue", false)
            .content_with(Side::Client, body, true, properties)
    }

    /// Publishes a reply.
    pub(crate) fn replies(self, exchange: &str, key: &str, body: &[u8], id: &str) -> Self {
        let properties = BasicProperties::default().with_correlation_id(id.into());
        self.announces(exchange, key, false)
            .content_with(Side::Client, body, true, properties)
    }

    /// Gets a reply.
    pub(crate) fn replied(self, tag: u64, body: &[u8], id: &str) -> Self {
        let properties = BasicProperties::default().with_correlation_id(id.into());
        self.delivered_as(tag, false)
            .content_with(Side::Broker, body, true, properties)
    }

    pub(crate) fn gets_nothing(self, queue: &str) -> Self {
        self.client(AMQPClass::Basic(basic::AMQPMethod::Get(basic::Get {
            queue: queue.into(),
            no_ack: true,
        })))
        .broker(AMQPClass::Basic(basic::AMQPMethod::GetEmpty(
            basic::GetEmpty {},
        )))
    }

    pub(crate) fn acks(self, tag: u64) -> Self {
        self.client(ack(tag, false))
    }

    pub(crate) fn acks_up_to(self, tag: u64) -> Self {
        self.client(ack(tag, true))
    }

    pub(crate) fn requeues(self, tag: u64) -> Self {
        self.client(AMQPClass::Basic(basic::AMQPMethod::Nack(basic::Nack {
            delivery_tag: tag,
            multiple: false,
            requeue: true,
        })))
    }

    /// The broker closes the channel because of an error.
    pub(crate) fn refused(self, code: u16, text: &str, ids: (u16, u16)) -> Self {
        self.broker(AMQPClass::Channel(channel::AMQPMethod::Close(
            channel::Close {
                reply_code: code,
                reply_text: text.into(),
                class_id: ids.0,
                method_id: ids.1,
            },
        )))
        .client(AMQPClass::Channel(channel::AMQPMethod::CloseOk(
            channel::CloseOk {},
        )))
    }

    /// The broker closes the connection because of an error.
    pub(crate) fn thrown_out(self, code: u16, text: &str, ids: (u16, u16)) -> Self {
        self.on(0, |stage| {
            stage.broker(AMQPClass::Connection(connection::AMQPMethod::Close(
                connection::Close {
                    reply_code: code,
                    reply_text: text.into(),
                    class_id: ids.0,
                    method_id: ids.1,
                },
            )))
        })
        .ends(Side::Broker, Ending::ClosedByBroker)
    }

    pub(crate) fn blocked(self, reason: &str) -> Self {
        self.on(0, |stage| {
            stage.broker(AMQPClass::Connection(connection::AMQPMethod::Blocked(
                connection::Blocked {
                    reason: reason.into(),
                },
            )))
        })
    }

    pub(crate) fn unblocked(self) -> Self {
        self.on(0, |stage| {
            stage.broker(AMQPClass::Connection(connection::AMQPMethod::Unblocked(
                connection::Unblocked {},
            )))
        })
    }

    /// Closes the connection, as it should.
    pub(crate) fn closes(self) -> Self {
        self.on(0, |stage| {
            stage
                .client(AMQPClass::Connection(connection::AMQPMethod::Close(
                    connection::Close {
                        reply_code: 200,
                        ..connection::Close::default()
                    },
                )))
                .broker(AMQPClass::Connection(connection::AMQPMethod::CloseOk(
                    connection::CloseOk {},
                )))
        })
        .ends(Side::Client, Ending::Closed)
    }

    /// The socket is closed, and nothing was said before.
    pub(crate) fn drops(self) -> Self {
        self.ends(Side::Client, Ending::DroppedByClient)
    }

    pub(crate) fn ends(mut self, side: Side, ending: Ending) -> Self {
        // What happens to a connection is no frame, so it does not vanish.
        self.fate = Fate::Passed;
        self.event(side, What::Closed(ending))
    }

    pub(crate) fn fault(mut self, did: &str) -> Self {
        self.fate = Fate::Passed;
        self.event(
            Side::Broker,
            What::Fault {
                fault: 1,
                did: did.to_owned(),
                trigger: None,
            },
        )
    }

    pub(crate) fn prints(mut self, line: &str) -> Self {
        self.now += Duration::from_millis(1);
        self.printed.push(Printed {
            at: self.now,
            line: line.to_owned(),
        });
        self
    }

    pub(crate) fn interrupted(mut self) -> Self {
        self.interrupted = Some(self.now);
        self
    }

    pub(crate) fn exits(mut self, code: i32) -> Self {
        self.ended = Some(Ended::Code(code));
        self
    }

    pub(crate) fn dies(mut self, signal: i32) -> Self {
        self.ended = Some(Ended::Signal(signal));
        self
    }

    pub(crate) fn seen(&self) -> Seen<'_> {
        Seen {
            program: self.program,
            argv: &self.argv,
            reachable: self.reachable,
            began: self.began,
            task_unit: self.task_unit,
            events: &self.events,
            printed: &self.printed,
            interrupted: self.interrupted,
            ended: self.ended,
            looked: self.now,
        }
    }
}

fn ack(tag: u64, multiple: bool) -> AMQPClass {
    AMQPClass::Basic(basic::AMQPMethod::Ack(basic::Ack {
        delivery_tag: tag,
        multiple,
    }))
}

/// What is found in these programs, each without what may follow from it.
pub(crate) fn found(stages: &[&Script], given: &Given) -> Vec<Finding> {
    let seen: Vec<Seen<'_>> = stages.iter().map(|stage| stage.seen()).collect();
    let found = findings_given(&seen, given);
    for finding in &found {
        assert_eq!(catalogue::complaints(finding), Vec::<String>::new());
    }
    found
}

/// The names of what is found in these programs, with nothing known beside them.
pub(crate) fn ids(stages: &[&Script]) -> Vec<FindingId> {
    ids_given(stages, &Given::default())
}

/// The names of what is found in these programs.
pub(crate) fn ids_given(stages: &[&Script], given: &Given) -> Vec<FindingId> {
    let found = found(stages, given);
    found.iter().map(|finding| finding.id).collect()
}

/// The only finding in these programs.
pub(crate) fn only(stages: &[&Script]) -> Finding {
    let found = found(stages, &Given::default());
    assert_eq!(found.len(), 1, "{found:#?}");
    found.into_iter().next().expect("there is one")
}
