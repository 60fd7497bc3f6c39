//! What a channel must be remembered by while its tape is read: tags, modes, and what they refer to.

use super::{Consumer, Delivery, Publish, Publisher};
use std::collections::{BTreeMap, HashMap};

/// One channel, from its opening to its end.
#[derive(Debug, Default)]
pub(super) struct Channel {
    pub(super) publisher: Publisher,
    /// Which delivery tag the first message confirmed by the broker has: those published before `confirm.select`
    /// are not counted.
    pub(super) unnumbered: usize,
    /// The first message that is not yet committed or rolled back.
    pub(super) committed: usize,
    pub(super) consumers: Vec<Consumer>,
    pub(super) gets: Vec<Consumer>,
    /// Consumers by their tag.
    tags: HashMap<String, usize>,
    /// `basic.consume` without an answer yet (their tags come with it), in order.
    pub(super) asked: Vec<Asked>,
    /// `basic.get` without an answer yet.
    pub(super) asked_get: Vec<(String, bool)>,
    /// What was delivered and may still be settled.
    pending: BTreeMap<u64, DeliveryPlace>,
    /// `basic.qos`: for consumers to come, and for the channel as a whole.
    pub(super) prefetch: Option<u16>,
    pub(super) shared_prefetch: Option<u16>,
    /// The queue that an empty name stands for.
    pub(super) last_queue: String,
    /// Queues declared without a name and without an answer yet.
    pub(super) closed: bool,
}

/// A `basic.consume` on its way.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) tag: String,
    pub(super) consumer: Consumer,
}

/// Where a delivery is.
#[derive(Clone, Copy, Debug)]
enum DeliveryPlace {
    Consumed(usize, usize),
    Got(usize, usize),
}

impl Channel {
    /// The consumer begins.
    pub(super) fn consume(&mut self, tag: &str) {
        let Some(at) = self
            .asked
            .iter()
            .position(|asked| asked.tag == tag)
            .or_else(|| self.asked.iter().position(|asked| asked.tag.is_empty()))
        else {
            return;
        };
        let asked = self.asked.remove(at);
        self.tags.insert(tag.to_owned(), self.consumers.len());
        self.consumers.push(asked.consumer);
    }

    /// A message is delivered to a consumer.
    pub(super) fn deliver(&mut self, tag: &str, number: u64, delivery: Delivery) {
        if !self.tags.contains_key(tag) {
            // Asked with `no-wait`: there is no answer, and the tag is the program's.
            self.consume(tag);
        }
        let Some(&index) = self.tags.get(tag) else {
            return;
        };
        let consumer = &mut self.consumers[index];
        let place = DeliveryPlace::Consumed(index, consumer.deliveries.len());
        let settled = keep(consumer, delivery);
        if !settled {
            self.pending.insert(number, place);
        }
    }

    /// A message is got.
    pub(super) fn got(&mut self, number: u64, delivery: Delivery) {
        if self.asked_get.is_empty() {
            return;
        }
        let (queue, automatic) = self.asked_get.remove(0);
        let acknowledgement = acknowledgement(automatic);
        let index = self
            .gets
            .iter()
            .position(|get| get.queue == queue && get.acknowledgement == acknowledgement)
            .unwrap_or_else(|| {
                self.gets.push(Consumer {
                    queue,
                    acknowledgement,
                    ..Consumer::default()
                });
                self.gets.len() - 1
            });
        let place = DeliveryPlace::Got(index, self.gets[index].deliveries.len());
        let settled = keep(&mut self.gets[index], delivery);
        if !settled {
            self.pending.insert(number, place);
        }
    }

    /// The program settles one delivery, or all up to it.
    pub(super) fn settle(&mut self, number: u64, multiple: bool, how: &'static str) {
        let settled: Vec<u64> = match (multiple, number) {
            // All that there are (AMQP 0-9-1, the XML on `delivery-tag`).
            (true, 0) => self.pending.keys().copied().collect(),
            (true, number) => self.pending.range(..=number).map(|(tag, _)| *tag).collect(),
            (false, number) => vec![number],
        };
        for number in settled {
            if let Some(place) = self.pending.remove(&number) {
                let delivery = match place {
                    DeliveryPlace::Consumed(index, at) => &mut self.consumers[index].deliveries[at],
                    DeliveryPlace::Got(index, at) => &mut self.gets[index].deliveries[at],
                };
                delivery.settled = Some(how);
            }
        }
    }

    /// The broker confirms one message, or all up to it.
    pub(super) fn confirm(&mut self, number: u64, multiple: bool, how: &'static str) {
        let unnumbered = self.unnumbered;
        let numbered = self.publisher.publishes.iter_mut().skip(unnumbered);
        for (publish, tag) in numbered.zip(1..) {
            if tag == number || (multiple && (tag < number || number == 0)) {
                publish.outcome.get_or_insert(how);
            }
        }
    }

    /// The program commits or rolls back.
    pub(super) fn end_transaction(&mut self, how: &'static str) {
        for publish in self.publisher.publishes.iter_mut().skip(self.committed) {
            publish.outcome = Some(how);
        }
        self.committed = self.publisher.publishes.len();
    }

    /// The broker returns a message: the first like it that was not returned yet.
    pub(super) fn returned(&mut self, like: &Publish, why: String) {
        let message = self.publisher.publishes.iter_mut().find(|publish| {
            publish.returned.is_none()
                && publish.exchange == like.exchange
                && publish.key == like.key
                && publish.body == like.body
        });
        if let Some(message) = message {
            message.returned = Some(why);
        }
    }

    /// The broker ends a consumer.
    pub(super) fn cancelled(&mut self, tag: &str) {
        if let Some(&index) = self.tags.get(tag) {
            self.consumers[index].cancelled = true;
        }
    }

    /// Nothing more will come: what has no outcome has none.
    pub(super) fn end(&mut self) {
        self.closed = true;
        let missing = match (self.publisher.confirms, self.publisher.transactions) {
            (true, _) => Some("unconfirmed"),
            (_, true) => Some("uncommitted"),
            _ => None,
        };
        for publish in self.publisher.publishes.iter_mut().skip(self.unnumbered) {
            publish.outcome = publish.outcome.or(missing);
        }
        // A consumer whose answer never came was asked for all the same.
        for asked in std::mem::take(&mut self.asked) {
            self.consumers.push(asked.consumer);
        }
    }
}

/// Adds a delivery; returns whether it counts as settled at once.
fn keep(consumer: &mut Consumer, mut delivery: Delivery) -> bool {
    let automatic = consumer.acknowledgement == acknowledgement(true);
    delivery.settled = (!automatic).then_some("open");
    if delivery.exchange.is_empty() && delivery.key == consumer.queue {
        delivery.key.clear();
    }
    consumer.deliveries.push(delivery);
    automatic
}

pub(super) fn acknowledgement(automatic: bool) -> &'static str {
    if automatic { "automatic" } else { "manual" }
}
