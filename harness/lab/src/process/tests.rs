//! What comes of what a process prints.

use std::{collections::BTreeMap, ffi::OsString, path::Path, sync::Arc};

use tempfile::TempDir;

use super::{Command, Ended, Process, Terminal};
use crate::wait::{Bell, DEADLINE};

/// Starts a script of the shell in a folder.
fn start(folder: &Path, script: &str, input: &[u8], bell: &Bell) -> Process {
    let command = Command {
        argv: ["sh", "-c", script].map(OsString::from).to_vec(),
        directory: folder.to_owned(),
        environment: BTreeMap::from([(
            "PATH".to_owned(),
            std::env::var_os("PATH").unwrap_or_default(),
        )]),
    };
    let terminal = Terminal::open().expect("the system has terminals");
    Process::start(&command, terminal, input, bell).expect("there is a shell")
}

/// Its output, when it has ended with code 0.
async fn printed(process: &Process, bell: &Bell) -> Vec<u8> {
    let ended = bell.until(DEADLINE, || process.ended()).await;
    assert_eq!(ended, Some(Ended::Code(0)), "{}", process.stderr.text());
    process.stdout.bytes()
}

/// Each value of a byte, over and over.
fn bytes(count: usize) -> Vec<u8> {
    (0..=u8::MAX).cycle().take(count).collect()
}

/// `cut` is a program in C: to a pipe it writes 4 KiB at a time, or what is left at its end.
#[tokio::test]
async fn a_line_is_seen_while_the_program_holds_its_output_open() {
    let folder = TempDir::new().expect("a folder");
    let bell = Bell::new(DEADLINE);
    let script = "mkfifo go; { echo line; read it < go; echo last; } | cut -c 1-";
    let process = start(folder.path(), script, b"", &bell);
    let seen = bell.until(DEADLINE, || {
        (process.stdout.text() == "line\n").then_some(process.ended())
    });
    assert_eq!(seen.await, Some(None), "{:?}", process.stdout.text());
    std::fs::write(folder.path().join("go"), "\n").expect("it reads there");
    assert_eq!(printed(&process, &bell).await, b"line\nlast\n");
}

/// Line breaks get no carriage return, and no byte means anything to the terminal: no Ctrl-C, no end, no stop.
#[tokio::test]
async fn every_byte_comes_through_as_it_is() {
    let folder = TempDir::new().expect("a folder");
    let bell = Bell::new(DEADLINE);
    std::fs::write(folder.path().join("all"), bytes(256)).expect("it can be written");
    let script = "trap 'exit 1' INT HUP QUIT TSTP; cat all; cat >&2";
    let process = start(folder.path(), script, &bytes(256), &bell);
    assert_eq!(printed(&process, &bell).await, bytes(256));
    assert_eq!(process.stderr.bytes(), bytes(256));
}

/// A terminal holds 4 KiB and hands them on later: what was printed just before the end must come all the same.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_mebibyte_is_lost_at_the_end() {
    let folder = Arc::new(TempDir::new().expect("a folder"));
    let all = Arc::new(bytes(1 << 20));
    std::fs::write(folder.path().join("all"), &*all).expect("it can be written");
    let mut runs = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let (folder, all) = (Arc::clone(&folder), Arc::clone(&all));
        runs.spawn(async move {
            let bell = Bell::new(DEADLINE);
            let process = start(folder.path(), "exec cat all", b"", &bell);
            let printed = printed(&process, &bell).await;
            assert!(printed == *all, "{} bytes came", printed.len());
        });
    }
    runs.join_all().await;
}

/// An heir that holds the terminal open is not waited for, and what it prints later is not the program's.
#[tokio::test]
async fn a_program_is_over_when_its_first_process_is() {
    let folder = TempDir::new().expect("a folder");
    let bell = Bell::new(DEADLINE);
    let script = "sleep 1000 & setsid sleep 1000 & echo last";
    let process = start(folder.path(), script, b"", &bell);
    assert_eq!(printed(&process, &bell).await, b"last\n");
}

/// It would get the signals of the terminal then, and take it from whoever reads.
#[tokio::test]
async fn the_terminal_controls_nobody() {
    let folder = TempDir::new().expect("a folder");
    let bell = Bell::new(DEADLINE);
    let script = "test -t 1 && ! test -t 0 && ! test -t 2 && cut -d ' ' -f 7 /proc/$$/stat";
    let process = start(folder.path(), script, b"", &bell);
    let of_it = printed(&process, &bell).await;
    let ours = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let ours = ours.split(' ').nth(6).expect("the controlling terminal");
    assert_eq!(String::from_utf8_lossy(&of_it).trim(), ours);
}
