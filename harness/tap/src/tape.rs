//! The tape: every event of one tap, in order, live.
//!
//! A [`Tape`] is a handle; clones show the same tape. Waiting never polls: each batch of events wakes those who wait,
//! and a wait counts everything that is already on the tape.

mod jsonl;

use crate::{
    error::{NotSeen, TapeError},
    event::{Ending, Event, Fate, Message, Side, What},
    matching::Frame,
};
use std::{
    collections::VecDeque,
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};
use tokio::sync::watch;

/// How far a tape has come: what [`Tape::subscribe`] shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many events it has had, those that a window forgot included.
    pub events: u64,
    /// Whether its tap is closed, so that no more will come.
    pub closed: bool,
}

/// A record of everything that went through a tap. Cheap to clone; all clones are the same tape.
#[derive(Clone, Debug)]
pub struct Tape(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    began: SystemTime,
    clock: Instant,
    window: Option<usize>,
    reel: Mutex<Reel>,
    progress: watch::Sender<Progress>,
}

#[derive(Debug, Default)]
struct Reel {
    events: VecDeque<Arc<Event>>,
    next: u64,
    weight: u64,
    closed: bool,
    file: Option<BufWriter<File>>,
    failed: Option<io::Error>,
}

impl Default for Tape {
    fn default() -> Self {
        Self::new()
    }
}

impl Tape {
    /// An empty tape that begins now. A tap makes its own; this is for tapes made by hand ([`Tape::record`]).
    pub fn new() -> Self {
        Self::beginning(SystemTime::now(), None)
    }

    pub(crate) fn beginning(began: SystemTime, window: Option<usize>) -> Self {
        Self(Arc::new(Shared {
            began,
            clock: Instant::now(),
            window,
            reel: Mutex::default(),
            progress: watch::Sender::new(Progress::default()),
        }))
    }

    /// When the tape began, by the clock on the wall: tapes of several taps are merged by it.
    pub fn began(&self) -> SystemTime {
        self.0.began
    }

    /// All events, in order (with a window, the newest).
    pub fn events(&self) -> Vec<Arc<Event>> {
        self.reel().events.iter().map(Arc::clone).collect()
    }

    /// How many events the tape has had.
    pub fn len(&self) -> u64 {
        self.reel().next
    }

    /// Whether nothing happened yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The events that `frame` matches, in order.
    pub fn all(&self, frame: &Frame) -> Vec<Arc<Event>> {
        let mut events = self.events();
        events.retain(|event| frame.matches(event));
        events
    }

    /// The whole messages that went over the wire, as the events of their contents (see [`Event::message`]).
    pub fn messages(&self, mut which: impl FnMut(&Message<'_>) -> bool) -> Vec<Arc<Event>> {
        let mut events = self.events();
        events.retain(|event| event.message().is_some_and(|message| which(&message)));
        events
    }

    /// How a connection ended; `None` while it lasts.
    pub fn ending(&self, connection: u32) -> Option<Ending> {
        self.events()
            .iter()
            .rev()
            .filter(|event| event.connection == connection)
            .find_map(|event| match event.what {
                What::Closed(ending) => Some(ending),
                _ => None,
            })
    }

    /// The numbers of the connections, in order.
    pub fn connections(&self) -> Vec<u32> {
        let mut numbers: Vec<u32> = self
            .events()
            .iter()
            .filter(|event| event.what == What::Connected)
            .map(|event| event.connection)
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// A receiver that changes with each batch of events: for waiting on more than [`Tape::wait_until`] can say.
    pub fn subscribe(&self) -> watch::Receiver<Progress> {
        self.0.progress.subscribe()
    }

    /// The first event for which `what` is true, on the tape already or to come.
    ///
    /// `what` sees each event once, in order, so it may count. The wait ends at the deadline or when the tap closes.
    pub async fn wait_for(
        &self,
        deadline: Duration,
        mut what: impl FnMut(&Event) -> bool,
    ) -> Result<Arc<Event>, NotSeen> {
        let mut next = 0;
        self.wait(deadline, None, || {
            let fresh = self.since(next);
            next = fresh.last().map_or(next, |event| event.number + 1);
            fresh.into_iter().find(|event| what(event))
        })
        .await
    }

    /// The first event that `frame` matches, on the tape already or to come.
    pub async fn wait_for_frame(
        &self,
        deadline: Duration,
        frame: &Frame,
    ) -> Result<Arc<Event>, NotSeen> {
        self.wait_for_nth(deadline, frame, 1).await
    }

    /// The `nth` event (from 1) that `frame` matches, on the tape already or to come.
    pub async fn wait_for_nth(
        &self,
        deadline: Duration,
        frame: &Frame,
        nth: usize,
    ) -> Result<Arc<Event>, NotSeen> {
        let wanted = match nth {
            1 => frame.to_string(),
            _ => format!("{frame} number {nth}"),
        };
        self.wait_for(deadline, frame.nth(nth))
            .await
            .map_err(|error| NotSeen {
                wanted: Some(wanted),
                ..error
            })
    }

    /// Waits until `condition` finds what it looks for in the whole tape.
    pub async fn wait_until<T>(
        &self,
        deadline: Duration,
        mut condition: impl FnMut(&[Arc<Event>]) -> Option<T>,
    ) -> Result<T, NotSeen> {
        self.wait(deadline, None, || condition(&self.events()))
            .await
    }

    async fn wait<T>(
        &self,
        deadline: Duration,
        wanted: Option<String>,
        mut attempt: impl FnMut() -> Option<T>,
    ) -> Result<T, NotSeen> {
        let mut progress = self.subscribe();
        let found = tokio::time::timeout(deadline, async {
            loop {
                // Marked as seen before looking, so that an event between the two wakes us.
                let closed = progress.borrow_and_update().closed;
                if let Some(found) = attempt() {
                    return Some(found);
                }
                if closed || progress.changed().await.is_err() {
                    return None;
                }
            }
        })
        .await;
        match found {
            Ok(Some(found)) => Ok(found),
            ended => {
                let reel = self.reel();
                Err(NotSeen {
                    wanted,
                    waited: deadline,
                    closed: ended.is_ok(),
                    events: reel.next,
                    last: reel.events.back().map(ToString::to_string),
                })
            }
        }
    }

    /// Adds an event by hand, as `from` would have caused it now, and wakes those who wait. Returns its number.
    pub fn record(&self, connection: u32, from: Side, what: What) -> u64 {
        let number = self.push(Event {
            number: 0,
            at: self.now(),
            connection,
            from,
            fate: Fate::Passed,
            offset: 0,
            what,
        });
        self.announce();
        number
    }

    /// The error that stopped the recording to a file, if one did.
    pub fn recording_error(&self) -> Option<String> {
        self.reel().failed.as_ref().map(ToString::to_string)
    }

    /// Writes the tape as JSON lines: one for the tape, then one for each event.
    ///
    /// Each event's line can be read by a person; beside it stand the bytes (hexadecimal) from which
    /// [`Tape::read_jsonl`] builds the very same event again.
    pub fn write_jsonl(&self, mut writer: impl Write) -> Result<(), TapeError> {
        jsonl::head(&mut writer, self.0.began)?;
        for event in self.events() {
            jsonl::line(&mut writer, &event)?;
        }
        writer.flush()?;
        Ok(())
    }

    /// Reads what [`Tape::write_jsonl`] wrote. The tape is closed: nothing more will come to it.
    pub fn read_jsonl(reader: impl io::BufRead) -> Result<Self, TapeError> {
        let tape = jsonl::read(reader)?;
        tape.close();
        Ok(tape)
    }

    pub(crate) fn now(&self) -> Duration {
        self.0.clock.elapsed()
    }

    /// Puts an event on the tape and numbers it; [`Tape::announce`] tells of it.
    pub(crate) fn push(&self, event: Event) -> u64 {
        let mut reel = self.reel();
        let number = reel.next;
        self.add(&mut reel, Event { number, ..event });
        number
    }

    fn add(&self, reel: &mut Reel, event: Event) {
        if let Some(file) = &mut reel.file
            && let Err(error) = jsonl::line(file, &event)
        {
            reel.file = None;
            reel.failed = Some(io::Error::other(error));
        }
        reel.next = event.number + 1;
        reel.weight += event.weight();
        reel.events.push_back(Arc::new(event));
        if let Some(window) = self.0.window {
            while reel.events.len() > window {
                if let Some(old) = reel.events.pop_front() {
                    reel.weight = reel.weight.saturating_sub(old.weight());
                }
            }
        }
    }

    /// Wakes those who wait, once for all that was pushed.
    pub(crate) fn announce(&self) {
        let (events, closed) = {
            let reel = self.reel();
            (reel.next, reel.closed)
        };
        self.0.progress.send_if_modified(|progress| {
            let new = Progress { events, closed };
            let changed = *progress != new;
            *progress = new;
            changed
        });
    }

    /// Marks the tape as ended and flushes its file.
    pub(crate) fn close(&self) {
        {
            let mut reel = self.reel();
            reel.closed = true;
            if let Some(Err(error)) = reel.file.as_mut().map(Write::flush) {
                reel.failed = Some(error);
            }
        }
        self.announce();
    }

    /// The memory that the events take, roughly, unless a window bounds it.
    pub(crate) fn unbounded_weight(&self) -> u64 {
        match self.0.window {
            Some(_) => 0,
            None => self.reel().weight,
        }
    }

    /// Writes every event through to a new file from now on.
    pub(crate) fn write_through(&self, path: &Path) -> io::Result<()> {
        let mut file = BufWriter::with_capacity(256 * 1024, File::create(path)?);
        jsonl::head(&mut file, self.0.began).map_err(io::Error::other)?;
        self.reel().file = Some(file);
        Ok(())
    }

    fn since(&self, number: u64) -> Vec<Arc<Event>> {
        let reel = self.reel();
        let first = reel.events.front().map_or(0, |event| event.number);
        let skip = usize::try_from(number.saturating_sub(first)).unwrap_or(usize::MAX);
        reel.events.iter().skip(skip).map(Arc::clone).collect()
    }

    fn reel(&self) -> MutexGuard<'_, Reel> {
        // Every change of the reel is complete before anything in it can panic.
        self.0.reel.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
