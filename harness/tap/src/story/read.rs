//! Reading a tape into a story.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use amq_protocol::{
    protocol::{AMQPClass, basic},
    types::ShortString,
};

use super::{Connection, Lane, Mark, Story};
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
    pub(super) fn named(&mut self, lane: Lane, queue: &str) -> String {
        match queue {
            "" => self.channel(lane).last_queue.clone(),
            name => name.to_owned(),
        }
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
