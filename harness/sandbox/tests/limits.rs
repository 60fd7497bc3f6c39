//! How a command ends that passes a limit of its sandbox.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use workbook_sandbox::{
    Kind, Limits, Room, Tripped,
    run::{Ended, run},
    wire::Go,
};

/// The kernel has a limit of its own for each process; it must not be faster than whoever tells what happened.
#[tokio::test]
async fn who_spins_is_told_of_its_processor_time() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room {
        kind: Kind::Bwrap,
        tool: PathBuf::from("bwrap"),
        no_inner_users: false,
        entry: PathBuf::from(env!("CARGO_BIN_EXE_sandbox-entry")),
        folder: folder.path().to_owned(),
        etc: PathBuf::from("/etc"),
        binds: Vec::new(),
        first_uid: None,
        limits: Limits {
            cpu: 1,
            ..Limits::PROGRAM
        },
        environment: BTreeMap::new(),
        directory: PathBuf::from("/"),
    };
    let go = Go {
        argv: ["/bin/sh", "-c", "while :; do :; done"]
            .map(str::to_owned)
            .to_vec(),
        environment: BTreeMap::new(),
        directory: PathBuf::from("/"),
    };
    for _ in 0..3 {
        let outcome = run(&room, &go, Duration::from_mins(1), 1 << 10).await;
        let outcome = outcome.expect("bubblewrap is installed: apt-get install bubblewrap");
        assert_eq!(outcome.ended, Ended::Tripped(Tripped::Cpu), "{outcome:?}");
    }
}
