//! A program in a sandbox prints to a terminal that it gets from outside.

#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, reason = "a test stops at what it did not expect")]

#[allow(dead_code, reason = "it runs a script in a way of its own")]
mod common;

use std::{
    fs::File,
    io::Read,
    os::fd::{AsFd, OwnedFd},
    process::Stdio,
    time::Duration,
};

use rustix::{
    pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt},
    termios::{OptionalActions, tcgetattr, tcsetattr},
};
use workbook_sandbox::{Limits, Sandbox, wire::Over};

/// Our end of a raw terminal, and the program's.
fn terminal() -> rustix::io::Result<(OwnedFd, OwnedFd)> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let ours = openpt(flags)?;
    grantpt(&ours)?;
    unlockpt(&ours)?;
    let theirs = ioctl_tiocgptpeer(&ours, flags)?;
    let mut modes = tcgetattr(&theirs)?;
    modes.make_raw();
    tcsetattr(&theirs, OptionalActions::Now, &modes)?;
    Ok((ours, theirs))
}

/// `cut` is a program in C: to a pipe it would write what it has when it is over. Its end comes only when its first line
/// was seen; and it can open its standard output once more, by name.
#[tokio::test(flavor = "multi_thread")]
async fn a_line_is_seen_while_the_program_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let room = common::room(folder.path(), Limits::PROGRAM);
    let (ours, theirs) = terminal().expect("the system has terminals");
    let cell = Sandbox::prepare(&room).expect("a place");
    let mut child = tokio::process::Command::from(cell.command(&room))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .expect("it can be started");
    let died = std::future::pending();
    let ready = cell.listen(&[], Some(theirs.as_fd()), died).await;
    drop(theirs);
    let go = common::go("test -t 1 && printf '1\\n\\3\\4\\23\\0\\n' > /dev/stdout && cut -c 1-");
    let ready = ready.expect("bubblewrap is installed: apt-get install bubblewrap");
    let control = ready.go(&go).await.expect("it answers");
    let mut input = child.stdin.take().expect("a pipe");
    tokio::io::AsyncWriteExt::write_all(&mut input, b"line\n")
        .await
        .expect("it reads");
    let all = tokio::task::spawn_blocking(move || {
        let mut all = Vec::new();
        let mut ours = File::from(ours);
        let mut buffer = [0; 64];
        let mut input = Some(input);
        // The end of a terminal is an error.
        while let Ok(length) = ours.read(&mut buffer) {
            all.extend_from_slice(&buffer[..length]);
            if all.ends_with(b"line\n") {
                input.take();
            }
        }
        all
    });
    let all = tokio::time::timeout(Duration::from_mins(1), all).await;
    let all = all.expect("the line is seen in time").expect("it is read");
    assert_eq!(all, b"1\n\x03\x04\x13\0\nline\n");
    child.wait().await.expect("it ends");
    assert_eq!(control.over(), Some(Over::Code(0)));
}
