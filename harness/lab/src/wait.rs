//! Waiting for events: the one place of the lab that knows a clock.
//!
//! Nothing here waits for an amount of time. A [`Bell`] rings whenever something
//! happened (a frame, a line, an exit); whoever waits looks again at each ring,
//! and stops the moment that the thing it waits for is there. A deadline only
//! bounds how long a check can take when that thing never comes.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::Instant};

/// How long a check waits for an event that a correct program brings about at once.
///
/// Generous, because the machine may be busy; a check that passes never waits for it.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// The deadline while a smaller case is looked for, after one has failed.
pub const SHORT_DEADLINE: Duration = Duration::from_secs(4);

/// How long a check holds back what a program waits for, where a program that does not wait for it cannot be told
/// otherwise from one that does: longer than an impatient one waits.
///
/// The one wait that takes its time also when all is well, so only few checks have it, and all their programs wait at
/// the same time. It is shorter than the 5 s after which careful programs give up with an error.
pub const PATIENCE: Duration = Duration::from_secs(4);

/// What a deadline grants beyond the time that an exercise's text gives a
/// program, because the machine may be busy with other things.
pub const GRACE: Duration = Duration::from_secs(4);

/// Rings when something happened. Clones are the same bell.
#[derive(Clone, Debug)]
pub struct Bell {
    rings: Arc<watch::Sender<u64>>,
    /// How long whoever waits for it waits, unless told otherwise.
    pub deadline: Duration,
}

impl Bell {
    /// A bell that nobody rang yet.
    pub fn new(deadline: Duration) -> Self {
        Self {
            rings: Arc::new(watch::Sender::new(0)),
            deadline,
        }
    }

    /// Tells everybody who waits to look again.
    pub fn ring(&self) {
        self.rings.send_modify(|rings| *rings += 1);
    }

    /// Waits until `look` sees what it looks for; `None` when the deadline came first.
    ///
    /// What is there already counts: `look` is asked once before any ring, and
    /// once more at the deadline.
    pub async fn until<T>(
        &self,
        within: Duration,
        mut look: impl FnMut() -> Option<T>,
    ) -> Option<T> {
        let mut rings = self.rings.subscribe();
        let deadline = Instant::now() + within;
        loop {
            rings.mark_unchanged();
            if let Some(seen) = look() {
                return Some(seen);
            }
            match tokio::time::timeout_at(deadline, rings.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return look(),
            }
        }
    }
}

/// Awaits something with a deadline; `None` when the deadline came first.
pub async fn within<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limit, future).await.ok()
}
