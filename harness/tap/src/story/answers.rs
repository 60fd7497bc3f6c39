//! What the broker answers.

use std::{collections::BTreeMap, mem};

use amq_protocol::{
    protocol::{AMQPClass, basic, channel, connection, queue, tx},
    types::AMQPValue,
};

use super::{
    By, Delivery, Get, Lane, Mark, Purge, Refusal, Step, Tuning,
    read::{Asked, Detail, Reader},
};
use crate::{message::Method, names::METHOD_IDS};

impl Reader {
    pub(super) fn answered(&mut self, lane: Lane, mark: Mark, method: &Method) {
        // A channel's answers come in the order of its questions.
        let silent = mem::take(&mut self.channel(lane).silent_binds);
        for index in silent {
            if method.name() != "channel.close" {
                self.story.binds[index].answered = Some(mark);
            }
        }
        match method.class() {
            AMQPClass::Connection(class) => self.connection_answered(lane, mark, class),
            AMQPClass::Channel(channel::AMQPMethod::Close(close)) => {
                let text = close.reply_text.to_string();
                let ids = (close.class_id, close.method_id);
                self.refused(lane, mark, close.reply_code, text, ids);
            }
            AMQPClass::Basic(class) => self.basic_answered(lane, mark, class),
            AMQPClass::Tx(class) => {
                match class {
                    tx::AMQPMethod::CommitOk(_) => self.mode(lane, mark, Step::Committed),
                    tx::AMQPMethod::RollbackOk(_) => self.mode(lane, mark, Step::RolledBack),
                    _ => {}
                }
                drop(self.reply(lane, mark, method.name()));
            }
            _ => {
                let Some(asked) = self.reply(lane, mark, method.name()) else {
                    return;
                };
                self.fulfilled(lane, mark, method, asked);
            }
        }
    }

    /// The request that this answers; all that was published before it is routed by now.
    fn reply(&mut self, lane: Lane, mark: Mark, answer: &str) -> Option<Asked> {
        let channel = self.channel(lane);
        let position = channel.asked.iter().position(|asked| {
            answer
                .strip_suffix("-ok")
                .or_else(|| answer.strip_suffix("-empty"))
                == Some(asked.method)
        })?;
        let asked = channel.asked.remove(position)?;
        let routed: Vec<usize> = channel
            .unrouted
            .drain(..asked.unrouted.min(channel.unrouted.len()))
            .collect();
        let drained = routed.len();
        for later in &mut channel.asked {
            later.unrouted = later.unrouted.saturating_sub(drained);
        }
        for index in routed {
            self.story.publishes[index].routed = Some(mark);
        }
        Some(asked)
    }

    fn fulfilled(&mut self, lane: Lane, mark: Mark, method: &Method, asked: Asked) {
        let proved = match asked.what {
            Detail::Declare(index) => {
                let declare = &mut self.story.declares[index];
                declare.answered = Some(mark);
                if let AMQPClass::Queue(queue::AMQPMethod::DeclareOk(ok)) = method.class() {
                    declare.name = ok.queue.to_string();
                    let name = declare.name.clone();
                    self.channel(lane).last_queue.clone_from(&name);
                    name
                } else {
                    return;
                }
            }
            Detail::Empty(queue) => {
                let messages = match method.class() {
                    AMQPClass::Queue(queue::AMQPMethod::PurgeOk(ok)) => ok.message_count,
                    AMQPClass::Queue(queue::AMQPMethod::DeleteOk(ok)) => ok.message_count,
                    _ => 0,
                };
                self.story.purges.push(Purge {
                    asked: asked.mark,
                    answered: mark,
                    method: asked.method,
                    queue: queue.clone(),
                    messages,
                });
                // Deleting what is not there is answered just so.
                if messages == 0 {
                    return;
                }
                queue
            }
            Detail::Bind(index, queue) => {
                self.story.binds[index].answered = Some(mark);
                match queue {
                    Some(queue) => queue,
                    None => return,
                }
            }
            _ => return,
        };
        self.story.proofs.push((proved, mark));
    }

    fn connection_answered(&mut self, lane: Lane, mark: Mark, class: &connection::AMQPMethod) {
        match class {
            connection::AMQPMethod::Close(close) => {
                let text = close.reply_text.to_string();
                let ids = (close.class_id, close.method_id);
                self.refused(lane, mark, close.reply_code, text, ids);
            }
            connection::AMQPMethod::CloseOk(_) => {
                // The broker ends the channels before it answers, so all that was published is routed.
                for (other, channel) in &mut self.channels {
                    if other.connection == lane.connection {
                        for index in channel.unrouted.drain(..) {
                            self.story.publishes[index].routed = Some(mark);
                        }
                    }
                }
            }
            other => {
                let Some(connection) = self.connection(lane.connection) else {
                    return;
                };
                match other {
                    connection::AMQPMethod::Start(start) => {
                        let properties = start.server_properties.inner();
                        connection.version = properties.get("version").and_then(version);
                    }
                    connection::AMQPMethod::Tune(tune) => {
                        let proposed = Tuning {
                            channel_max: tune.channel_max,
                            frame_max: tune.frame_max,
                        };
                        connection.proposed = Some((mark, proposed));
                    }
                    connection::AMQPMethod::OpenOk(_) => connection.opened = Some(mark),
                    connection::AMQPMethod::Blocked(blocked) => {
                        connection
                            .blocked
                            .push((mark, blocked.reason.to_string(), None));
                    }
                    connection::AMQPMethod::Unblocked(_) => {
                        if let Some(blocked) = connection.blocked.last_mut() {
                            blocked.2 = Some(mark);
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    fn basic_answered(&mut self, lane: Lane, mark: Mark, class: &basic::AMQPMethod) {
        match class {
            basic::AMQPMethod::Ack(ack) => {
                self.confirm(lane, mark, ack.delivery_tag, ack.multiple, false);
            }
            basic::AMQPMethod::Nack(nack) => {
                self.confirm(lane, mark, nack.delivery_tag, nack.multiple, true);
            }
            basic::AMQPMethod::Return(_) => self.story.returns.push(mark),
            basic::AMQPMethod::Deliver(deliver) => {
                let tag = deliver.consumer_tag.as_str();
                let known = self.channel(lane).consumers.get(tag).copied();
                let consumer = known.map(|index| &self.story.consumers[index]);
                let by = known.map_or(By::Unknown, By::Consumer);
                let delivery = Delivery {
                    queue: consumer.map(|it| it.queue.clone()).unwrap_or_default(),
                    // A consumer that nobody knows: nothing is claimed about it.
                    automatic: consumer.is_none_or(|it| it.automatic),
                    tag: deliver.delivery_tag,
                    redelivered: deliver.redelivered,
                    exchange: deliver.exchange.to_string(),
                    key: deliver.routing_key.to_string(),
                    by,
                    ..delivery(lane, mark)
                };
                self.deliver(delivery);
            }
            basic::AMQPMethod::GetOk(got) => {
                if let Some(Asked {
                    what: Detail::Get(queue, automatic),
                    ..
                }) = self.reply(lane, mark, "basic.get-ok")
                {
                    self.got(lane, &queue);
                    self.deliver(Delivery {
                        queue,
                        automatic,
                        tag: got.delivery_tag,
                        redelivered: got.redelivered,
                        exchange: got.exchange.to_string(),
                        key: got.routing_key.to_string(),
                        by: By::Get,
                        ..delivery(lane, mark)
                    });
                }
            }
            basic::AMQPMethod::GetEmpty(_) => {
                if let Some(Asked {
                    what: Detail::Get(queue, _),
                    ..
                }) = self.reply(lane, mark, "basic.get-empty")
                {
                    self.got(lane, &queue);
                    self.story.proofs.push((queue, mark));
                    self.story.empty.push(mark);
                }
            }
            basic::AMQPMethod::ConsumeOk(ok) => {
                if let Some(Asked {
                    what: Detail::Consume(index),
                    ..
                }) = self.reply(lane, mark, "basic.consume-ok")
                {
                    let consumer = &mut self.story.consumers[index];
                    consumer.answered = Some(mark);
                    consumer.tag = ok.consumer_tag.to_string();
                    let (tag, queue) = (consumer.tag.clone(), consumer.queue.clone());
                    self.channel(lane).consumers.insert(tag, index);
                    self.story.proofs.push((queue, mark));
                }
            }
            basic::AMQPMethod::Cancel(cancel) => {
                let tag = cancel.consumer_tag.as_str();
                if let Some(index) = self.channel(lane).consumers.get(tag).copied() {
                    self.story.consumers[index].cancelled = Some(mark);
                }
            }
            basic::AMQPMethod::QosOk(_) => drop(self.reply(lane, mark, "basic.qos-ok")),
            basic::AMQPMethod::CancelOk(_) => drop(self.reply(lane, mark, "basic.cancel-ok")),
            basic::AMQPMethod::RecoverOk(_) => drop(self.reply(lane, mark, "basic.recover-ok")),
            _ => {}
        }
    }

    fn got(&mut self, lane: Lane, queue: &str) {
        self.story.gets.push(Get {
            lane,
            queue: queue.to_owned(),
        });
    }

    fn deliver(&mut self, delivery: Delivery) {
        let index = self.story.deliveries.len();
        let channel = self.channel(delivery.lane);
        channel.delivering = Some(index);
        if !delivery.automatic {
            channel.open.insert(delivery.tag, index);
        }
        if !delivery.queue.is_empty() {
            let proof = (delivery.queue.clone(), delivery.got);
            self.story.proofs.push(proof);
        }
        self.story.deliveries.push(delivery);
    }

    fn confirm(&mut self, lane: Lane, mark: Mark, tag: u64, multiple: bool, nacked: bool) {
        self.decide(lane, tag, multiple);
        let unconfirmed = &mut self.channel(lane).unconfirmed;
        let confirmed: BTreeMap<u64, usize> = if multiple {
            let rest = match tag {
                0 => BTreeMap::new(),
                tag => unconfirmed.split_off(&tag.saturating_add(1)),
            };
            mem::replace(unconfirmed, rest)
        } else {
            unconfirmed.remove_entry(&tag).into_iter().collect()
        };
        let last = confirmed.keys().next_back().copied();
        for (own, index) in confirmed {
            let publish = &mut self.story.publishes[index];
            publish.confirmed = Some(mark);
            publish.confirmed_with = last.filter(|last| *last != own);
            publish.nacked = nacked;
            publish.routed.get_or_insert(mark);
        }
    }

    fn refused(&mut self, lane: Lane, mark: Mark, code: u16, text: String, ids: (u16, u16)) {
        let method = name_of(ids);
        let lanes: Vec<Lane> = match lane.channel {
            0 => self
                .channels
                .keys()
                .copied()
                .filter(|other| other.connection == lane.connection)
                .collect(),
            _ => vec![lane],
        };
        // Of the frames that it may answer, the last that was sent.
        let culprit = lanes
            .iter()
            .filter_map(|lane| self.channels.get(lane)?.sent.get(method).copied())
            .max_by_key(|mark| mark.event);
        for other in &lanes {
            if let Some(channel) = self.channels.get_mut(other) {
                for asked in channel.asked.drain(..) {
                    if let Detail::Declare(index) = asked.what
                        && asked.method == method
                    {
                        self.story.declares[index].refused = Some(code);
                    }
                }
                channel.unconfirmed.clear();
                channel.open.clear();
            }
        }
        self.story.refusals.push(Refusal {
            lane,
            mark,
            code,
            text,
            method: method.to_owned(),
            culprit,
        });
    }
}

/// `4.3.6` as major and minor.
fn version(value: &AMQPValue) -> Option<(u32, u32)> {
    let AMQPValue::LongString(text) = value else {
        return None;
    };
    let text = text.to_string();
    let mut numbers = text.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

fn delivery(lane: Lane, got: Mark) -> Delivery {
    Delivery {
        lane,
        got,
        content: None,
        by: By::Unknown,
        tag: 0,
        queue: String::new(),
        automatic: false,
        redelivered: false,
        exchange: String::new(),
        key: String::new(),
        reply_to: None,
        correlation_id: None,
        body: Vec::new(),
        whole: false,
        settled: None,
        recovered: None,
    }
}

/// The method that a broker's error answers (AMQP 0-9-1 §1.2); empty: none that there is.
fn name_of(ids: (u16, u16)) -> &'static str {
    let known = METHOD_IDS.iter().find(|(known, _)| *known == ids);
    known.map_or("", |(_, name)| name)
}
