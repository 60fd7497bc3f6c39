//! What a program asks for.

use std::mem;

use amq_protocol::{
    protocol::{AMQPClass, basic, channel, confirm, connection, exchange, queue, tx},
    types::FieldTable,
};
use serde_json::Value;

use super::{
    Bind, Consumer, Declare, Lane, Mark, Mode, Prefetch, Publish, Removal, Settle, Settled, Step,
    Tuning,
    read::{Asked, Detail, Reader},
};
use crate::message::Method;

impl Reader {
    pub(super) fn asked(&mut self, lane: Lane, mark: Mark, method: &Method) {
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
}
