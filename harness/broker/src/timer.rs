//! The crate's one clock: waiting for something to become true, with a deadline.
//!
//! Starting a server, a lock held by another process and the end of a foreign process tell nobody
//! when they happen, so they are asked again and again. This is the only place that may sleep, and
//! it always ends by its deadline.

use std::future::Future;
use std::time::{Duration, Instant};

/// How long it is between two questions. Short beside what is waited for (seconds), and cheap:
/// a question is a file lock, a signal 0 or a connection on the loopback.
const PAUSE: Duration = Duration::from_millis(20);

/// Asks `question` until it answers `Some`, or `None` when `deadline` has passed.
pub(crate) async fn until<T, Q, F>(deadline: Instant, mut question: Q) -> Option<T>
where
    Q: FnMut() -> F,
    F: Future<Output = Option<T>>,
{
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        // The question itself may hang (a peer that accepts and says nothing), so it is bounded too.
        // A first question is asked even when no time is left.
        match tokio::time::timeout(left.max(PAUSE), question()).await {
            Ok(Some(answer)) => return Some(answer),
            Ok(None) if left.is_zero() => return None,
            Err(_) => return None,
            Ok(None) => pause(left).await,
        }
    }
}

/// Waits before a question is asked again, and never longer than what is left.
#[expect(
    clippy::disallowed_methods,
    reason = "the one timer: bounded polling of foreign processes"
)]
pub(crate) async fn pause(left: Duration) {
    tokio::time::sleep(PAUSE.min(left)).await;
}
