//! Reading a tape into a story.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    mem,
    sync::Arc,
};

use amq_protocol::{
    protocol::{AMQPClass, basic, channel, confirm, connection, exchange, queue, tx},
    types::{FieldTable, ShortString},
};
use serde_json::Value;

use super::{
    Bind, Connection, Consumer, Declare, Lane, Mark, Mode, Prefetch, Publish, Removal, Settle,
    Settled, Step, Story, Tuning,
};
use crate::{
    event::{Event, Fate, Side, What},
    message::{Content, Method},
};

pub(super) fn read(events: &[Arc<Event>]) -> Story {
    let mut reader = Reader::default();
    for event in events {
        match event.fate {
            Fate::Vanished => reader.vanished(event),
            _ => reader.event(event),
        }
    }
    reader.story
}

#[derive(Default)]
pub(super) struct Reader {
    pub(super) story: Story,
    openings: HashMap<(u32, u16), u32>,
    pub(super) channels: HashMap<Lane, Channel>,
}

/// What must be remembered of a channel.
#[derive(Default)]
pub(super) struct Channel {
    /// Requests without an answer yet.
    pub(super) asked: VecDeque<Asked>,
    pub(super) prefetch: u16,
    pub(super) shared_prefetch: u16,
    pub(super) last_queue: String,
    /// The number of the next message that the broker confirms; 0 outside of confirm mode.
    pub(super) next_confirm: u64,
    pub(super) unconfirmed: BTreeMap<u64, usize>,
    /// Publishes by the number that the broker confirms them by.
    pub(super) numbered: Vec<usize>,
    /// How many of these are decided for certain, from the first on.
    pub(super) decided: usize,
    /// Bindings that asked for no answer, and nothing was answered since.
    pub(super) silent_binds: Vec<usize>,
    /// Publishes of which no answer proves yet that they are routed.
    pub(super) unrouted: Vec<usize>,
    /// Deliveries that may still be settled.
    pub(super) open: BTreeMap<u64, usize>,
    pub(super) consumers: HashMap<String, usize>,
    /// The publish whose content is still to come.
    pub(super) publishing: Option<usize>,
    /// The consumer, or the queue and mode of the get, whose content is still to come.
    pub(super) delivering: Option<usize>,
    /// What the client sent last, by method: for the errors that answer it.
    pub(super) sent: HashMap<&'static str, Mark>,
}

/// A request on its way.
pub(super) struct Asked {
    pub(super) method: &'static str,
    pub(super) mark: Mark,
    /// How many of the channel's publishes came before it.
    pub(super) unrouted: usize,
    pub(super) what: Detail,
}

pub(super) enum Detail {
    None,
    Declare(usize),
    /// A binding, and the queue that its answer proves to exist.
    Bind(usize, Option<String>),
    Consume(usize),
    Get(String, bool),
    Empty(String),
}

impl Reader {
    /// What never reached the other side. Only that a confirm was on its way matters of it.
    fn vanished(&mut self, event: &Event) {
        if event.from == Side::Broker
            && let Some(method) = event.method()
        {
            let lane = self.lane(event.connection, method.channel());
            match method.class() {
                AMQPClass::Basic(basic::AMQPMethod::Ack(ack)) => {
                    self.decide(lane, ack.delivery_tag, ack.multiple);
                }
                AMQPClass::Basic(basic::AMQPMethod::Nack(nack)) => {
                    self.decide(lane, nack.delivery_tag, nack.multiple);
                }
                _ => {}
            }
        }
    }

    /// The broker has said what becomes of these messages.
    pub(super) fn decide(&mut self, lane: Lane, tag: u64, multiple: bool) {
        let channel = self.channels.entry(lane).or_default();
        let all = channel.numbered.len();
        let tag = usize::try_from(tag).unwrap_or(usize::MAX);
        let decided = match (multiple, tag) {
            (true, 0) => channel.decided..all,
            (true, tag) => channel.decided..tag.min(all),
            (false, tag) => tag.saturating_sub(1)..tag.min(all),
        };
        if multiple {
            channel.decided = channel.decided.max(decided.end);
        }
        for index in channel.numbered.get(decided).unwrap_or_default() {
            self.story.publishes[*index].decided = true;
        }
    }

    fn event(&mut self, event: &Event) {
        let mark = Mark {
            event: event.number,
            at: event.at,
        };
        match &event.what {
            What::Connected => self.story.connections.push(Connection {
                number: event.connection,
                connected: mark,
                opened: None,
                heartbeat: 0,
                version: None,
                proposed: None,
                chosen: None,
                closing: None,
                ended: None,
                gone: None,
                unread: false,
                heard: None,
                last_word: None,
                last_method: None,
                bent: false,
                blocked: Vec::new(),
            }),
            What::HalfClosed | What::Reset { .. } => {
                let refused = self.closed_by_broker(event.connection);
                if let Some(connection) = self.connection(event.connection)
                    && connection.closing.is_none()
                    && connection.gone.is_none()
                    && !refused
                {
                    connection.gone = Some((event.from, mark));
                    connection.unread = matches!(event.what, What::Reset { .. });
                }
            }
            What::Closed(ending) => {
                if let Some(connection) = self.connection(event.connection) {
                    connection.ended = Some((*ending, mark));
                }
            }
            What::Fault { .. } => {
                self.story.faults.push(mark);
                if let Some(connection) = self.connection(event.connection) {
                    connection.bent = true;
                }
            }
            What::Unreadable(flaw) if event.from == Side::Client => {
                self.story.flaws.push((mark, flaw.clone()));
            }
            What::Limit { limit, allowed } => {
                self.story.limits.push((mark, limit.clone(), *allowed));
            }
            What::Method(method) => self.method(event, mark, method),
            What::Content(content) => self.content(event, mark, content),
            _ => {}
        }
        if matches!(
            event.what,
            What::Greeting(_) | What::Method(_) | What::Content(_) | What::Heartbeat { .. }
        ) && let Some(connection) = self.connection(event.connection)
        {
            match event.from {
                Side::Client => {
                    connection.last_word = Some(mark);
                    connection.last_method = event.method().map(Method::name);
                }
                Side::Broker if connection.gone.is_none() => connection.heard = Some(mark),
                Side::Broker => {}
            }
        }
    }

    /// The broker has sent `connection.close`.
    fn closed_by_broker(&self, connection: u32) -> bool {
        let mut refusals = self.story.refusals.iter();
        refusals.any(|it| it.lane.connection == connection && it.lane.channel == 0)
    }

    pub(super) fn connection(&mut self, number: u32) -> Option<&mut Connection> {
        self.story
            .connections
            .iter_mut()
            .rev()
            .find(|connection| connection.number == number)
    }

    fn lane(&self, connection: u32, channel: u16) -> Lane {
        let opening = self.openings.get(&(connection, channel));
        Lane {
            connection,
            channel,
            opening: opening.copied().unwrap_or_default(),
        }
    }

    fn method(&mut self, event: &Event, mark: Mark, method: &Method) {
        let client = event.from == Side::Client;
        if client && method.name() == "channel.open" {
            *self
                .openings
                .entry((event.connection, method.channel()))
                .or_default() += 1;
        }
        let lane = self.lane(event.connection, method.channel());
        if client {
            self.asked(lane, mark, method);
        } else {
            self.answered(lane, mark, method);
        }
    }

    pub(super) fn channel(&mut self, lane: Lane) -> &mut Channel {
        self.channels.entry(lane).or_default()
    }

    /// The queue that an empty name stands for is the last that the channel declared.
    fn named(&mut self, lane: Lane, queue: &str) -> String {
        match queue {
            "" => self.channel(lane).last_queue.clone(),
            name => name.to_owned(),
        }
    }

    fn asked(&mut self, lane: Lane, mark: Mark, method: &Method) {
        self.channel(lane).sent.insert(method.name(), mark);
        let detail = match method.class() {
            AMQPClass::Connection(class) => self.connection_asked(lane, mark, class),
            AMQPClass::Channel(channel::AMQPMethod::Close(_)) => Some(self.abandon(lane, mark)),
            AMQPClass::Queue(class) => Some(self.queue_asked(lane, mark, class)),
            AMQPClass::Exchange(class) => Some(self.exchange_asked(mark, class)),
            AMQPClass::Basic(class) => self.basic_asked(lane, mark, method.name(), class),
            AMQPClass::Confirm(confirm::AMQPMethod::Select(_)) => {
                let channel = self.channel(lane);
                channel.next_confirm = channel.next_confirm.max(1);
                self.mode(lane, mark, Step::Confirms);
                Some(Detail::None)
            }
            AMQPClass::Tx(class) => {
                if let tx::AMQPMethod::Select(_) = class {
                    self.mode(lane, mark, Step::Transactions);
                }
                Some(Detail::None)
            }
            AMQPClass::Channel(channel::AMQPMethod::Open(_)) => Some(Detail::None),
            _ => None,
        };
        let waits = method.argument("no-wait") != Some(Value::Bool(true));
        if let (false, Some(Detail::Bind(index, _))) = (waits, &detail) {
            self.channel(lane).silent_binds.push(*index);
        }
        if let Some(what) = detail.filter(|_| waits) {
            let channel = self.channel(lane);
            let unrouted = channel.unrouted.len();
            channel.asked.push_back(Asked {
                method: method.name(),
                mark,
                unrouted,
                what,
            });
        }
    }

    fn connection_asked(
        &mut self,
        lane: Lane,
        mark: Mark,
        class: &connection::AMQPMethod,
    ) -> Option<Detail> {
        match class {
            connection::AMQPMethod::TuneOk(tune) => {
                let connection = self.connection(lane.connection)?;
                connection.heartbeat = tune.heartbeat;
                let chosen = Tuning {
                    channel_max: tune.channel_max,
                    frame_max: tune.frame_max,
                };
                connection.chosen = Some((mark, chosen));
                None
            }
            connection::AMQPMethod::Close(_) => {
                self.connection(lane.connection)?.closing = Some(mark);
                let lanes: Vec<Lane> = self.channels.keys().copied().collect();
                for other in lanes {
                    if other.connection == lane.connection {
                        self.abandon(other, mark);
                    }
                }
                None
            }
            _ => None,
        }
    }

    /// The program closes the channel: what is not confirmed yet, it did not wait for.
    fn abandon(&mut self, lane: Lane, mark: Mark) -> Detail {
        let unconfirmed: Vec<usize> = self.channel(lane).unconfirmed.values().copied().collect();
        for index in unconfirmed {
            self.story.publishes[index].abandoned.get_or_insert(mark);
        }
        Detail::None
    }

    fn queue_asked(&mut self, lane: Lane, mark: Mark, class: &queue::AMQPMethod) -> Detail {
        match class {
            queue::AMQPMethod::Declare(declare) => {
                let name = declare.queue.to_string();
                self.channel(lane).last_queue.clone_from(&name);
                let index = self.declare(mark, true, &name, declare.passive);
                self.story.declares[index].durable = declare.durable;
                self.story.declares[index].shared = !declare.exclusive && !declare.auto_delete;
                self.story.declares[index].exclusive = declare.exclusive;
                if declare.nowait {
                    self.story.declares[index].answered = Some(mark);
                }
                Detail::Declare(index)
            }
            queue::AMQPMethod::Bind(bind) => {
                let queue = self.named(lane, bind.queue.as_str());
                self.story.binds.push(Bind {
                    asked: mark,
                    exchange: bind.exchange.to_string(),
                    destination: queue.clone(),
                    to_queue: true,
                    key: bind.routing_key.to_string(),
                    arguments: bind.arguments.clone(),
                    answered: None,
                });
                Detail::Bind(self.story.binds.len() - 1, Some(queue))
            }
            queue::AMQPMethod::Unbind(unbind) => {
                let queue = self.named(lane, unbind.queue.as_str());
                self.removal(mark, "queue.unbind", queue);
                Detail::None
            }
            queue::AMQPMethod::Purge(purge) => {
                let queue = self.named(lane, purge.queue.as_str());
                self.removal(mark, "queue.purge", queue.clone());
                Detail::Empty(queue)
            }
            queue::AMQPMethod::Delete(delete) => {
                let queue = self.named(lane, delete.queue.as_str());
                self.removal(mark, "queue.delete", queue.clone());
                Detail::Empty(queue)
            }
            _ => Detail::None,
        }
    }

    fn removal(&mut self, asked: Mark, method: &'static str, name: String) {
        self.story.removals.push(Removal {
            asked,
            method,
            name,
        });
    }

    pub(super) fn mode(&mut self, lane: Lane, mark: Mark, step: Step) {
        self.story.modes.push(Mode { lane, mark, step });
    }

    fn exchange_asked(&mut self, mark: Mark, class: &exchange::AMQPMethod) -> Detail {
        match class {
            exchange::AMQPMethod::Unbind(unbind) => {
                self.removal(mark, "exchange.unbind", unbind.destination.to_string());
                Detail::None
            }
            exchange::AMQPMethod::Delete(delete) => {
                self.removal(mark, "exchange.delete", delete.exchange.to_string());
                Detail::None
            }
            exchange::AMQPMethod::Declare(declare) => {
                let name = declare.exchange.to_string();
                let index = self.declare(mark, false, &name, declare.passive);
                Detail::Declare(index)
            }
            exchange::AMQPMethod::Bind(bind) => {
                self.story.binds.push(Bind {
                    asked: mark,
                    exchange: bind.source.to_string(),
                    destination: bind.destination.to_string(),
                    to_queue: false,
                    key: bind.routing_key.to_string(),
                    arguments: bind.arguments.clone(),
                    answered: None,
                });
                Detail::Bind(self.story.binds.len() - 1, None)
            }
            _ => Detail::None,
        }
    }

    fn declare(&mut self, mark: Mark, is_queue: bool, name: &str, passive: bool) -> usize {
        self.story.declares.push(Declare {
            asked: mark,
            is_queue,
            name: name.to_owned(),
            passive,
            durable: false,
            shared: true,
            exclusive: false,
            answered: None,
            refused: None,
        });
        self.story.declares.len() - 1
    }

    fn basic_asked(
        &mut self,
        lane: Lane,
        mark: Mark,
        name: &'static str,
        class: &basic::AMQPMethod,
    ) -> Option<Detail> {
        match class {
            basic::AMQPMethod::Publish(publish) => {
                self.publish(lane, mark, publish);
                None
            }
            basic::AMQPMethod::Qos(qos) => {
                let channel = self.channel(lane);
                match qos.global {
                    true => channel.shared_prefetch = qos.prefetch_count,
                    false => channel.prefetch = qos.prefetch_count,
                }
                self.story.prefetches.push(Prefetch {
                    lane,
                    mark,
                    count: qos.prefetch_count,
                    global: qos.global,
                });
                Some(Detail::None)
            }
            basic::AMQPMethod::Consume(consume) => {
                let queue = self.named(lane, consume.queue.as_str());
                let channel = self.channel(lane);
                let prefetch = match channel.prefetch {
                    0 => channel.shared_prefetch,
                    own => own,
                };
                let tag = consume.consumer_tag.to_string();
                self.story.consumers.push(Consumer {
                    lane,
                    asked: mark,
                    queue,
                    tag: tag.clone(),
                    automatic: consume.no_ack,
                    answered: consume.nowait.then_some(mark),
                    prefetch,
                    cancelled: None,
                });
                let index = self.story.consumers.len() - 1;
                self.channel(lane).consumers.insert(tag, index);
                Some(Detail::Consume(index))
            }
            basic::AMQPMethod::Get(get) => {
                let queue = self.named(lane, get.queue.as_str());
                Some(Detail::Get(queue, get.no_ack))
            }
            basic::AMQPMethod::Ack(ack) => {
                self.settle(lane, mark, name, ack.delivery_tag, ack.multiple, false);
                None
            }
            basic::AMQPMethod::Nack(nack) => {
                self.settle(
                    lane,
                    mark,
                    name,
                    nack.delivery_tag,
                    nack.multiple,
                    nack.requeue,
                );
                None
            }
            basic::AMQPMethod::Reject(reject) => {
                self.settle(lane, mark, name, reject.delivery_tag, false, reject.requeue);
                None
            }
            basic::AMQPMethod::Recover(_) | basic::AMQPMethod::RecoverAsync(_) => {
                let open: Vec<usize> = self.channel(lane).open.values().copied().collect();
                for index in open {
                    self.story.deliveries[index].recovered.get_or_insert(mark);
                }
                matches!(class, basic::AMQPMethod::Recover(_)).then_some(Detail::None)
            }
            basic::AMQPMethod::Cancel(_) => Some(Detail::None),
            _ => None,
        }
    }

    fn publish(&mut self, lane: Lane, mark: Mark, publish: &basic::Publish) {
        let index = self.story.publishes.len();
        let channel = self.channel(lane);
        let confirms = channel.next_confirm > 0;
        if confirms {
            channel.unconfirmed.insert(channel.next_confirm, index);
            channel.numbered.push(index);
            channel.next_confirm += 1;
        }
        channel.unrouted.push(index);
        channel.publishing = Some(index);
        self.story.publishes.push(Publish {
            lane,
            asked: mark,
            content: None,
            complete: false,
            exchange: publish.exchange.to_string(),
            key: publish.routing_key.to_string(),
            mandatory: publish.mandatory,
            persistent: false,
            headers: FieldTable::default(),
            reply_to: None,
            correlation_id: None,
            message_id: None,
            body: Vec::new(),
            size: 0,
            confirms,
            confirmed: None,
            confirmed_with: None,
            nacked: false,
            returned: None,
            decided: false,
            routed: None,
            abandoned: None,
        });
    }

    fn settle(
        &mut self,
        lane: Lane,
        mark: Mark,
        method: &'static str,
        tag: u64,
        multiple: bool,
        requeued: bool,
    ) {
        let open = &mut self.channel(lane).open;
        let settled: Vec<usize> = match (multiple, tag) {
            (true, 0) => mem::take(open).into_values().collect(),
            (true, tag) => {
                let rest = open.split_off(&tag.saturating_add(1));
                mem::replace(open, rest).into_values().collect()
            }
            (false, tag) => open.remove(&tag).into_iter().collect(),
        };
        for index in &settled {
            self.story.deliveries[*index].settled = Some(Settled {
                mark,
                requeued,
                acked: method == "basic.ack",
            });
        }
        self.story.settles.push(Settle {
            lane,
            mark,
            method,
            tag,
            count: settled.len(),
            everything: multiple && tag == 0,
        });
    }

    fn content(&mut self, event: &Event, mark: Mark, content: &Content) {
        let lane = self.lane(event.connection, content.method.channel());
        let channel = self.channel(lane);
        if event.from == Side::Client {
            if let Some(index) = channel.publishing.take() {
                let publish = &mut self.story.publishes[index];
                publish.content = Some(mark.event);
                publish.complete = content.complete;
                publish.body.clone_from(&content.body);
                publish.size = content.length;
                publish.persistent = *content.properties.delivery_mode() == Some(2);
                publish.headers = content.properties.headers().clone().unwrap_or_default();
                publish.reply_to = text(content.properties.reply_to().as_ref());
                publish.correlation_id = text(content.properties.correlation_id().as_ref());
                publish.message_id = text(content.properties.message_id().as_ref());
            }
        } else if content.method.name() == "basic.return" {
            self.returned(lane, mark, content);
        } else if let Some(index) = channel.delivering.take() {
            let delivery = &mut self.story.deliveries[index];
            delivery.content = Some(mark.event);
            delivery.body.clone_from(&content.body);
            delivery.whole = content.is_whole();
            delivery.reply_to = text(content.properties.reply_to().as_ref());
            delivery.correlation_id = text(content.properties.correlation_id().as_ref());
        }
    }
}

impl Reader {
    /// The first message that may be the one that came back, is.
    fn returned(&mut self, lane: Lane, mark: Mark, content: &Content) {
        let id = text(content.properties.message_id().as_ref());
        let AMQPClass::Basic(basic::AMQPMethod::Return(returned)) = content.method.class() else {
            return;
        };
        let (exchange, key) = (returned.exchange.as_str(), returned.routing_key.as_str());
        let publish = self.story.publishes.iter_mut().find(|publish| {
            publish.lane == lane
                && publish.mandatory
                && publish.returned.is_none()
                && publish.exchange == exchange
                && publish.key == key
                && publish.message_id == id
                && publish.body == content.body
        });
        if let Some(publish) = publish {
            publish.returned = Some(mark);
            publish.routed.get_or_insert(mark);
        }
    }
}

fn text(property: Option<&ShortString>) -> Option<String> {
    property.map(ToString::to_string)
}
