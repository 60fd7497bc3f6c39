//! A running process of a program: its output, its end, and the certainty that nothing of it stays behind.
//!
//! Each process leads a group of its own and carries the mark [`MARK`] in its
//! environment. When it ends, or its `Process` is dropped, the group is killed
//! and, on Linux, every other process that inherited the mark. When the lab's own
//! process is killed, the kernel kills the direct child with it (on Linux), and
//! the sweep of the next lab finds what else is left by the mark.
//!
//! Its standard output is a terminal, so that it prints each line at once; its standard error is a pipe of its own, as
//! both in one terminal could not be told from each other, and run times hold nothing back there anyway.

mod birth;
mod output;
mod terminal;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::process::{CommandExt, ExitStatusExt},
    },
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::{io::AsyncWriteExt as _, sync::watch, task::JoinHandle};
use workbook_diagnosis::{Ended, Limit};
use workbook_sandbox::{
    Control, Limits, Tripped,
    wire::{CONTINUE, INTERRUPT, Over, STOP},
};

use self::{
    birth::{die_with_parent, hear_signals},
    output::{Stream, copy, drain, source},
};
use crate::wait::Bell;

pub(crate) use self::terminal::Terminal;

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

/// A process that was started, and everything that it starts itself.
#[derive(Debug)]
pub(crate) struct Process {
    pid: Pid,
    mark: String,
    /// The program's end of its terminal. We keep it open: where the last one is closed, some systems throw away what
    /// nobody has read yet.
    terminal: OwnedFd,
    pub(crate) stdout: Arc<Stream>,
    pub(crate) stderr: Arc<Stream>,
    ended: watch::Receiver<Option<Ended>>,
    minder: JoinHandle<()>,
    /// In a sandbox: its control, once the program runs.
    control: Option<Shared>,
}

/// The control of a sandbox, for whoever sends signals and whoever looks at the end.
type Shared = Arc<Mutex<Option<Control>>>;

impl Process {
    /// Starts a process that prints to a terminal; `bell` rings at each piece of output and at its end.
    ///
    /// It finds `input` on its standard input, and the end after it. Who does not read it is not waited for.
    pub(crate) fn start(
        command: &Command,
        terminal: Terminal,
        input: &[u8],
        bell: &Bell,
    ) -> io::Result<Self> {
        let mut builder = std::process::Command::new(&command.argv[0]);
        builder
            .args(&command.argv[1..])
            .current_dir(&command.directory)
            .env_clear()
            .envs(&command.environment);
        Self::spawn(builder, terminal, input, bell, None)
    }

    /// Starts the command that makes a sandbox. The program inside is to print to [`Process::terminal`]; what the command
    /// says on standard error is what the program says there.
    pub(crate) fn start_sandbox(
        mut builder: std::process::Command,
        terminal: Terminal,
        input: &[u8],
        bell: &Bell,
    ) -> io::Result<Self> {
        // The container client looks for its settings; bubblewrap needs nothing.
        builder.env_clear();
        for name in ["PATH", "HOME", "DOCKER_HOST"] {
            builder.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        Self::spawn(builder, terminal, input, bell, Some(Shared::default()))
    }

    fn spawn(
        mut builder: std::process::Command,
        Terminal { ours, theirs }: Terminal,
        input: &[u8],
        bell: &Bell,
        control: Option<Shared>,
    ) -> io::Result<Self> {
        let mark = next_mark();
        builder
            .env(MARK, &mark)
            .stdin(match input {
                [] => Stdio::null(),
                _ => Stdio::piped(),
            })
            .stdout(match control {
                // It goes to the program itself, over the control.
                Some(_) => Stdio::null(),
                None => Stdio::from(theirs.try_clone()?),
            })
            .stderr(Stdio::piped())
            .process_group(0);
        hear_signals(&mut builder);
        die_with_parent(&mut builder);
        workbook_sandbox::hand_nothing_on(&mut builder);
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
        let no_pipe = || io::Error::other("the process has no output pipe");
        let out = source(ours)?;
        let err = source(child.stderr.take().ok_or_else(no_pipe)?.into_owned_fd()?)?;

        let (stdout, stderr) = (Arc::<Stream>::default(), Arc::<Stream>::default());
        let (tell, ended) = watch::channel(None);
        let minder = tokio::spawn({
            let (stdout, stderr, mark, bell) =
                (stdout.clone(), stderr.clone(), mark.clone(), bell.clone());
            let control = control.clone();
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
                            let_go(control.as_ref());
                            let _ = kill_process_group(pid, Signal::KILL);
                            child.wait().await
                        }
                    }
                };
                // A program is over when its first process is; its heirs may hold the
                // pipes, so they are killed first, and only what is there is read.
                kill_all(pid, &mark, control.is_some());
                if !too_much {
                    too_much |= !drain(&out, &stdout);
                    too_much |= !drain(&err, &stderr);
                }
                let inside = control.as_ref().map(|control| {
                    let control = control.lock().unwrap_or_else(PoisonError::into_inner);
                    control.as_ref().and_then(Control::over)
                });
                let _ = tell.send(Some(match (inside, status) {
                    _ if too_much => Ended::OverLimit(Limit::Output((OUTPUT_LIMIT >> 20) as u64)),
                    (Some(Some(over)), _) => ended_inside(over),
                    // Killed from outside, it told nothing any more.
                    (_, Ok(status)) if status.signal() == Some(9) => Ended::Signal(9),
                    (Some(None), _) => Ended::NoSandbox,
                    (None, Ok(status)) => ended_by(status),
                    (None, Err(_)) => Ended::Signal(9),
                }));
                bell.ring();
            }
        });
        Ok(Self {
            pid,
            mark,
            terminal: theirs,
            stdout,
            stderr,
            ended,
            minder,
            control,
        })
    }

    /// What the program is to print to.
    pub(crate) fn terminal(&self) -> BorrowedFd<'_> {
        self.terminal.as_fd()
    }

    /// The program runs now in its sandbox, which this controls.
    pub(crate) fn runs_inside(&self, running: Control) {
        if let Some(control) = &self.control {
            *control.lock().unwrap_or_else(PoisonError::into_inner) = Some(running);
        }
    }

    /// The end of the process, with the last that it said on standard error.
    pub(crate) fn death(&self) -> impl Future<Output = String> + use<> {
        let (mut ended, stderr) = (self.ended.clone(), self.stderr.clone());
        async move {
            // The sender says how it ended before it goes.
            let how = ended.wait_for(Option::is_some).await.map(|it| *it);
            let how = how.ok().flatten().map(|it| it.to_string());
            let said = stderr.text();
            let last = said.lines().last().unwrap_or_default();
            format!("{} {last}", how.unwrap_or_default())
        }
    }

    pub(crate) fn ended(&self) -> Option<Ended> {
        *self.ended.borrow()
    }

    /// Sends a signal to the process itself, as Ctrl-C in a shell or `kill` do.
    pub(crate) fn signal(&self, signal: Signal) {
        if self.ended().is_some() {
            return;
        }
        let Some(control) = &self.control else {
            // The process may end at this very moment; then there is nobody to tell.
            let _ = kill_process(self.pid, signal);
            return;
        };
        let order = match signal {
            Signal::INT => INTERRUPT,
            Signal::STOP => STOP,
            _ => CONTINUE,
        };
        let control = control.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(control) = control.as_ref() {
            control.signal(order);
        }
    }

    /// Kills it and all that it started, at once.
    pub(crate) fn kill(&self) {
        if self.ended().is_none() {
            let_go(self.control.as_ref());
            kill_all(self.pid, &self.mark, self.control.is_some());
        }
    }
}

/// Without its control a sandbox ends, also one that is no child of ours (a container).
fn let_go(control: Option<&Shared>) {
    let control = control.map(|it| it.lock().unwrap_or_else(PoisonError::into_inner));
    if let Some(control) = control.as_ref().and_then(|it| it.as_ref()) {
        control.kill();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ended().is_none() {
            // Not reaped yet, so the id is still this process's.
            let_go(self.control.as_ref());
            kill_all(self.pid, &self.mark, self.control.is_some());
            self.minder.abort();
        }
    }
}

fn ended_inside(over: Over) -> Ended {
    match over {
        Over::Code(code) => Ended::Code(code),
        Over::Signal(signal) => Ended::Signal(signal),
        Over::Tripped(tripped) => Ended::OverLimit(passed(tripped)),
        Over::Refused(errno) => Ended::Refused(errno),
    }
}

/// The limit of a sandbox that a program passed.
fn passed(tripped: Tripped) -> Limit {
    let limits = Limits::PROGRAM;
    match tripped {
        Tripped::Memory => Limit::Memory(limits.memory >> 20),
        Tripped::Cpu => Limit::ProcessorTime(limits.cpu),
        Tripped::Processes => Limit::Processes {
            processes: limits.processes,
            threads: limits.threads,
        },
    }
}

fn ended_by(status: ExitStatus) -> Ended {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ended::Code(code),
        (None, signal) => Ended::Signal(signal.unwrap_or_default()),
    }
}

/// Asks the kernel to end this check when whoever waits for its report is killed: nobody would read it, and its tapes
/// would come into the way of those of the next run.
pub(crate) fn die_with_whoever_asks() {
    // Elsewhere the check goes on to its end.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
}

/// Kills the process group, then, until none is left, every process that carries the mark.
///
/// Nothing in a sandbox carries it: the kernel ends all of that together with its first process.
fn kill_all(group: Pid, mark: &str, sandboxed: bool) {
    let _ = kill_process_group(group, Signal::KILL);
    if sandboxed {
        return;
    }
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
