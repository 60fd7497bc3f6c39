//! The one place that lets time pass on purpose: faults that delay or throttle are made of it.
//!
//! Everything else in this crate waits for events, with deadlines.

use std::time::Duration;

/// Lets `duration` pass.
#[expect(
    clippy::disallowed_methods,
    reason = "the delay and throttle faults are amounts of time by definition; nothing waits for an event this way"
)]
pub(crate) async fn pass(duration: Duration) {
    tokio::time::sleep(duration).await;
}
