//! What is known of a program: for findings and pictures, and for whoever clears up after it.

use std::{
    sync::{Arc, PoisonError, atomic::Ordering},
    time::{Duration, SystemTime},
};

use amqp_tap::{Ending, Event, Tape};
use workbook_diagnosis::{
    Ended,
    finding::{Printed, Seen},
};

use super::Program;

impl Program {
    /// Everything that findings and pictures are drawn from.
    pub(crate) fn witness(&self) -> Witness {
        let began = self.began();
        let since = |time: SystemTime| time.duration_since(began).unwrap_or_default();
        let printed = |(read, line)| Printed {
            at: since(read),
            line,
        };
        Witness {
            program: self.name().to_owned(),
            argv: self.0.argv.clone(),
            reachable: self.0.tape.is_some() && !self.0.idle.load(Ordering::Relaxed),
            began,
            task_unit: self.0.unit.get().copied(),
            events: self.events(),
            printed: self
                .0
                .process
                .stdout
                .lines()
                .into_iter()
                .map(printed)
                .collect(),
            interrupted: self.interrupted(),
            ended: self.ended(),
            looked: since(SystemTime::now()),
        }
    }

    /// When Ctrl-C was pressed, since its tape began.
    pub(super) fn interrupted(&self) -> Option<Duration> {
        let interrupted = self.0.interrupted.lock();
        let pressed = *interrupted.unwrap_or_else(PoisonError::into_inner);
        pressed.map(|at| at.duration_since(self.began()).unwrap_or_default())
    }

    /// When its tape began, or the program where it has none.
    pub(super) fn began(&self) -> SystemTime {
        let tape = self.0.tape.as_ref();
        tape.map_or(self.0.started, Tape::began)
    }

    /// Whether nothing that it sent can still change anything on the broker: on each of its connections it only
    /// consumed and had an answer to all that it asked, or it closed the connection in the way of AMQP.
    ///
    /// To be asked when the tap is closed.
    pub(crate) fn left_nothing_under_way(&self) -> bool {
        const ASKED: [&str; 9] = [
            "exchange.declare",
            "exchange.delete",
            "exchange.bind",
            "exchange.unbind",
            "queue.declare",
            "queue.bind",
            "queue.unbind",
            "queue.delete",
            "queue.purge",
        ];
        let Some(tape) = self.0.tape.as_ref() else {
            return true;
        };
        let events = tape.events();
        let settled = |number: u32| {
            let mut open = 0_usize;
            for event in events.iter().filter(|event| event.connection == number) {
                let Some(method) = event.method() else {
                    continue;
                };
                let name = method.name();
                if name == "basic.publish" || name.starts_with("tx.") {
                    return false;
                }
                if ASKED.contains(&name) {
                    open += 1;
                } else if name
                    .strip_suffix("-ok")
                    .is_some_and(|it| ASKED.contains(&it))
                {
                    open = open.saturating_sub(1);
                }
            }
            open == 0
        };
        let mut connections = tape.connections().into_iter();
        connections.all(|number| tape.ending(number) == Some(Ending::Closed) || settled(number))
    }
}

/// What is known of a program at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Witness {
    program: String,
    argv: Vec<String>,
    reachable: bool,
    began: SystemTime,
    task_unit: Option<Duration>,
    events: Vec<Arc<Event>>,
    printed: Vec<Printed>,
    interrupted: Option<Duration>,
    ended: Option<Ended>,
    looked: Duration,
}

impl Witness {
    pub(crate) fn seen(&self) -> Seen<'_> {
        Seen {
            program: &self.program,
            argv: &self.argv,
            reachable: self.reachable,
            began: self.began,
            task_unit: self.task_unit,
            events: &self.events,
            printed: &self.printed,
            interrupted: self.interrupted,
            ended: self.ended,
            looked: self.looked,
        }
    }
}
