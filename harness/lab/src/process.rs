//! A running process of a program: its output, its end, and the certainty that nothing of it stays behind.
//!
//! Each process leads a group of its own and carries the mark [`MARK`] in its
//! environment. When it ends, or its `Process` is dropped, the group is killed
//! and, on Linux, every other process that inherited the mark. When the lab's own
//! process is killed, the kernel kills the direct child with it (on Linux), and
//! the sweep of the next lab finds what else is left by the mark.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io,
    os::fd::OwnedFd,
    os::unix::process::{CommandExt, ExitStatusExt},
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::{io::AsyncWriteExt as _, net::unix::pipe, sync::watch, task::JoinHandle};

use crate::wait::Bell;

/// The variable that marks the processes of a lab, so that what a killed run
/// left behind can be found: `<pid of the check>-<its start time>-<number>`.
pub const MARK: &str = "WORKBOOK_LAB";

/// How many bytes of each stream are kept; a program that prints more is killed.
pub const OUTPUT_LIMIT: usize = 8 << 20;

/// What to start.
#[derive(Clone, Debug)]
pub struct Command {
    /// The executable and its arguments.
    pub argv: Vec<OsString>,
    /// The working directory.
    pub directory: PathBuf,
    /// The whole environment, but for the mark.
    pub environment: BTreeMap<String, OsString>,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It exited with this code.
    Code(i32),
    /// A signal killed it.
    Signal(i32),
    /// It was killed because it printed more than [`OUTPUT_LIMIT`].
    TooMuchOutput,
}

impl Ended {
    /// Whether it exited with code 0.
    pub fn is_success(self) -> bool {
        self == Ended::Code(0)
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Ended::Code(code) => write!(f, "exited with code {code}"),
            Ended::Signal(signal) => write!(f, "was ended by signal {signal}"),
            Ended::TooMuchOutput => write!(
                f,
                "was killed: it printed more than {} MiB",
                OUTPUT_LIMIT >> 20
            ),
        }
    }
}

/// One of a program's two output streams, as far as it was read.
#[derive(Debug, Default)]
pub(crate) struct Stream(Mutex<Output>);

#[derive(Debug, Default)]
struct Output {
    bytes: Vec<u8>,
    /// When the bytes up to this place had been read.
    read: Vec<(usize, SystemTime)>,
}

impl Stream {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.output().bytes).into_owned()
    }

    /// The lines so far, each with the time at which its end was read.
    pub(crate) fn lines(&self) -> Vec<(SystemTime, String)> {
        let output = self.output();
        let mut lines = Vec::new();
        let mut end = 0;
        for line in output.bytes.split_inclusive(|byte| *byte == b'\n') {
            end += line.len();
            let read = output.read.partition_point(|(place, _)| *place < end);
            if let Some((_, time)) = output.read.get(read) {
                lines.push((*time, String::from_utf8_lossy(line).trim_end().to_owned()));
            }
        }
        lines
    }

    /// Adds what was read; `false` when the limit is reached.
    fn push(&self, bytes: &[u8]) -> bool {
        let mut output = self.output();
        let room = OUTPUT_LIMIT.saturating_sub(output.bytes.len());
        output
            .bytes
            .extend_from_slice(&bytes[..bytes.len().min(room)]);
        let place = output.bytes.len();
        output.read.push((place, SystemTime::now()));
        bytes.len() <= room
    }

    fn output(&self) -> MutexGuard<'_, Output> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A process that was started, and everything that it starts itself.
#[derive(Debug)]
pub(crate) struct Process {
    pid: Pid,
    mark: String,
    pub(crate) stdout: Arc<Stream>,
    pub(crate) stderr: Arc<Stream>,
    ended: watch::Receiver<Option<Ended>>,
    minder: JoinHandle<()>,
}

impl Process {
    /// Starts a process; `bell` rings at each piece of output and at its end.
    ///
    /// It finds `input` on its standard input, and the end after it. Who does not read it is not waited for.
    pub(crate) fn start(command: &Command, input: &[u8], bell: &Bell) -> io::Result<Self> {
        let mark = next_mark();
        let mut builder = std::process::Command::new(&command.argv[0]);
        builder
            .args(&command.argv[1..])
            .current_dir(&command.directory)
            .env_clear()
            .envs(&command.environment)
            .env(MARK, &mark)
            .stdin(match input {
                [] => Stdio::null(),
                _ => Stdio::piped(),
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        die_with_parent(&mut builder);
        let mut child = tokio::process::Command::from(builder).spawn()?;
        let pid = child
            .id()
            .and_then(|id| Pid::from_raw(id.cast_signed()))
            .ok_or_else(|| io::Error::other("the process has no id"))?;
        if let Some(mut pipe) = child.stdin.take() {
            let input = input.to_vec();
            // It ends with the process at the latest: then there is nobody left to read the pipe.
            tokio::spawn(async move {
                let _ = pipe.write_all(&input).await;
            });
        }
        let out = reader(
            child
                .stdout
                .take()
                .map(tokio::process::ChildStdout::into_owned_fd),
        )?;
        let err = reader(
            child
                .stderr
                .take()
                .map(tokio::process::ChildStderr::into_owned_fd),
        )?;

        let (stdout, stderr) = (Arc::<Stream>::default(), Arc::<Stream>::default());
        let (tell, ended) = watch::channel(None);
        let minder = tokio::spawn({
            let (stdout, stderr, mark, bell) =
                (stdout.clone(), stderr.clone(), mark.clone(), bell.clone());
            async move {
                let mut too_much = false;
                let status = {
                    let read = async {
                        tokio::select! {
                            () = copy(&out, &stdout, &bell) => (),
                            () = copy(&err, &stderr, &bell) => (),
                        }
                    };
                    tokio::select! {
                        status = child.wait() => status,
                        () = read => {
                            too_much = true;
                            let _ = kill_process_group(pid, Signal::KILL);
                            child.wait().await
                        }
                    }
                };
                // A program is over when its first process is; its heirs may hold the
                // pipes, so they are killed first, and only what is there is read.
                kill_all(pid, &mark);
                if !too_much {
                    too_much |= !drain(&out, &stdout);
                    too_much |= !drain(&err, &stderr);
                }
                let _ = tell.send(Some(match status {
                    _ if too_much => Ended::TooMuchOutput,
                    Ok(status) => ended_by(status),
                    Err(_) => Ended::Signal(9),
                }));
                bell.ring();
            }
        });
        Ok(Self {
            pid,
            mark,
            stdout,
            stderr,
            ended,
            minder,
        })
    }

    pub(crate) fn ended(&self) -> Option<Ended> {
        *self.ended.borrow()
    }

    /// Sends a signal to the process itself, as Ctrl-C in a shell or `kill` do.
    pub(crate) fn signal(&self, signal: Signal) {
        if self.ended().is_none() {
            // The process may end at this very moment; then there is nobody to tell.
            let _ = kill_process(self.pid, signal);
        }
    }

    /// Kills it and all that it started, at once.
    pub(crate) fn kill(&self) {
        if self.ended().is_none() {
            kill_all(self.pid, &self.mark);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ended().is_none() {
            // Not reaped yet, so the id is still this process's.
            kill_all(self.pid, &self.mark);
            self.minder.abort();
        }
    }
}

fn ended_by(status: ExitStatus) -> Ended {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ended::Code(code),
        (None, signal) => Ended::Signal(signal.unwrap_or_default()),
    }
}

fn reader(pipe: Option<io::Result<OwnedFd>>) -> io::Result<pipe::Receiver> {
    let pipe = pipe.ok_or_else(|| io::Error::other("the process has no output pipe"))??;
    pipe::Receiver::from_owned_fd(pipe)
}

/// Copies what comes; returns only when the limit is reached.
async fn copy(from: &pipe::Receiver, to: &Stream, bell: &Bell) {
    loop {
        let readable = from.readable().await;
        let mut buffer = [0; 16 << 10];
        match readable.and_then(|()| from.try_read(&mut buffer)) {
            // A closed stream tells nothing about the process: its end does.
            Ok(0) => std::future::pending().await,
            Ok(length) => {
                let within_limit = to.push(&buffer[..length]);
                bell.ring();
                if !within_limit {
                    return;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => std::future::pending().await,
        }
    }
}

/// Reads what is in the pipe now; `false` when the limit is reached.
///
/// It asks the kernel and not the runtime, which may not know yet that there is something.
fn drain(from: &pipe::Receiver, to: &Stream) -> bool {
    let mut buffer = [0; 16 << 10];
    loop {
        match rustix::io::read(from, &mut buffer) {
            Ok(length) if length > 0 => {
                if !to.push(&buffer[..length]) {
                    return false;
                }
            }
            _ => return true,
        }
    }
}

/// Asks the kernel to kill the process when the thread that starts it ends.
#[cfg(target_os = "linux")]
#[expect(
    unsafe_code,
    reason = "only code between fork and exec can ask for this"
)]
fn die_with_parent(command: &mut std::process::Command) {
    let parent = rustix::process::getpid();
    // SAFETY: the closure runs in the child after fork, where only
    // async-signal-safe calls are allowed. Both calls below are plain system
    // calls of rustix; nothing allocates and no lock is taken.
    unsafe {
        command.pre_exec(move || {
            rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
            // The parent may have died between the fork and that call.
            if rustix::process::getppid() == Some(parent) {
                Ok(())
            } else {
                Err(io::Error::from_raw_os_error(
                    rustix::io::Errno::SRCH.raw_os_error(),
                ))
            }
        });
    }
}

/// Elsewhere the process group has to be enough.
#[cfg(not(target_os = "linux"))]
fn die_with_parent(_: &mut std::process::Command) {}

/// Kills the process group, then, until none is left, every process that carries the mark.
fn kill_all(group: Pid, mark: &str) {
    let _ = kill_process_group(group, Signal::KILL);
    // A process that forks while it is looked for shows up in the next round.
    for _ in 0..64 {
        let found = marked(|found| found == mark);
        if found.is_empty() {
            break;
        }
        for pid in found {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// Kills what earlier checks left behind that were killed themselves.
pub(crate) fn sweep() {
    let orphaned = |mark: &str| {
        let mut parts = mark.split('-');
        let pid = parts
            .next()
            .and_then(|pid| pid.parse::<i32>().ok())
            .and_then(Pid::from_raw);
        let started = parts.next();
        match (pid, started) {
            (Some(pid), Some(started)) => start_time(pid).as_deref() != Some(started),
            _ => false,
        }
    };
    for pid in marked(orphaned) {
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// The living processes whose mark passes.
fn marked(wanted: impl Fn(&str) -> bool) -> Vec<Pid> {
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let mark = |pid: Pid| {
        let environment = std::fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero())).ok()?;
        environment.split(|byte| *byte == 0).find_map(|variable| {
            let value = variable.strip_prefix(MARK.as_bytes())?.strip_prefix(b"=")?;
            String::from_utf8(value.to_vec()).ok()
        })
    };
    processes
        .filter_map(|entry| {
            entry
                .ok()?
                .file_name()
                .to_str()?
                .parse()
                .ok()
                .and_then(Pid::from_raw)
        })
        .filter(|pid| mark(*pid).is_some_and(|mark| wanted(&mark)))
        .collect()
}

/// A mark that no other process has: our id, when we started (ids are used again), a number.
fn next_mark() -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let us = rustix::process::getpid();
    let started = start_time(us).unwrap_or_default();
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("{}-{started}-{number}", us.as_raw_nonzero())
}

/// When a process started, in clock ticks since boot (field 22 of `/proc/PID/stat`); `None`: no such process.
fn start_time(pid: Pid) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    // The second field is the name in parentheses, and may hold anything.
    let after_name = &stat[stat.rfind(')')? + 1..];
    after_name.split_whitespace().nth(19).map(str::to_owned)
}
