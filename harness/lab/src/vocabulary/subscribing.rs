//! What a program binds to an exchange.

use std::collections::BTreeSet;

use amqp_tap::story::{Bind, Story};
use lapin::types::FieldTable;
use workbook_report::failure::Failure;

use crate::program::Program;

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
            let bound = bindings(&program.story(), exchange).into_iter().next();
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
        bindings(&self.story(), exchange)
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

/// The bindings to an exchange by which queues get its messages, in order: also those that go through other exchanges,
/// each with the key and the arguments at the exchange that was asked for.
fn bindings(story: &Story, exchange: &str) -> Vec<Bound> {
    // Only those that the broker has certainly made.
    let made = story.binds.iter().filter(|bind| bind.answered.is_some());
    let binds: Vec<&Bind> = made.collect();
    let mut bound = Vec::new();
    for first in binds.iter().filter(|bind| bind.exchange == exchange) {
        let mut reached = vec![*first];
        let mut next = 0;
        while let Some(bind) = reached.get(next).copied() {
            let goes_on = |it: &&&Bind| !bind.to_queue && it.exchange == bind.destination;
            // Exchanges may be bound in a circle.
            let new = |it: &&&Bind| !reached.iter().any(|known| std::ptr::eq(*known, **it));
            let on: Vec<&Bind> = binds.iter().filter(goes_on).filter(new).copied().collect();
            reached.extend(on);
            next += 1;
        }
        let mut queues: Vec<&str> = Vec::new();
        for queue in reached.into_iter().filter_map(Bind::queue) {
            if !queues.contains(&queue) {
                queues.push(queue);
            }
        }
        bound.extend(queues.into_iter().map(|queue| Bound {
            queue: queue.to_owned(),
            key: first.key.clone(),
            arguments: first.arguments.clone(),
        }));
    }
    bound
}
