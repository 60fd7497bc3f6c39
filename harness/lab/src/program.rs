//! A program of the learner's that runs: a black box that talks to the broker through a tap of its own.

mod deliveries;
mod endings;
mod prints;
mod queues;
mod trouble;
mod whereabouts;
mod witness;

use std::{
    fmt,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use amqp_tap::{
    Conversation, Event, Fault, Injected, Rule, Side, Tap, Tape,
    story::{Connection, Story},
};
use rustix::process::Signal;

pub(crate) use witness::Witness;

use crate::process::Process;
use crate::wait::Bell;
use crate::wait::DEADLINE;
use crate::wait::within;
use workbook_diagnosis::Ended;
use workbook_diagnosis::finding::anonymous;
use workbook_diagnosis::quote::quote;
use workbook_report::failure::Failure;
use workbook_report::report::ProgramReport;

/// How long a program has to end after Ctrl-C, as the exercises' texts say.
pub const CTRL_C_LIMIT: Duration = Duration::from_secs(2);
/// How long a program has to say that there is no broker, as the exercises' texts say.
pub const NO_BROKER_LIMIT: Duration = Duration::from_secs(10);

/// A program that was started. Clones are the same program.
///
/// Each of the `async` methods waits for events and answers at once when they
/// come. When the program ends before that, or the deadline passes, the answer
/// is a [`Failure`] that says what was expected and what happened instead.
#[derive(Clone)]
pub struct Program(Arc<Inner>);

struct Inner {
    /// Its name and arguments, as they are shown.
    name: String,
    /// Its name, and then its arguments.
    argv: Vec<String>,
    /// When it was started.
    started: SystemTime,
    /// When Ctrl-C was pressed.
    interrupted: Mutex<Option<SystemTime>>,
    process: Process,
    tape: Option<Tape>,
    tap: Mutex<Option<Tap>>,
    bell: Bell,
    /// It may end without a word to the broker.
    idle: AtomicBool,
    /// The check killed it.
    killed: AtomicBool,
    /// How long it works for each `.` in a task.
    unit: OnceLock<Duration>,
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Program").field(&self.0.name).finish()
    }
}

impl Program {
    pub(crate) fn new(argv: Vec<String>, process: Process, tap: Option<Tap>, bell: &Bell) -> Self {
        let tape = tap.as_ref().map(|tap| tap.tape().clone());
        if let Some(mut progress) = tape.as_ref().map(Tape::subscribe) {
            let bell = bell.clone();
            tokio::spawn(async move {
                while progress.changed().await.is_ok() {
                    bell.ring();
                }
            });
        }
        Self(Arc::new(Inner {
            name: shell_words::join(&argv),
            argv,
            started: SystemTime::now(),
            interrupted: Mutex::default(),
            process,
            tape,
            tap: Mutex::new(tap),
            bell: bell.clone(),
            idle: AtomicBool::new(false),
            killed: AtomicBool::new(false),
            unit: OnceLock::new(),
        }))
    }

    /// The program's name and arguments, as they are shown.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The program's name alone.
    fn bare_name(&self) -> &str {
        self.0.argv.first().map_or("", String::as_str)
    }

    /// Everything that the program and the broker said to each other so far.
    pub fn events(&self) -> Vec<Arc<Event>> {
        self.0.tape.as_ref().map(Tape::events).unwrap_or_default()
    }

    /// What that means.
    pub(crate) fn story(&self) -> Story {
        Story::of(&self.events())
    }

    /// How many of its connections the broker has opened and nobody has ended.
    pub(crate) fn open(&self) -> usize {
        let story = self.story();
        let open =
            |it: &&Connection| it.opened.is_some() && it.gone.is_none() && it.ended.is_none();
        story.connections.iter().filter(open).count()
    }

    /// What it printed on standard output so far.
    pub fn stdout(&self) -> String {
        self.0.process.stdout.text()
    }

    /// What it printed on standard error so far.
    pub fn stderr(&self) -> String {
        self.0.process.stderr.text()
    }

    /// How it ended; `None` while it runs.
    pub fn ended(&self) -> Option<Ended> {
        self.0.process.ended()
    }

    /// What it said to the broker and heard from it, in normal form: the same for every program that means the same.
    pub fn conversation(&self) -> Option<Conversation> {
        self.0.tape.as_ref().map(Conversation::of)
    }

    /// Bends what goes through the program's tap, from now on.
    ///
    /// `None` where it has no tap, or its tap is closed.
    pub fn inject(&self, fault: Fault, rule: Rule) -> Option<Injected> {
        let tap = self.0.tap.lock().unwrap_or_else(PoisonError::into_inner);
        tap.as_ref().map(|tap| tap.inject(fault, rule))
    }

    /// Bends what goes through the program's tap, and waits until the fault hit.
    ///
    /// A fault that does not hit proves nothing about the program, so that is our own failure.
    pub async fn suffers(&self, fault: Fault, rule: Rule) -> Result<Injected, Failure> {
        let missed = |error: &dyn std::error::Error| {
            Failure::infra(format!("a fault hits `{}`", self.name()), error)
        };
        let Some(injected) = self.inject(fault, rule) else {
            return Err(missed(&std::io::Error::other("it has no open tap")));
        };
        match injected.hit_by(self.0.bell.deadline).await {
            Ok(_) => Ok(injected),
            Err(error) => Err(missed(&error)),
        }
    }

    /// It was started with arguments that it cannot do anything with, so it need not connect.
    fn need_not_connect(&self) {
        self.0.idle.store(true, Ordering::Relaxed);
    }

    /// It is a worker, and works so long for each `.` in a task.
    pub(crate) fn works(&self, unit: Duration) {
        let _ = self.0.unit.set(unit);
    }

    /// Stops it where it is (SIGSTOP), until [`Program::resume`].
    pub fn pause(&self) {
        self.0.process.signal(Signal::STOP);
    }

    /// Lets it go on (SIGCONT).
    pub fn resume(&self) {
        self.0.process.signal(Signal::CONT);
    }

    /// Presses Ctrl-C: sends SIGINT.
    pub fn interrupt(&self) {
        *self
            .0
            .interrupted
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(SystemTime::now());
        self.0.process.signal(Signal::INT);
    }

    /// Kills it and everything that it started, as `kill -9` does.
    pub fn kill(&self) {
        self.0.killed.store(true, Ordering::Relaxed);
        self.0.process.kill();
    }

    /// Waits until `look` sees what it looks for, while the program runs and
    /// up to and including what it left when it ended.
    ///
    /// `what` says what is expected, as a sentence about the program.
    pub async fn until<T>(
        &self,
        what: &str,
        mut look: impl FnMut(&Self) -> Option<Result<T, Failure>>,
    ) -> Result<T, Failure> {
        self.trace("waits until", what);
        let seen = self.0.bell.until(self.0.bell.deadline, || {
            // The end is looked at first, so that all that came before it is seen.
            let over = self.is_over();
            match look(self) {
                Some(seen) => Some(Some(seen)),
                None => over.then_some(None),
            }
        });
        let seen = seen.await;
        self.trace("has waited until", what);
        match seen {
            Some(Some(seen)) => seen,
            Some(None) | None => Err(self.missed(what)),
        }
    }

    /// What the lab does with it, for whoever looks at a run that is stuck.
    fn trace(&self, does: &str, what: &str) {
        tracing::debug!(program = self.name(), "{does}: {what}");
    }

    /// Waits until a frame that passes is on the tape, and returns its event.
    pub async fn until_frame(
        &self,
        what: &str,
        mut passes: impl FnMut(&Event) -> bool,
    ) -> Result<Arc<Event>, Failure> {
        self.until(what, |program| {
            program
                .events()
                .into_iter()
                .find(|event| passes(event))
                .map(Ok)
        })
        .await
    }

    /// How it ended, in words; `None` while it runs.
    fn how_it_ended(&self) -> Option<String> {
        let killed = self.0.killed.load(Ordering::Relaxed);
        self.ended().map(|ended| match ended {
            Ended::Signal(9) if killed => "was killed by the check".to_owned(),
            ended => ended.to_string(),
        })
    }

    /// The failure of something that was expected of the program and did not come.
    fn missed(&self, expected: &str) -> Failure {
        let failure = match self.how_it_ended() {
            Some(ended) => Failure::new(expected, format!("it {ended} before that")),
            None => Failure {
                waited: true,
                ..Failure::new(
                    expected,
                    "that did not happen in time, and the program still runs",
                )
            },
        };
        self.explain(failure)
    }

    /// Adds what the broker said about errors, and what the program's own words point to.
    pub(crate) fn explain(&self, mut failure: Failure) -> Failure {
        let mut said = self.broker_errors();
        if self.events().is_empty() && self.0.tape.is_some() {
            said.push("it never connected to the broker".to_owned());
        }
        for line in said {
            // A program that is started three times hears the same three times.
            if !failure.observed.lines().any(|known| known == line) {
                failure.observed.push('\n');
                failure.observed.push_str(&line);
            }
        }
        if self.stderr().contains("not yet implemented") {
            failure = failure.advise(format!(
                "`{}` stopped at a `todo!()`: that is the part for you to write",
                self.name()
            ));
        }
        failure
    }

    /// What the broker complained about, in its own words.
    fn broker_errors(&self) -> Vec<String> {
        let closes = |event: &Arc<Event>| {
            let method = event.method().filter(|_| event.from == Side::Broker)?;
            let what = match method.name() {
                "channel.close" => "the channel",
                "connection.close" => "the connection",
                _ => return None,
            };
            let argument = |name| method.argument(name).unwrap_or_default();
            let text = argument("reply-text")
                .as_str()
                .unwrap_or_default()
                .to_owned();
            Some(format!(
                "the broker closed {what}: {} {}",
                argument("reply-code"),
                anonymous(&text)
            ))
        };
        self.events().iter().filter_map(closes).collect()
    }

    /// The tape, where it has one.
    pub(crate) fn tape(&self) -> Option<&Tape> {
        self.0.tape.as_ref()
    }

    /// What it did so far, for a report.
    pub(crate) fn report(&self) -> ProgramReport {
        ProgramReport {
            name: self.name().to_owned(),
            argv: self.0.argv.clone(),
            stdout: quote(&self.stdout()),
            stderr: quote(&self.stderr()),
            ended: self.how_it_ended(),
            conversation: self
                .conversation()
                .and_then(|conversation| serde_json::to_value(conversation).ok())
                .unwrap_or_default(),
        }
    }

    /// Kills it and closes its tap.
    pub(crate) async fn close(&self) {
        self.kill();
        let tap = self
            .0
            .tap
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(tap) = tap {
            // A tap that does not close is ended with the runtime.
            let _ = within(DEADLINE, tap.close()).await;
        }
    }
}
