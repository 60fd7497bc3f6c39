//! Tasks: the deliveries of a worker, from the tape. What it holds, what it has settled, what it says is done.
//!
//! A check that kills a worker in the middle of a task does so when the tape says that the task was delivered and not
//! yet settled: [`Program::is_at_work_on`].

use std::time::Duration;

use amqp_tap::story;
use workbook_diagnosis::finding::spoken;
use workbook_report::failure::{Checked, Failure};

use crate::{
    lab::{Lab, Start},
    program::Program,
};

/// The variable that tells a worker how many milliseconds it works for each `.` in a task.
pub const UNIT: &str = "TASK_UNIT_MS";
/// A unit so long that a task with one `.` is never done within a check.
pub const NEVER: Duration = Duration::from_hours(1);

/// A task that was delivered to a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// What is to be done.
    pub body: Vec<u8>,
    /// It was delivered before, to this worker or another.
    pub redelivered: bool,
    /// The broker forgot it when it was sent: automatic acknowledgement.
    pub automatic: bool,
    /// When it was delivered, since the tape began.
    pub delivered: Duration,
    /// How the worker settled it.
    pub settled: Option<Settled>,
}

/// How a worker settled a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// When, since the tape began.
    pub at: Duration,
    /// By `basic.ack`; otherwise it was refused.
    pub acked: bool,
    /// Refused, and put back into the queue.
    pub requeued: bool,
}

impl Task {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Acknowledged, by the program or automatically.
    pub fn is_acked(&self) -> bool {
        self.automatic || self.settled.is_some_and(|settled| settled.acked)
    }

    /// Acknowledged, or refused for good: it does not come back.
    pub fn is_done_with(&self) -> bool {
        self.automatic || self.settled.is_some_and(|settled| !settled.requeued)
    }
}

impl Lab {
    /// Starts `worker`, which works so long for each `.` in a task.
    pub async fn start_worker(&self, unit: Duration) -> Result<Program, Failure> {
        self.start_worker_as("worker", unit, None).await
    }

    /// Starts a program that works so long for each `.` in a task, with a heartbeat interval in seconds.
    pub async fn start_worker_as(
        &self,
        program: &str,
        unit: Duration,
        heartbeat: Option<u16>,
    ) -> Result<Program, Failure> {
        let millis = unit.as_millis().to_string();
        let start = Start {
            variables: &[(UNIT, &millis)],
            heartbeat,
            ..Start::default()
        };
        let program = self.start_as(program, start).await?;
        program.works(unit);
        Ok(program)
    }
}

impl Program {
    /// Every task that was delivered to it so far, in order.
    pub fn tasks(&self) -> Vec<Task> {
        let story = self.story();
        let task = |delivery: story::Delivery| Task {
            redelivered: delivery.redelivered,
            automatic: delivery.automatic,
            delivered: delivery.got.at,
            settled: delivery.settled.map(|settled| Settled {
                at: settled.mark.at,
                acked: settled.acked,
                requeued: settled.requeued,
            }),
            body: delivery.body,
        };
        // One whose body is still on its way is none yet.
        let whole = story.deliveries.into_iter().filter(|it| it.whole);
        whole.map(task).collect()
    }

    /// When it said `Done`, each time, since the tape began.
    pub fn done(&self) -> Vec<Duration> {
        let witness = self.witness();
        let seen = witness.seen();
        let printed = seen.printed.iter();
        printed
            .filter(|printed| spoken::is_done(&printed.line))
            .map(|printed| printed.at)
            .collect()
    }

    /// Waits until a task was delivered to it, and returns the task.
    pub async fn gets_task(&self, body: &str) -> Result<Task, Failure> {
        let what = format!("the task `{body}` is delivered to `{}`", self.name());
        self.until(&what, |program| {
            let mut tasks = program.tasks().into_iter();
            tasks.find(|task| task.body == body.as_bytes()).map(Ok)
        })
        .await
    }

    /// Waits until it is in the middle of a task: delivered, printed, and not settled.
    pub async fn is_at_work_on(&self, body: &str) -> Result<Task, Failure> {
        let task = self.gets_task(body).await?;
        self.prints_bodies(&[body.to_owned()]).await?;
        Ok(task)
    }

    /// Waits until it has done these tasks: each printed in order, `Done` after each, and each acknowledged.
    pub async fn does_tasks(&self, bodies: &[String]) -> Checked {
        self.prints_bodies(bodies).await?;
        self.says_done(bodies.len()).await?;
        self.settles_all(bodies.len()).await
    }

    /// Waits until it has said `Done` so often.
    pub async fn says_done(&self, times: usize) -> Checked {
        let what = format!(
            "`{}` prints `Done` after each of its {times} tasks",
            self.name()
        );
        self.until(&what, |program| {
            let said = program.done().len();
            if said > times {
                let observed = format!("it printed `Done` {said} times");
                return Some(Err(Failure::new(what.clone(), observed)));
            }
            (said == times).then_some(Ok(()))
        })
        .await
    }

    /// Waits until it has acknowledged so many tasks.
    pub async fn settles_all(&self, count: usize) -> Checked {
        let what = format!(
            "`{}` acknowledges each of its {count} tasks: basic.ack",
            self.name()
        );
        self.until(&what, |program| {
            let acked = program.tasks().iter().filter(|it| it.is_acked()).count();
            (acked >= count).then_some(Ok(()))
        })
        .await
    }

    /// Holds that it never held two tasks: each was delivered after the one before was settled.
    pub fn holds_one_at_a_time(&self) -> Checked {
        let tasks = self.tasks();
        let both = tasks.windows(2).find(|pair| {
            let settled = pair[0].settled.map(|settled| settled.at);
            settled.is_none_or(|settled| settled > pair[1].delivered)
        });
        let Some(both) = both else { return Ok(()) };
        Err(Failure::new(
            format!(
                "`{}` never holds two tasks that are not acknowledged",
                self.name()
            ),
            format!("it held `{}` and `{}`", both[0].text(), both[1].text()),
        ))
    }

    /// Holds that it printed `Done` after each of these tasks, and before the next one.
    pub fn says_done_after_each(&self, tasks: &[String]) -> Checked {
        let said = self.stdout();
        let lines: Vec<&str> = said.lines().collect();
        let places = tasks.iter().map(|task| {
            let place = lines.iter().position(|line| line.contains(task.as_str()));
            place.unwrap_or(lines.len())
        });
        let mut ends: Vec<usize> = places.clone().skip(1).collect();
        ends.push(lines.len());
        for ((task, from), to) in tasks.iter().zip(places).zip(ends) {
            let between = lines.get(from + 1..to).unwrap_or_default();
            let done = between.iter().filter(|line| spoken::is_done(line));
            if done.count() != 1 {
                let name = self.name();
                return Err(Failure::new(
                    format!("`{name}` prints `Done` after `{task}`, and before the next task"),
                    format!("it printed the lines {lines:?}"),
                ));
            }
        }
        Ok(())
    }
}
