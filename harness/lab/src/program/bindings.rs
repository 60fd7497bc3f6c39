//! What a program binds to an exchange.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use amqp_tap::{Event, Side};
use lapin::{
    protocol::{AMQPClass, exchange, queue},
    types::FieldTable,
};
use workbook_report::failure::Failure;

use super::Program;

/// A binding that is certainly in force.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// The queue, by the name that the broker knows it by.
    pub queue: String,
    /// The routing key, or the pattern of one.
    pub key: String,
    /// What else the binding asks for, such as the headers of a message.
    pub arguments: FieldTable,
}

impl Program {
    /// Waits until a queue is bound to an exchange, with whatever key, and returns the queue's name. Whether it is bound
    /// by itself, or through another exchange that is bound, is the program's choice.
    ///
    /// From then on all that reaches the exchange reaches the queue, whether the program consumes already or not.
    pub async fn subscribes_to(&self, exchange: &str) -> Result<String, Failure> {
        let what = format!(
            "`{}` binds a queue to the exchange `{exchange}`",
            self.name()
        );
        self.until(&what, |program| {
            let bound = bindings(&program.events(), exchange).into_iter().next();
            bound.map(|bound| Ok(bound.queue))
        })
        .await
    }

    /// Waits until a queue is bound to an exchange, and the program takes messages from every queue that it has bound
    /// by then; returns the bindings.
    ///
    /// A program that binds all that it wants before it consumes has made all its bindings then.
    pub async fn listens_to(&self, exchange: &str) -> Result<Vec<Bound>, Failure> {
        let first = self.subscribes_to(exchange).await?;
        self.takes_from(&first).await?;
        let bound = self.bindings(exchange);
        let queues: BTreeSet<&str> = bound.iter().map(|it| it.queue.as_str()).collect();
        for queue in queues {
            self.takes_from(queue).await?;
        }
        Ok(bound)
    }

    /// The bindings to an exchange that it has made so far, in order.
    pub fn bindings(&self, exchange: &str) -> Vec<Bound> {
        bindings(&self.events(), exchange)
    }

    /// Waits until each of these keys is bound to an exchange, and returns the bindings.
    ///
    /// A program that consumes and has bound another key has made something else of its arguments; there is nothing to
    /// wait for then.
    pub async fn binds_keys(&self, exchange: &str, keys: &[&str]) -> Result<Vec<Bound>, Failure> {
        let all = keys
            .iter()
            .map(|key| format!("`{key}`"))
            .collect::<Vec<_>>();
        let what = format!(
            "`{}` binds its queue to the exchange `{exchange}` with {}",
            self.name(),
            all.join(", ")
        );
        let all_bound = self.until(&what, |program| {
            let bound = program.bindings(exchange);
            let done = |key: &&str| bound.iter().any(|it| it.key == *key);
            if keys.iter().all(done) {
                return Some(Ok(bound));
            }
            let other = bound.iter().any(|it| !keys.contains(&it.key.as_str()));
            let mut events = program.events().into_iter();
            let consumes = other && events.any(|event| event.is("basic.consume-ok"));
            consumes.then(|| Err(Failure::new(&what, "it did not")))
        });
        all_bound.await.map_err(|mut failure| {
            let bound = self.bindings(exchange);
            if !bound.is_empty() {
                let keys: Vec<_> = bound.iter().map(|it| format!("`{}`", it.key)).collect();
                failure.observed.push_str("\nit bound ");
                failure.observed.push_str(&keys.join(", "));
            }
            failure
        })
    }
}

/// A binding between an exchange and a queue, or another exchange, that is certainly in force.
struct Link {
    source: String,
    destination: String,
    to_queue: bool,
    key: String,
    arguments: FieldTable,
}

/// The bindings to an exchange by which queues get its messages, in order: also those that go through other exchanges,
/// each with the key and the arguments at the exchange that was asked for.
fn bindings(events: &[Arc<Event>], exchange: &str) -> Vec<Bound> {
    let links = links(events);
    let mut bound = Vec::new();
    for first in links.iter().filter(|link| link.source == exchange) {
        let mut reached = vec![first];
        let mut next = 0;
        while let Some(link) = reached.get(next) {
            let goes_on = |it: &&Link| !link.to_queue && it.source == link.destination;
            let on: Vec<_> = links.iter().filter(goes_on).collect();
            // Exchanges may be bound in a circle.
            let new = on
                .into_iter()
                .filter(|it| !reached.iter().any(|known| std::ptr::eq(*known, *it)));
            let new: Vec<_> = new.collect();
            reached.extend(new);
            next += 1;
        }
        let mut queues = Vec::new();
        for link in reached.into_iter().filter(|link| link.to_queue) {
            if !queues.contains(&&link.destination) {
                queues.push(&link.destination);
            }
        }
        bound.extend(queues.into_iter().map(|queue| Bound {
            queue: queue.clone(),
            key: first.key.clone(),
            arguments: first.arguments.clone(),
        }));
    }
    bound
}

/// The bindings that the broker has certainly made, in order.
fn links(events: &[Arc<Event>]) -> Vec<Link> {
    // An empty name stands for the queue that the channel declared last.
    let mut last: HashMap<(u32, Option<u16>), String> = HashMap::new();
    let mut links = Vec::new();
    for (index, event) in events.iter().enumerate() {
        let lane = (event.connection, event.channel());
        // A channel's answers come in the order of its questions.
        let is_made = |nowait: bool, ok: &str| {
            let answer = events[index..].iter().find(|later| {
                later.from == Side::Broker
                    && (later.connection, later.channel()) == lane
                    && (nowait || later.is(ok) || later.is("channel.close"))
                    && later.method().is_some()
            });
            answer.is_some_and(|answer| !answer.is("channel.close"))
        };
        match event.class() {
            Some(AMQPClass::Queue(queue::AMQPMethod::DeclareOk(ok))) => {
                last.insert(lane, ok.queue.to_string());
            }
            Some(AMQPClass::Queue(queue::AMQPMethod::Declare(declare))) if declare.nowait => {
                last.insert(lane, declare.queue.to_string());
            }
            Some(AMQPClass::Queue(queue::AMQPMethod::Bind(bind)))
                if is_made(bind.nowait, "queue.bind-ok") =>
            {
                let queue = match bind.queue.as_str() {
                    "" => last.get(&lane).cloned().unwrap_or_default(),
                    name => name.to_owned(),
                };
                links.push(Link {
                    source: bind.exchange.to_string(),
                    destination: queue,
                    to_queue: true,
                    key: bind.routing_key.to_string(),
                    arguments: bind.arguments.clone(),
                });
            }
            Some(AMQPClass::Exchange(exchange::AMQPMethod::Bind(bind)))
                if is_made(bind.nowait, "exchange.bind-ok") =>
            {
                links.push(Link {
                    source: bind.source.to_string(),
                    destination: bind.destination.to_string(),
                    to_queue: false,
                    key: bind.routing_key.to_string(),
                    arguments: bind.arguments.clone(),
                });
            }
            _ => {}
        }
    }
    links
}
