//! What a program in a sandbox sees of it, and of whoever made it.

#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, reason = "a test stops at what it did not expect")]

mod common;

use workbook_sandbox::{Limits, run::Finish, wire::ENTRY};

/// What a script says on standard error, where it came to its end.
async fn said(script: &str) -> String {
    let outcome = common::script(Limits::PROGRAM, script).await;
    assert_eq!(outcome.ended, Finish::Code(0), "{outcome:?}");
    outcome.said
}

/// A shell, or whatever runs the harness, hands on the descriptors that it has open.
#[tokio::test]
async fn nothing_that_was_open_outside_is_open_inside() {
    let file = std::fs::File::open("/etc/hostname").expect("every system has it");
    // Ours is closed at exec; its copies are not.
    let copies: Vec<_> = (0..4)
        .map(|_| rustix::io::dup(&file).expect("a descriptor"))
        .collect();
    let script = "it=3; while [ $it -lt 256 ]; do if [ -e /proc/$$/fd/$it ]; then echo $it is open >&2; fi; it=$((it + 1)); done";
    assert_eq!(said(script).await, "");
    drop(copies);
}

/// Everybody can read the command line of any process.
#[tokio::test]
async fn the_first_process_tells_nothing() {
    let command_line = said("tr '\\0' ' ' < /proc/1/cmdline >&2").await;
    assert_eq!(command_line.trim(), ENTRY);
    let script = "for it in environ fd/ root/ mem maps; do if cat /proc/1/$it || ls /proc/1/$it/; then echo READ $it >&2; fi; done; exit 0";
    let looked = said(script).await;
    assert!(!looked.contains("READ"), "{looked}");
}

/// A system has some thousand of them for everybody.
#[tokio::test]
async fn nobody_makes_terminals() {
    let said = said("if (: <> /dev/ptmx); then echo MADE >&2; fi; exit 0").await;
    assert!(!said.contains("MADE"), "{said}");
}
