//! Playing the run of a chapter on a broker.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use amqp_tap::{Login, Tap, TapOptions, Tape};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, Command},
    sync::watch,
    time::timeout,
};
use workbook_broker::{Broker, Lease};
use workbook_course::{Chapter, Edition, Workspace};
use workbook_runner::build::{self, Diagnostics};

use super::{Part, Run, program_of};
use crate::error::BookError;

/// How long any step may take.
const DEADLINE: Duration = Duration::from_secs(30);

struct Running {
    part: Part,
    child: Child,
    tap: Tap,
    lines: watch::Receiver<Vec<String>>,
}

/// Plays the run of a chapter with its solution, in a virtual host of its own; returns the programs and their tapes.
pub async fn play(
    workspace: &Workspace,
    broker: &Broker,
    chapter: &Chapter,
) -> Result<(Vec<Part>, Vec<Tape>), BookError> {
    let slug = &chapter.slug;
    let package = Edition::Solution.package(slug);
    let programs = build::programs(&workspace.root, &package, slug, Diagnostics::Show)
        .await
        .map_err(|error| BookError::run("building the solution", error))?;
    let lease = broker
        .lease()
        .await
        .map_err(|error| BookError::run("leasing a virtual host", error))?;
    let mut stage = Stage {
        programs,
        lease: &lease,
        running: Vec::new(),
    };
    for step in &chapter.run {
        let words: Vec<&str> = step.split_whitespace().collect();
        timeout(DEADLINE, stage.step(&words))
            .await
            .map_err(|late| BookError::run(format!("{slug}: {step}"), late))?
            .map_err(|error| BookError::run(format!("{slug}: {step}"), error))?;
    }
    let (mut parts, mut tapes) = (Vec::new(), Vec::new());
    for running in stage.running {
        parts.push(running.part);
        tapes.push(running.tap.close().await);
    }
    lease
        .release()
        .await
        .map_err(|error| BookError::run("giving the virtual host back", error))?;
    Ok((parts, tapes))
}

struct Stage<'a> {
    programs: BTreeMap<String, PathBuf>,
    lease: &'a Lease,
    running: Vec<Running>,
}

impl Stage<'_> {
    async fn step(&mut self, words: &[&str]) -> Result<(), BookError> {
        match words {
            ["start", name, arguments @ ..] => {
                self.start(name, arguments, &[]).await?;
                self.wait(name, 1).await
            }
            ["run", name, arguments @ ..] => {
                let mut parts = arguments.splitn(2, |it| *it == "<");
                let arguments = parts.next().unwrap_or_default();
                self.start(name, arguments, parts.next().unwrap_or_default())
                    .await?;
                self.end(name).await
            }
            ["prints", name, count] => {
                let count = count.parse().unwrap_or(usize::MAX);
                self.wait(name, count).await
            }
            ["stop", name] => {
                let running = self.find(name)?;
                let id = running.child.id().and_then(|id| i32::try_from(id).ok());
                if let Some(pid) = id.and_then(Pid::from_raw) {
                    kill_process(pid, Signal::INT)
                        .map_err(|error| BookError::run("pressing Ctrl-C", error))?;
                }
                self.end(name).await
            }
            _ => Err(BookError::page(
                "course.toml",
                "a step is start, run, prints or stop",
            )),
        }
    }

    fn find(&mut self, name: &str) -> Result<&mut Running, BookError> {
        let found = self.running.iter_mut().find(|it| it.part.name == name);
        found.ok_or_else(|| BookError::page("course.toml", format!("`{name}` was not started")))
    }

    async fn start(
        &mut self,
        name: &str,
        arguments: &[&str],
        input: &[&str],
    ) -> Result<(), BookError> {
        let executable = format!("{}-solution", program_of(name));
        let path = self
            .programs
            .get(&executable)
            .ok_or_else(|| BookError::page("course.toml", format!("there is no `{executable}`")))?;
        let tap = Tap::open(TapOptions {
            login: Some(Login {
                user: self.lease.user().to_owned(),
                password: self.lease.password().to_owned(),
                vhost: self.lease.vhost().to_owned(),
            }),
            ..TapOptions::to(self.lease.amqp_address())
        })
        .await
        .map_err(|error| BookError::run("opening a tap", error))?;
        let mut running = spawn(path, name, arguments, tap)?;
        // Dropped at once, which is the end of the input.
        if let Some(mut stdin) = running.child.stdin.take() {
            for line in input {
                stdin.write_all(format!("{line}\n").as_bytes()).await?;
            }
        }
        self.running.push(running);
        Ok(())
    }

    /// Waits until a program has printed so many lines.
    async fn wait(&mut self, name: &str, count: usize) -> Result<(), BookError> {
        let running = self.find(name)?;
        running
            .lines
            .wait_for(|lines| lines.len() >= count)
            .await
            .map_err(|closed| BookError::run(format!("`{name}` prints {count} lines"), closed))?;
        Ok(())
    }

    /// Waits until a program has ended and all its lines are read.
    async fn end(&mut self, name: &str) -> Result<(), BookError> {
        let running = self.find(name)?;
        let status = running.child.wait().await?;
        // The channel closes when the last line is read.
        while running.lines.changed().await.is_ok() {}
        running.part.printed.clone_from(&running.lines.borrow());
        running.part.ended = status.code().unwrap_or(-1);
        // The tap hears of the end a moment later; what it closes before would be its own doing.
        let tape = running.tap.tape();
        let all_over = |number: &u32| tape.ending(*number).is_some();
        tape.wait_until(DEADLINE, |_| {
            tape.connections().iter().all(all_over).then_some(())
        })
        .await
        .map_err(|error| BookError::run(format!("`{name}` ends its connection"), error))?;
        Ok(())
    }
}

fn spawn(path: &Path, name: &str, arguments: &[&str], tap: Tap) -> Result<Running, BookError> {
    let address = tap
        .endpoint()
        .tcp()
        .ok_or_else(|| BookError::page("course.toml", "the tap has no port"))?;
    let mut child = Command::new(path)
        .args(arguments)
        .env("AMQP_ADDR", format!("amqp://guest:guest@{address}/%2f"))
        .env("TASK_UNIT_MS", "50")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let (sender, lines) = watch::channel(Vec::new());
    if let Some(out) = child.stdout.take() {
        tokio::spawn(async move {
            let mut reader = BufReader::new(out).lines();
            while let Ok(Some(line)) = reader.next_line().await {
                sender.send_modify(|lines: &mut Vec<String>| lines.push(line));
            }
        });
    }
    Ok(Running {
        part: Part {
            name: name.to_owned(),
            arguments: arguments.iter().map(|it| (*it).to_owned()).collect(),
            printed: Vec::new(),
            ended: -1,
        },
        child,
        tap,
        lines,
    })
}

/// Plays the run of a chapter, and returns it as it would be kept.
pub async fn again(
    workspace: &Workspace,
    broker: &Broker,
    chapter: &Chapter,
) -> Result<Run, BookError> {
    let (parts, tapes) = play(workspace, broker, chapter).await?;
    Ok(Run::new(parts, &tapes))
}
