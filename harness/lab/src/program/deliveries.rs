//! What the broker delivers to a program, held against a model of routing.

use std::collections::BTreeSet;

use workbook_diagnosis::model::{Message, copies, disagreement};
use workbook_report::failure::{Checked, Failure};

use super::Program;
use crate::lab::Lab;

impl Lab {
    /// Holds that a program gets what the model says of the messages that were published to an exchange and confirmed:
    /// one copy of each that `passes`, in order, and no other; and that it prints them so.
    ///
    /// A last message goes straight to each of its queues: when it comes, all that was published before has come.
    pub async fn expect_routed(
        &self,
        program: &Program,
        exchange: &str,
        published: &[Message],
        passes: impl Fn(&Message) -> bool,
    ) -> Checked {
        let bound = program.bindings(exchange).into_iter();
        let queues: BTreeSet<String> = bound.map(|bound| bound.queue).collect();
        let end = self.unique("end");
        for queue in &queues {
            self.judge().await?.publish(queue, &[&end]).await?;
        }
        let what = format!("`{}` gets what is in its queue", program.name());
        let mut got = program
            .until(&what, |program| {
                let got = program.delivered();
                let ends = got.iter().filter(|body| **body == end).count();
                (ends == queues.len()).then_some(Ok(got))
            })
            .await?;
        got.retain(|body| *body != end);
        if queues.len() > 1 {
            // Several queues are not in step with each other.
            got.sort_by_key(|body| published.iter().position(|it| it.body == *body));
        }
        if let Some(it) = disagreement(published, &passes, &got) {
            let expected = format!("`{}` {}", program.name(), it.expected);
            return Err(program.explain(Failure::new(expected, it.observed)));
        }
        let [queue] = queues.iter().collect::<Vec<_>>()[..] else {
            // What comes from several queues is printed in an order of its own.
            return Ok(());
        };
        let end = [Message::keyed(queue, end)];
        let printed: Vec<_> = copies(published, passes).chain(&end).cloned().collect();
        program.prints_messages(&printed).await
    }
}

impl Program {
    /// Waits until a message was delivered to it, whatever it says.
    pub async fn gets_something_from(&self, who: &str) -> Checked {
        let what = format!("`{}` gets what {who} publishes", self.name());
        self.until(&what, |program| {
            (!program.delivered().is_empty()).then_some(Ok(()))
        })
        .await
    }

    /// The bodies of all messages that were delivered to it so far, in order.
    pub fn delivered(&self) -> Vec<String> {
        let deliveries = self.story().deliveries.into_iter();
        deliveries
            .filter(|delivery| delivery.whole)
            .map(|delivery| String::from_utf8_lossy(&delivery.body).into_owned())
            .collect()
    }
}
