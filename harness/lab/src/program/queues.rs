//! The queues of a program: how it declares them, and how it takes messages from them.

use amqp_tap::story::{Consumer, Story};
use lapin::protocol::{AMQPClass, queue};
use workbook_diagnosis::finding::anonymous;
use workbook_report::failure::{Checked, Failure};

use super::Program;

impl Program {
    /// Waits until a queue of this name is declared, and returns how the program declared it.
    ///
    /// To ask whether it is there (a passive declare) is no declaration; nor is one that the broker refused.
    pub async fn declares_queue(&self, queue: &str) -> Result<queue::Declare, Failure> {
        let what = format!("`{}` declares the queue `{queue}`", self.name());
        self.until(&what, |program| {
            let number = program.read(|story| {
                let mut declares = story.declares.iter();
                let declared = declares.find(|it| {
                    it.is_queue && !it.passive && it.answered.is_some() && it.name == queue
                });
                declared.map(|it| it.asked.event)
            })?;
            let mut events = program.events().into_iter();
            let event = events.find(|event| event.number == number)?;
            match event.class() {
                Some(AMQPClass::Queue(queue::AMQPMethod::Declare(declare))) => {
                    Some(Ok(declare.clone()))
                }
                _ => None,
            }
        })
        .await
    }

    /// Waits until the program takes messages from a queue of this name, whichever way: it consumes, or it asks for
    /// them (`basic.get`). From then on the queue is there, and the program gets what comes into it.
    pub async fn takes_from(&self, queue: &str) -> Checked {
        let what = self.consuming(queue);
        self.until(&what, |program| {
            let takes = program.read(|story| {
                let mut gets = story.gets.iter();
                consumes(story, queue) || gets.any(|it| it.queue == queue)
            });
            takes.then_some(Ok(()))
        })
        .await
    }

    /// Waits until the program consumes from a queue of this name (`basic.consume`).
    ///
    /// One that polls never does. For all that needs only the messages, there is [`Program::takes_from`].
    pub async fn consumes_from(&self, queue: &str) -> Checked {
        let what = self.consuming(queue);
        let consumes = self.until(&what, |program| {
            program
                .read(|story| consumes(story, queue))
                .then_some(Ok(()))
        });
        consumes.await.map_err(|mut failure| {
            let gets = self.read(|story| story.gets.len());
            if gets > 0 && !failure.is_infra() {
                failure
                    .observed
                    .push_str("\nit asks for each message by itself (basic.get)");
            }
            failure
        })
    }

    fn consuming(&self, queue: &str) -> String {
        format!(
            "`{}` consumes from the queue `{}`",
            self.name(),
            anonymous(queue)
        )
    }

    /// It takes messages from some queue, whichever way: it consumes, or it has asked for one.
    pub fn takes_messages(&self) -> bool {
        self.read(|story| {
            let mut consumers = story.consumers.iter();
            !story.gets.is_empty() || consumers.any(|it| it.answered.is_some())
        })
    }

    /// It takes messages on two connections.
    pub(super) fn takes_again(&self) -> bool {
        self.read(|story| {
            let consumers = story.consumers.iter().filter(|it| it.answered.is_some());
            let consuming = consumers.map(|it| it.lane.connection);
            let getting = story.gets.iter().map(|it| it.lane.connection);
            let mut taking = consuming.chain(getting);
            let first = taking.next();
            taking.any(|connection| Some(connection) != first)
        })
    }

    /// Reads its tape.
    pub(super) fn read<T>(&self, look: impl FnOnce(&Story) -> T) -> T {
        look(&self.story())
    }
}

fn consumes(story: &Story, queue: &str) -> bool {
    let is_there = |it: &Consumer| it.answered.is_some() && it.queue == queue;
    story.consumers.iter().any(is_there)
}
