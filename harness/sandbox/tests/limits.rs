//! How a command ends that passes a limit of its sandbox.

#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, reason = "a test stops at what it did not expect")]

mod common;

use workbook_sandbox::{Limits, Tripped, run::Finish};

/// The kernel has a limit of its own for each process; it must not be faster than whoever tells what happened.
#[tokio::test]
async fn who_spins_is_told_of_its_processor_time() {
    let limits = Limits {
        cpu: 1,
        ..Limits::PROGRAM
    };
    for _ in 0..3 {
        let outcome = common::script(limits, "while :; do :; done").await;
        assert_eq!(outcome.ended, Finish::Tripped(Tripped::Cpu), "{outcome:?}");
    }
}
