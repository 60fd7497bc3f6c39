//! Telling a story as a conversation.

use std::{collections::BTreeMap, sync::Arc};

use amq_protocol::{
    protocol::{AMQPClass, BasicProperties, basic, exchange, queue},
    types::FieldTable,
};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{
    Binding, Consumer, Conversation, Delivery, Exchange, Properties, Publish, Publisher, Queue,
    Refusal, ending, names,
};
use crate::{
    event::{Event, What},
    hex,
    json::ToJson,
    message::Content,
    story::{self, By, Lane, Mark, Step, Story},
    tape::Tape,
};

/// The longest body that is told in full.
const LONGEST: usize = 256;

pub(super) fn build(tape: &Tape) -> Conversation {
    let events = tape.events();
    let teller = Teller {
        story: &Story::of(&events),
        events: &events,
    };
    let mut conversation = Conversation {
        exchanges: teller.exchanges(),
        queues: teller.queues(),
        bindings: teller.bindings(),
        removals: teller.removals(),
        publishers: teller.publishers(),
        consumers: teller.consumers(),
        gets: teller.gets(),
        errors: teller.errors(),
        connections: Vec::new(),
    };
    for connection in tape.connections() {
        conversation
            .connections
            .push(ending(tape.ending(connection)));
    }
    names::normalise(&mut conversation);
    sort(&mut conversation);
    conversation
}

/// A story, and the events that it is read from: what it does not tell of a thing, the event of that thing does.
struct Teller<'a> {
    story: &'a Story,
    events: &'a [Arc<Event>],
}

impl<'a> Teller<'a> {
    fn event(&self, number: u64) -> Option<&'a Event> {
        let place = self.events.binary_search_by_key(&number, |it| it.number);
        place.ok().map(|place| &*self.events[place])
    }

    fn class(&self, mark: Mark) -> Option<&'a AMQPClass> {
        self.event(mark.event)?.class()
    }

    fn content(&self, number: Option<u64>) -> Option<&'a Content> {
        match &self.event(number?)?.what {
            What::Content(content) => Some(content),
            _ => None,
        }
    }

    fn exchanges(&self) -> Vec<Exchange> {
        let declares = self.story.declares.iter().filter_map(|it| {
            let AMQPClass::Exchange(exchange::AMQPMethod::Declare(declare)) =
                self.class(it.asked)?
            else {
                return None;
            };
            let options = !declare.passive;
            Some(Exchange {
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
            })
        });
        declares.collect()
    }

    fn queues(&self) -> Vec<Queue> {
        let declares = self.story.declares.iter().filter_map(|it| {
            let AMQPClass::Queue(queue::AMQPMethod::Declare(declare)) = self.class(it.asked)?
            else {
                return None;
            };
            let options = !declare.passive;
            Some(Queue {
                name: it.name.clone(),
                passive: declare.passive,
                durable: options && declare.durable,
                exclusive: options && declare.exclusive,
                auto_delete: options && declare.auto_delete,
                arguments: map(&declare.arguments),
            })
        });
        declares.collect()
    }

    fn bindings(&self) -> Vec<Binding> {
        let binds = self.story.binds.iter().map(|bind| Binding {
            from: bind.exchange.clone(),
            to: bind.destination.clone(),
            to_exchange: !bind.to_queue,
            key: bind.key.clone(),
            arguments: map(&bind.arguments),
        });
        binds.collect()
    }

    fn removals(&self) -> Vec<String> {
        let removals = self.story.removals.iter();
        removals
            .map(|it| format!("{} {}", it.method, it.name))
            .collect()
    }

    fn publishers(&self) -> Vec<Publisher> {
        let mut publishers: BTreeMap<Lane, Publisher> = BTreeMap::new();
        for publish in &self.story.publishes {
            // What has no header yet says nothing.
            let Some(content) = self.content(publish.content) else {
                continue;
            };
            let lane = publish.lane;
            let publisher = publishers.entry(lane).or_insert_with(|| Publisher {
                confirms: self.step(lane, Step::Confirms).is_some(),
                transactions: self.step(lane, Step::Transactions).is_some(),
                publishes: Vec::new(),
            });
            publisher.publishes.push(Publish {
                exchange: publish.exchange.clone(),
                key: publish.key.clone(),
                mandatory: publish.mandatory,
                properties: properties(&content.properties),
                body: body(content),
                outcome: self.outcome(publish),
                returned: publish.returned.and_then(|mark| self.why_returned(mark)),
                cut_short: !content.complete,
            });
        }
        publishers.into_values().collect()
    }

    /// When a channel first took a step.
    fn step(&self, lane: Lane, step: Step) -> Option<Mark> {
        let mut modes = self.story.modes.iter();
        let found = modes.find(|mode| mode.lane == lane && mode.step == step);
        found.map(|mode| mode.mark)
    }

    /// What became of a message, where its channel's mode tells.
    fn outcome(&self, publish: &story::Publish) -> Option<&'static str> {
        let after = |step: Step| {
            let first = self.step(publish.lane, step);
            first.is_some_and(|mark| mark.event < publish.asked.event)
        };
        let ended = self.story.modes.iter().find(|mode| {
            mode.lane == publish.lane
                && mode.mark.event > publish.asked.event
                && matches!(mode.step, Step::Committed | Step::RolledBack)
        });
        match (publish.confirmed, ended) {
            (Some(_), _) if publish.nacked => Some("refused"),
            (Some(_), _) => Some("confirmed"),
            (None, Some(mode)) if mode.step == Step::Committed => Some("committed"),
            (None, Some(_)) => Some("rolled back"),
            (None, None) if after(Step::Confirms) => Some("unconfirmed"),
            (None, None) if after(Step::Transactions) => Some("uncommitted"),
            (None, None) => None,
        }
    }

    fn why_returned(&self, mark: Mark) -> Option<String> {
        let content = self.content(Some(mark.event))?;
        match content.method.class() {
            AMQPClass::Basic(basic::AMQPMethod::Return(returned)) => {
                Some(format!("{} {}", returned.reply_code, returned.reply_text))
            }
            _ => None,
        }
    }

    fn consumers(&self) -> Vec<Consumer> {
        let consumers = self.story.consumers.iter().enumerate();
        let consumers = consumers.filter_map(|(index, it)| {
            let AMQPClass::Basic(basic::AMQPMethod::Consume(consume)) = self.class(it.asked)?
            else {
                return None;
            };
            let by_it = |delivery: &&story::Delivery| delivery.by == By::Consumer(index);
            let deliveries = self.story.deliveries.iter().filter(by_it);
            Some(Consumer {
                queue: it.queue.clone(),
                acknowledgement: acknowledgement(it.automatic),
                // Automatic acknowledgement knows no prefetch.
                prefetch: Some(it.prefetch).filter(|count| *count > 0 && !it.automatic),
                exclusive: consume.exclusive,
                arguments: map(&consume.arguments),
                cancelled: it.cancelled.is_some(),
                deliveries: deliveries.filter_map(|it| self.delivery(it)).collect(),
            })
        });
        consumers.collect()
    }

    fn gets(&self) -> Vec<Consumer> {
        let mut gets: BTreeMap<(Lane, &str, bool), Consumer> = BTreeMap::new();
        let deliveries = self.story.deliveries.iter();
        for got in deliveries.filter(|delivery| delivery.by == By::Get) {
            let Some(delivery) = self.delivery(got) else {
                continue;
            };
            let get = gets.entry((got.lane, &got.queue, got.automatic));
            let get = get.or_insert_with(|| Consumer {
                queue: got.queue.clone(),
                acknowledgement: acknowledgement(got.automatic),
                ..Consumer::default()
            });
            get.deliveries.push(delivery);
        }
        gets.into_values().collect()
    }

    /// A delivery; `None`: its content has not arrived.
    fn delivery(&self, it: &story::Delivery) -> Option<Delivery> {
        let content = self.content(it.content)?;
        let mut key = it.key.clone();
        if it.exchange.is_empty() && key == it.queue {
            key.clear();
        }
        Some(Delivery {
            exchange: it.exchange.clone(),
            key,
            redelivered: it.redelivered,
            properties: properties(&content.properties),
            body: body(content),
            settled: (!it.automatic).then(|| self.settled(it)),
        })
    }

    fn settled(&self, it: &story::Delivery) -> &'static str {
        let settled = it.settled.filter(|settled| {
            it.recovered
                .is_none_or(|recovered| settled.mark.event < recovered.event)
        });
        let Some(settled) = settled else {
            return match it.recovered {
                Some(_) => "recovered",
                None => "open",
            };
        };
        let rejected = self
            .event(settled.mark.event)
            .is_some_and(|event| event.is("basic.reject"));
        match (settled.acked, rejected, settled.requeued) {
            (true, ..) => "acked",
            (_, true, true) => "rejected, requeued",
            (_, true, false) => "rejected",
            (_, false, true) => "nacked, requeued",
            (_, false, false) => "nacked",
        }
    }

    fn errors(&self) -> Vec<Refusal> {
        let refusals = self.story.refusals.iter().map(|refusal| Refusal {
            closed: match refusal.lane.channel {
                0 => "connection",
                _ => "channel",
            },
            code: refusal.code,
            text: without_vhost(&refusal.text),
            method: Some(refusal.method.clone()).filter(|method| !method.is_empty()),
        });
        refusals.collect()
    }
}

fn acknowledgement(automatic: bool) -> &'static str {
    if automatic { "automatic" } else { "manual" }
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
