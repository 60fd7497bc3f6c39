//! What a program does while the broker's confirms are held back.

use std::sync::Arc;

use amqp_tap::{Event, Fault, Injected, Rule, Side, broker};
use workbook_diagnosis::printed::find_words;
use workbook_report::failure::{Checked, Failure};

use super::{WORDS, Word};
use crate::{lab::Lab, program::Program};

/// The confirms of a program that are held back until they are let go.
#[derive(Debug)]
pub struct HeldConfirms(Injected);

impl HeldConfirms {
    /// Lets them go.
    pub fn release(self) {
        self.0.release();
    }
}

/// How held confirms reach the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// As the broker sent them.
    AsTheyCame,
    /// As few as possible, with `multiple`.
    Merged,
}

impl Program {
    /// Holds back all confirms from the next one on.
    pub fn holds_confirms(&self, release: Release) -> Result<HeldConfirms, Failure> {
        self.holds_confirms_from(1, release)
    }

    /// Holds back all confirms from the `nth` that comes from now on.
    pub fn holds_confirms_from(&self, nth: u64, release: Release) -> Result<HeldConfirms, Failure> {
        let fault = match release {
            Release::AsTheyCame => Fault::HoldConfirms,
            Release::Merged => Fault::MergeConfirms,
        };
        let injected = self.inject(fault, Rule::before(broker("basic.ack")).nth(nth));
        injected.map(HeldConfirms).ok_or_else(|| {
            let error = std::io::Error::other("it has no open tap");
            Failure::infra(
                format!("the confirms of `{}` are held", self.name()),
                &error,
            )
        })
    }

    /// How many of its messages the broker has confirmed, whether it has heard of it or not.
    pub fn answered(&self) -> usize {
        let story = self.story();
        story.publishes.iter().filter(|it| it.decided).count()
    }

    /// Waits until it has published so many messages and the broker has confirmed them all.
    pub async fn is_answered(&self, count: usize, when: &str) -> Checked {
        let what = format!("`{}` publishes {} {when}", self.name(), messages(count));
        self.until(&what, |program| {
            (program.answered() >= count).then_some(Ok(()))
        })
        .await
    }

    /// Holds that it says nothing and publishes nothing more, beyond the messages that it has published, as long as an
    /// impatient program waits for their confirms.
    pub async fn waits_with(&self, published: usize) -> Checked {
        let what = format!("`{}` publishes {}", self.name(), messages(published));
        let last = self
            .until(&what, |program| {
                let mut events = program.events().into_iter();
                let publish =
                    |event: &Arc<Event>| event.from == Side::Client && event.is("basic.publish");
                events.rfind(publish).map(Ok)
            })
            .await?;
        let broken = self.impatiently(&last, |program| {
            let more = || program.publishes_no_more_than(published, published);
            program.claims_nothing().and_then(|()| more()).err()
        });
        broken.await.map_or(Ok(()), Err)
    }

    /// Holds that it has published no more than so many messages, of which so many are not confirmed to it.
    fn publishes_no_more_than(&self, published: usize, open: usize) -> Checked {
        if self.sent().len() <= published {
            return Ok(());
        }
        let last = match open {
            1 => "the last one is",
            _ => "they are all",
        };
        let expected = format!(
            "`{}` publishes no more than {} before {last} confirmed to it",
            self.name(),
            messages(published),
        );
        Err(Failure::new(expected, "it published more"))
    }

    /// Holds that it has neither said anything of a message yet, nor closed its connection, nor ended.
    pub fn claims_nothing(&self) -> Checked {
        let expected = format!(
            "`{}` says nothing of its messages and keeps its connection until it has their confirms",
            self.name()
        );
        let output = self.stdout();
        let claim = find_words(&output, &WORDS, false)
            .into_iter()
            .find_map(|lines| lines.into_iter().next());
        let closed = |name: &str| {
            let mut events = self.events().into_iter();
            events.any(|event| event.from == Side::Client && event.is(name))
        };
        let observed = if let Some((index, _)) = claim {
            format!("it printed `{}` before", Word::ALL[index].as_str())
        } else if closed("connection.close") || closed("channel.close") {
            "it closed before".to_owned()
        } else if let Some(ended) = self.ended() {
            format!("it {ended} before")
        } else {
            return Ok(());
        };
        Err(self.explain(Failure::new(expected, observed)))
    }
}

impl Lab {
    /// Holds that a program which was just started waits for all confirms of `size` messages, or of what is left,
    /// before it publishes the next; and lets it go on to its end.
    ///
    /// It reads `count` bodies in all, and publishes them to `queue`.
    pub async fn goes_in_batches(
        &self,
        program: &Program,
        queue: &str,
        size: usize,
        count: usize,
    ) -> Checked {
        let mut held = program.holds_confirms(Release::AsTheyCame)?;
        let mut published = 0;
        while published < count {
            let before = published;
            published = (before + size).min(count);
            let when = match before {
                0 => "while none of them is confirmed to it".to_owned(),
                _ => format!("in all, when {before} are confirmed to it"),
            };
            program.is_answered(published, &when).await?;
            // Who does not wait has published more in the meantime.
            self.holds_messages(queue, published).await?;
            program.publishes_no_more_than(published, published - before)?;
            let next = program.holds_confirms(Release::AsTheyCame)?;
            held.release();
            held = next;
        }
        held.release();
        Ok(())
    }

    /// Holds that a queue has at least so many messages.
    pub async fn holds_messages(&self, queue: &str, count: usize) -> Checked {
        let depth = self.judge().await?.queue(queue).await?;
        let there = depth.map(|depth| depth.messages as usize);
        if there.is_some_and(|there| there >= count) {
            return Ok(());
        }
        let observed = match there {
            None => "there is no such queue".to_owned(),
            Some(there) => format!("it has {there}"),
        };
        let expected = format!("the queue `{queue}` has {}", messages(count));
        Err(self.explain(Failure::new(expected, observed)))
    }
}

/// "1 message", "3 messages".
fn messages(count: usize) -> String {
    match count {
        1 => "1 message".to_owned(),
        count => format!("{count} messages"),
    }
}
