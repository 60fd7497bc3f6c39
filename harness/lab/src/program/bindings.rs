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

use super::Program;
use crate::failure::Failure;

/// A binding that is certainly in force.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// The queue that messages reach by it, by the name that the broker knows it by.
    pub queue: String,
    /// The routing key, or the pattern of one.
    pub key: String,
    /// What else the binding asks for, such as the headers of a message.
    pub arguments: FieldTable,
}

impl Program {
    /// Waits until a queue is bound to an exchange, with whatever key, and answers the queue's name.
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
    /// by then; answers the bindings.
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

    /// Waits until each of these keys is bound to an exchange, and answers the bindings.
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

/// A step of a message's way, that the broker has certainly made.
struct Step {
    source: String,
    destination: String,
    /// To a queue; otherwise to an exchange.
    to_queue: bool,
    key: String,
    arguments: FieldTable,
}

/// The bindings to an exchange that the broker has certainly made, in order.
///
/// A queue may also be bound to an exchange of the program's own that is bound to this one. What such a binding asks for
/// is said at its first step.
fn bindings(events: &[Arc<Event>], exchange: &str) -> Vec<Bound> {
    let steps = steps(events);
    let first = steps.iter().filter(|step| step.source == exchange);
    let bound = first.flat_map(|step| {
        queues_behind(&steps, step).into_iter().map(|queue| Bound {
            queue: queue.to_owned(),
            key: step.key.clone(),
            arguments: step.arguments.clone(),
        })
    });
    bound.collect()
}

/// The queues that messages can reach by a step.
fn queues_behind<'a>(steps: &'a [Step], first: &'a Step) -> BTreeSet<&'a str> {
    let (mut queues, mut exchanges) = (BTreeSet::new(), BTreeSet::new());
    let mut to_go = vec![first];
    while let Some(step) = to_go.pop() {
        if step.to_queue {
            queues.insert(step.destination.as_str());
        } else if exchanges.insert(&step.destination) {
            to_go.extend(steps.iter().filter(|next| next.source == step.destination));
        }
    }
    queues
}

/// All steps of messages' ways that the broker has certainly made, in order.
fn steps(events: &[Arc<Event>]) -> Vec<Step> {
    // An empty name stands for the queue that the channel declared last.
    let mut last: HashMap<(u32, Option<u16>), String> = HashMap::new();
    let mut steps = Vec::new();
    for (index, event) in events.iter().enumerate() {
        let lane = (event.connection, event.channel());
        // A channel's answers come in the order of its questions.
        let is_made = |answer: &str, nowait: bool| {
            let answer = events[index..].iter().find(|later| {
                later.from == Side::Broker
                    && (later.connection, later.channel()) == lane
                    && (nowait || later.is(answer))
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
                if is_made("queue.bind-ok", bind.nowait) =>
            {
                let queue = match bind.queue.as_str() {
                    "" => last.get(&lane).cloned().unwrap_or_default(),
                    name => name.to_owned(),
                };
                steps.push(Step {
                    source: bind.exchange.to_string(),
                    destination: queue,
                    to_queue: true,
                    key: bind.routing_key.to_string(),
                    arguments: bind.arguments.clone(),
                });
            }
            Some(AMQPClass::Exchange(exchange::AMQPMethod::Bind(bind)))
                if is_made("exchange.bind-ok", bind.nowait) =>
            {
                steps.push(Step {
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
    steps
}
