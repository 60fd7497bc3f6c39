//! Reading a tape into a conversation.

use super::{
    Binding, Consumer, Conversation, Delivery, Exchange, Properties, Publish, Queue, Refusal,
    channel::{Asked, Channel, acknowledgement},
    ending, names,
};
use crate::{
    event::{Event, Fate, Message, Side, What},
    hex,
    json::ToJson,
    message::{Content, Method},
    names::METHOD_IDS,
    tape::Tape,
};
use amq_protocol::{
    protocol::{
        AMQPClass, BasicProperties, basic, channel, confirm, connection, exchange, queue, tx,
    },
    types::FieldTable,
};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The longest body that is told in full.
const LONGEST: usize = 256;

pub(super) fn build(tape: &Tape) -> Conversation {
    let events = tape.events();
    let mut builder = Builder::default();
    for event in &events {
        if event.fate != Fate::Vanished {
            builder.event(event);
        }
    }
    let mut conversation = builder.finish();
    for connection in tape.connections() {
        conversation
            .connections
            .push(ending(tape.ending(connection)));
    }
    names::normalise(&mut conversation);
    sort(&mut conversation);
    conversation
}

#[derive(Debug, Default)]
struct Builder {
    said: Conversation,
    channels: BTreeMap<(u32, u16), Channel>,
    ended: Vec<Channel>,
    /// `queue.declare` methods without an answer yet, by channel.
    declared: BTreeMap<(u32, u16), Vec<Queue>>,
}

impl Builder {
    fn event(&mut self, event: &Event) {
        let at = (event.connection, event.channel().unwrap_or_default());
        match &event.what {
            What::Method(method) => match event.from {
                Side::Client => self.asked(at, method),
                Side::Broker => self.answered(at, method),
            },
            What::Content(content) => self.content(at, event, content),
            _ => {}
        }
    }

    fn asked(&mut self, at: (u32, u16), method: &Method) {
        match method.class() {
            AMQPClass::Queue(method) => self.queue(at, method),
            AMQPClass::Exchange(method) => self.exchange(method),
            AMQPClass::Basic(method) => self.basic(at, method),
            AMQPClass::Channel(channel::AMQPMethod::Open(_)) => {
                if let Some(before) = self.channels.insert(at, Channel::default()) {
                    self.ended.push(before);
                }
            }
            AMQPClass::Confirm(confirm::AMQPMethod::Select(_)) => {
                let channel = self.channel(at);
                channel.publisher.confirms = true;
                channel.unnumbered = channel.publisher.publishes.len();
            }
            AMQPClass::Tx(tx::AMQPMethod::Select(_)) => {
                self.channel(at).publisher.transactions = true;
            }
            _ => {}
        }
    }

    fn queue(&mut self, at: (u32, u16), method: &queue::AMQPMethod) {
        match method {
            queue::AMQPMethod::Declare(declare) => {
                let options = !declare.passive;
                let queue = Queue {
                    name: declare.queue.to_string(),
                    passive: declare.passive,
                    durable: options && declare.durable,
                    exclusive: options && declare.exclusive,
                    auto_delete: options && declare.auto_delete,
                    arguments: map(&declare.arguments),
                };
                self.channel(at).last_queue.clone_from(&queue.name);
                if declare.nowait {
                    self.said.queues.push(queue);
                } else {
                    self.declared.entry(at).or_default().push(queue);
                }
            }
            queue::AMQPMethod::Bind(bind) => {
                let to = self.named(at, bind.queue.as_str());
                self.said.bindings.push(Binding {
                    from: bind.exchange.to_string(),
                    to,
                    to_exchange: false,
                    key: bind.routing_key.to_string(),
                    arguments: map(&bind.arguments),
                });
            }
            queue::AMQPMethod::Unbind(unbind) => {
                let queue = self.named(at, unbind.queue.as_str());
                self.remove("queue.unbind", &queue);
            }
            queue::AMQPMethod::Purge(purge) => {
                let queue = self.named(at, purge.queue.as_str());
                self.remove("queue.purge", &queue);
            }
            queue::AMQPMethod::Delete(delete) => {
                let queue = self.named(at, delete.queue.as_str());
                self.remove("queue.delete", &queue);
            }
            _ => {}
        }
    }

    fn exchange(&mut self, method: &exchange::AMQPMethod) {
        match method {
            exchange::AMQPMethod::Declare(declare) => {
                let options = !declare.passive;
                self.said.exchanges.push(Exchange {
                    name: declare.exchange.to_string(),
                    kind: if options {
                        declare.kind.to_string()
                    } else {
                        String::new()
                    },
                    passive: declare.passive,
                    durable: options && declare.durable,
                    auto_delete: options && declare.auto_delete,
                    internal: options && declare.internal,
                    arguments: map(&declare.arguments),
                });
            }
            exchange::AMQPMethod::Bind(bind) => self.said.bindings.push(Binding {
                from: bind.source.to_string(),
                to: bind.destination.to_string(),
                to_exchange: true,
                key: bind.routing_key.to_string(),
                arguments: map(&bind.arguments),
            }),
            exchange::AMQPMethod::Unbind(unbind) => {
                self.remove("exchange.unbind", unbind.destination.as_str());
            }
            exchange::AMQPMethod::Delete(delete) => {
                self.remove("exchange.delete", delete.exchange.as_str());
            }
            _ => {}
        }
    }

    fn basic(&mut self, at: (u32, u16), method: &basic::AMQPMethod) {
        let queue = match method {
            basic::AMQPMethod::Consume(consume) => self.named(at, consume.queue.as_str()),
            basic::AMQPMethod::Get(get) => self.named(at, get.queue.as_str()),
            _ => String::new(),
        };
        let channel = self.channel(at);
        match method {
            basic::AMQPMethod::Qos(qos) => {
                let count = (qos.prefetch_count != 0).then_some(qos.prefetch_count);
                if qos.global {
                    channel.shared_prefetch = count;
                } else {
                    channel.prefetch = count;
                }
            }
            basic::AMQPMethod::Consume(consume) => channel.asked.push(Asked {
                tag: consume.consumer_tag.to_string(),
                consumer: Consumer {
                    queue,
                    acknowledgement: acknowledgement(consume.no_ack),
                    // Automatic acknowledgement knows no prefetch.
                    prefetch: channel
                        .prefetch
                        .or(channel.shared_prefetch)
                        .filter(|_| !consume.no_ack),
                    exclusive: consume.exclusive,
                    arguments: map(&consume.arguments),
                    ..Consumer::default()
                },
            }),
            basic::AMQPMethod::Get(get) => channel.asked_get.push((queue, get.no_ack)),
            basic::AMQPMethod::Ack(ack) => channel.settle(ack.delivery_tag, ack.multiple, "acked"),
            basic::AMQPMethod::Nack(nack) => {
                let how = if nack.requeue {
                    "nacked, requeued"
                } else {
                    "nacked"
                };
                channel.settle(nack.delivery_tag, nack.multiple, how);
            }
            basic::AMQPMethod::Reject(reject) => {
                let how = if reject.requeue {
                    "rejected, requeued"
                } else {
                    "rejected"
                };
                channel.settle(reject.delivery_tag, false, how);
            }
            basic::AMQPMethod::Recover(_) | basic::AMQPMethod::RecoverAsync(_) => {
                channel.settle(0, true, "recovered");
            }
            _ => {}
        }
    }

    fn answered(&mut self, at: (u32, u16), method: &Method) {
        match method.class() {
            AMQPClass::Queue(queue::AMQPMethod::DeclareOk(answer)) => {
                let asked = self.declared.entry(at).or_default();
                if !asked.is_empty() {
                    let mut queue = asked.remove(0);
                    queue.name = answer.queue.to_string();
                    self.channel(at).last_queue.clone_from(&queue.name);
                    self.said.queues.push(queue);
                }
            }
            AMQPClass::Basic(method) => {
                let channel = self.channel(at);
                match method {
                    basic::AMQPMethod::ConsumeOk(answer) => {
                        channel.consume(answer.consumer_tag.as_str());
                    }
                    basic::AMQPMethod::GetEmpty(_) if !channel.asked_get.is_empty() => {
                        channel.asked_get.remove(0);
                    }
                    basic::AMQPMethod::Cancel(cancel) => {
                        channel.cancelled(cancel.consumer_tag.as_str());
                    }
                    basic::AMQPMethod::Ack(ack) => {
                        channel.confirm(ack.delivery_tag, ack.multiple, "confirmed");
                    }
                    basic::AMQPMethod::Nack(nack) => {
                        channel.confirm(nack.delivery_tag, nack.multiple, "refused");
                    }
                    _ => {}
                }
            }
            AMQPClass::Tx(tx::AMQPMethod::CommitOk(_)) => {
                self.channel(at).end_transaction("committed");
            }
            AMQPClass::Tx(tx::AMQPMethod::RollbackOk(_)) => {
                self.channel(at).end_transaction("rolled back");
            }
            AMQPClass::Channel(channel::AMQPMethod::Close(close)) => {
                self.said.errors.push(Refusal {
                    closed: "channel",
                    code: close.reply_code,
                    text: without_vhost(close.reply_text.as_str()),
                    method: method_name(close.class_id, close.method_id),
                });
            }
            AMQPClass::Connection(connection::AMQPMethod::Close(close)) => {
                self.said.errors.push(Refusal {
                    closed: "connection",
                    code: close.reply_code,
                    text: without_vhost(close.reply_text.as_str()),
                    method: method_name(close.class_id, close.method_id),
                });
            }
            _ => {}
        }
    }

    fn content(&mut self, at: (u32, u16), event: &Event, content: &Content) {
        let message = Message { event, content };
        let properties = properties(&content.properties);
        let exchange = message.exchange().to_owned();
        let key = message.routing_key().to_owned();
        let channel = self.channel(at);
        match content.method.class() {
            AMQPClass::Basic(basic::AMQPMethod::Publish(publish)) => {
                channel.publisher.publishes.push(Publish {
                    exchange,
                    key,
                    mandatory: publish.mandatory,
                    properties,
                    body: body(content),
                    outcome: None,
                    returned: None,
                    cut_short: !content.complete,
                });
            }
            AMQPClass::Basic(basic::AMQPMethod::Return(returned)) => {
                let why = format!("{} {}", returned.reply_code, returned.reply_text);
                let like = Publish {
                    exchange,
                    key,
                    body: body(content),
                    ..Publish::default()
                };
                channel.returned(&like, why);
            }
            AMQPClass::Basic(basic::AMQPMethod::Deliver(deliver)) => channel.deliver(
                deliver.consumer_tag.as_str(),
                deliver.delivery_tag,
                Delivery {
                    exchange,
                    key,
                    redelivered: deliver.redelivered,
                    properties,
                    body: body(content),
                    settled: None,
                },
            ),
            AMQPClass::Basic(basic::AMQPMethod::GetOk(got)) => channel.got(
                got.delivery_tag,
                Delivery {
                    exchange,
                    key,
                    redelivered: got.redelivered,
                    properties,
                    body: body(content),
                    settled: None,
                },
            ),
            _ => {}
        }
    }

    fn channel(&mut self, at: (u32, u16)) -> &mut Channel {
        self.channels.entry(at).or_default()
    }

    /// The queue's name, or the one that an empty name stands for: the last that the channel declared.
    fn named(&mut self, at: (u32, u16), queue: &str) -> String {
        match queue {
            "" => self.channel(at).last_queue.clone(),
            name => name.to_owned(),
        }
    }

    fn remove(&mut self, method: &str, name: &str) {
        self.said.removals.push(format!("{method} {name}"));
    }

    fn finish(mut self) -> Conversation {
        // A declaration without an answer was refused, or the connection ended first: it was said all the same.
        self.said
            .queues
            .extend(self.declared.into_values().flatten());
        for mut channel in self.ended.into_iter().chain(self.channels.into_values()) {
            channel.end();
            if !channel.publisher.publishes.is_empty() {
                self.said.publishers.push(channel.publisher);
            }
            self.said.consumers.extend(channel.consumers);
            self.said.gets.extend(channel.gets);
        }
        self.said
    }
}

/// Puts what has no order of its own into one, and says each thing once.
fn sort(said: &mut Conversation) {
    fn by_text<T: serde::Serialize>(list: &mut [T]) {
        // What cannot be written (there is nothing of the kind) sorts first.
        list.sort_by_cached_key(|item| serde_json::to_string(item).unwrap_or_default());
    }
    by_text(&mut said.exchanges);
    said.exchanges.dedup();
    by_text(&mut said.queues);
    said.queues.dedup();
    by_text(&mut said.bindings);
    said.bindings.dedup();
    said.removals.sort();
    said.removals.dedup();
    by_text(&mut said.publishers);
    by_text(&mut said.consumers);
    by_text(&mut said.gets);
    said.connections.sort();
}

fn properties(properties: &BasicProperties) -> Properties {
    let text = |value: &Option<amq_protocol::types::ShortString>| {
        value.as_ref().map(|value| value.as_str().to_owned())
    };
    Properties {
        persistent: *properties.delivery_mode() == Some(2),
        priority: properties.priority().filter(|priority| *priority != 0),
        correlation_id: text(properties.correlation_id()),
        reply_to: text(properties.reply_to()),
        expiration: text(properties.expiration()),
        headers: properties.headers().as_ref().map(map).unwrap_or_default(),
    }
}

/// A table as JSON; `x-death`, where the broker writes times and counts, is only said to be there.
fn map(table: &FieldTable) -> Map<String, Value> {
    match table.to_json() {
        Value::Object(mut map) => {
            if let Some(death) = map.get_mut("x-death") {
                *death = Value::from("<deaths>");
            }
            map
        }
        _ => Map::new(),
    }
}

fn body(content: &Content) -> String {
    if content.is_whole()
        && content.body.len() <= LONGEST
        && let Ok(text) = std::str::from_utf8(&content.body)
    {
        return text.to_owned();
    }
    let hash = content
        .sha256
        .unwrap_or_else(|| Sha256::digest(&content.body).into());
    format!(
        "<{} bytes, sha256 {}…>",
        content.length,
        hex::encode(&hash[..8])
    )
}

fn method_name(class: u16, method: u16) -> Option<String> {
    METHOD_IDS
        .iter()
        .find(|(ids, _)| *ids == (class, method))
        .map(|(_, name)| (*name).to_owned())
}

/// The text without the name of the virtual host, which is a lab's own.
fn without_vhost(text: &str) -> String {
    const BEFORE: &str = "vhost '";
    let Some((start, rest)) = text.split_once(BEFORE) else {
        return text.to_owned();
    };
    match rest.split_once('\'') {
        Some((_, end)) => format!("{start}{BEFORE}…'{end}"),
        None => text.to_owned(),
    }
}
