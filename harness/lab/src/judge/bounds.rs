//! Queues that go, or that are full.

use lapin::{
    BasicProperties,
    options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeleteOptions, QueuePurgeOptions},
};
use workbook_report::failure::{Checked, Failure};

use super::{Asked as _, Judge, refused};
use crate::lab::Lab;

/// So many messages are in a queue with a bound long before the broker has told it of the bound.
const FAR_TOO_MANY: u32 = 10_000;

impl Judge {
    /// Deletes a queue, with all that is in it.
    pub async fn delete(&self, queue: &str) -> Checked {
        let channel = self.channel().await?;
        let deleted = channel
            .queue_delete(queue.into(), QueueDeleteOptions::default())
            .in_time()
            .await;
        deleted
            .map(drop)
            .map_err(|error| refused(&format!("the lab can delete the queue `{queue}`"), &error))
    }

    /// Takes all messages out of a queue.
    async fn purge(&self, queue: &str) -> Checked {
        let channel = self.channel().await?;
        let purged = channel
            .queue_purge(queue.into(), QueuePurgeOptions::default())
            .in_time()
            .await;
        purged
            .map(drop)
            .map_err(|error| refused(&format!("the lab can purge the queue `{queue}`"), &error))
    }

    /// Publishes to a queue until it refuses a message.
    async fn fill(&self, queue: &str) -> Checked {
        let expected = format!("the queue `{queue}` refuses messages when it is full");
        let failed = |error| refused(&expected, &error);
        let channel = self.channel().await?;
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .in_time()
            .await
            .map_err(failed)?;
        for _ in 0..FAR_TOO_MANY {
            let options = BasicPublishOptions::default();
            let properties = BasicProperties::default();
            let published = channel
                .basic_publish("".into(), queue.into(), options, b"", properties)
                .in_time()
                .await
                .map_err(failed)?;
            if published.in_time().await.map_err(failed)?.is_nack() {
                return Ok(());
            }
        }
        Err(Failure::new(
            expected,
            format!("it took {FAR_TOO_MANY} messages"),
        ))
    }
}

impl Lab {
    /// Fills a queue that a program has declared, up to room for so many messages: it refuses what comes beyond.
    ///
    /// Returns how many messages of the lab's own are in it then. (With room in it, none; without, one.)
    pub async fn leaves_room(&self, queue: &str, messages: u32) -> Result<u32, Failure> {
        self.refuses_beyond(queue, messages.max(1)).await?;
        let judge = self.judge().await?;
        // When it refuses a message, it knows its bound.
        judge.fill(queue).await?;
        if messages == 0 {
            let depth = judge.queue(queue).await?;
            return Ok(depth.map_or(0, |depth| depth.messages));
        }
        judge.purge(queue).await?;
        Ok(0)
    }
}
