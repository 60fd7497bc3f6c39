//! Runs of real programs that were recorded, so that findings and pictures can be drawn from them again.
//!
//! A run is a file of JSON, a list of [`About`]s, and beside it the tape of each program.

use std::{
    fs::File,
    io::{self, BufReader},
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use amqp_tap::{Event, Tape};
use serde::{Deserialize, Serialize};
use workbook_course::Ask;

use crate::{
    Ended,
    finding::{Given, Printed, Seen},
};

/// How long a recorded worker works for each `.` in a task.
pub const TASK_UNIT: Duration = Duration::from_millis(200);

/// What is known of a program beside its tape.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Its name and its arguments.
    pub argv: Vec<String>,
    /// Its exit code; nothing where a signal ended it.
    pub ended: Option<i32>,
    /// When Ctrl-C was pressed, since the tape began.
    pub interrupted_us: Option<u64>,
    /// When all this was looked at.
    pub looked_us: u64,
    /// What it printed on standard output.
    pub printed: Vec<Line>,
    /// It had not ended when it was looked at.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub runs: bool,
    /// The file of its tape.
    pub tape: String,
}

/// A line on a program's standard output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// When its end was read.
    pub at_us: u64,
    /// The line.
    pub line: String,
}

/// One program of a run.
#[derive(Clone, Debug)]
pub struct RecordedProgram {
    about: About,
    shown: String,
    began: SystemTime,
    events: Vec<Arc<Event>>,
    printed: Vec<Printed>,
}

impl RecordedProgram {
    /// A program with its tape.
    pub fn new(about: About, tape: &Tape) -> Self {
        let printed = about.printed.iter().map(|line| Printed {
            at: Duration::from_micros(line.at_us),
            line: line.line.clone(),
        });
        Self {
            shown: shell_words::join(&about.argv),
            began: tape.began(),
            events: tape.events(),
            printed: printed.collect(),
            about,
        }
    }

    /// All programs of a run, in the order of their start.
    pub fn read_run(path: &Path) -> io::Result<Vec<Self>> {
        let all: Vec<About> = serde_json::from_reader(BufReader::new(File::open(path)?))?;
        let recordings = all.into_iter().map(|about| {
            let file = File::open(path.with_file_name(&about.tape))?;
            let tape = Tape::read_jsonl(BufReader::new(file)).map_err(io::Error::other)?;
            Ok(Self::new(about, &tape))
        });
        recordings.collect()
    }

    /// What is known of it beside its tape.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// What is on its tape.
    pub fn events(&self) -> &[Arc<Event>] {
        &self.events
    }

    /// What findings and pictures are drawn from.
    pub fn seen(&self) -> Seen<'_> {
        let about = &self.about;
        let is_worker = about.argv.first().is_some_and(|name| name == "worker");
        let code = about.ended.map(Ended::Code);
        Seen {
            program: &self.shown,
            argv: &about.argv,
            reachable: true,
            began: self.began,
            task_unit: is_worker.then_some(TASK_UNIT),
            events: &self.events,
            printed: &self.printed,
            interrupted: about.interrupted_us.map(Duration::from_micros),
            ended: (!about.runs).then(|| code.unwrap_or(Ended::Signal(2))),
            looked: Duration::from_micros(about.looked_us),
        }
    }
}

/// What the chapter of a run asks for, by the run's name.
pub fn given(run: &str, programs: &[RecordedProgram]) -> Given {
    let tasks = run.starts_with("worker") || run.starts_with("new_task");
    let queue = if tasks { "task_queue" } else { "hello" };
    // A recording that begins with its second program had its queue declared by the lab.
    let lab_first = programs.iter().all(|it| !it.about.tape.contains(".0."));
    let asks = [Ask::Prefetch, Ask::Durable];
    Given {
        queues: lab_first.then(|| queue.to_owned()).into_iter().collect(),
        names: [queue.to_owned()].into(),
        // The other programs send what they like.
        bodies: run
            .starts_with("send")
            .then(|| b"Hello World!".to_vec())
            .into_iter()
            .collect(),
        asks: asks.into_iter().filter(|_| tasks).collect(),
        fresh: true,
        ..Given::default()
    }
}
