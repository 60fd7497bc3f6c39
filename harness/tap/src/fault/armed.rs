//! The faults of one tap that may still hit, and what a hit does.

use super::{
    Cut, Fault, Injected, Nth, Rule, Shared, When,
    effect::{Effect, Gate, HeldAs, Shape, Strike},
};
use crate::{control::Control, event::Event, matching, tape::Tape};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, Weak,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::watch;

/// All faults of a tap.
#[derive(Debug)]
pub(crate) struct Faults {
    seed: u64,
    armed: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    injected: u32,
    list: Vec<Armed>,
    /// Of every fault, so that dropping its handle lets go of nothing.
    shared: Vec<Arc<Shared>>,
    links: Vec<Weak<Control>>,
}

#[derive(Debug)]
struct Armed {
    number: u32,
    fault: Fault,
    rule: Rule,
    nth: u64,
    seen: u64,
    shared: Arc<Shared>,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            armed: AtomicBool::new(false),
            state: Mutex::default(),
        }
    }

    /// Whether any fault may still hit: the one question that every frame asks.
    pub(crate) fn armed(&self) -> bool {
        self.armed.load(Ordering::Acquire)
    }

    /// Takes a connection in, for faults that hit at once.
    pub(crate) fn watch(&self, control: &Arc<Control>) {
        let mut state = self.state();
        state.links.retain(|link| link.strong_count() > 0);
        state.links.push(Arc::downgrade(control));
    }

    /// Arms a fault.
    pub(crate) fn inject(self: &Arc<Self>, fault: Fault, mut rule: Rule, tape: &Tape) -> Injected {
        if let Fault::Refuse { connections } = fault {
            rule = Rule {
                frame: matching::connected(),
                ..Rule::next_connection().times(u64::from(connections))
            };
        }
        let mut state = self.state();
        state.injected += 1;
        let number = state.injected;
        let nth = match rule.nth {
            Nth::Exactly(nth) => nth,
            Nth::Random(within) => self.random(number).random_range(1..=within),
        };
        let shared = Arc::new(Shared {
            hits: watch::Sender::new(Vec::new()),
            released: watch::Sender::new(false),
            faults: Arc::downgrade(self),
        });
        state.shared.push(Arc::clone(&shared));
        let injected = Injected {
            number,
            nth,
            words: rule.to_string(),
            shared: Arc::clone(&shared),
        };
        let armed = Armed {
            number,
            fault,
            rule,
            nth,
            seen: 0,
            shared,
        };
        if armed.rule.when == When::Now {
            let strike = armed.strike(self.seed);
            let links: Vec<_> = state.links.iter().filter_map(Weak::upgrade).collect();
            drop(state);
            for link in links {
                link.strike_now(&strike, tape);
            }
        } else {
            state.list.push(armed);
            self.armed.store(true, Ordering::Release);
        }
        injected
    }

    /// What hits at this event.
    pub(crate) fn judge(&self, when: When, event: &Event) -> Vec<Strike> {
        let mut state = self.state();
        let mut strikes = Vec::new();
        state.list.retain_mut(|armed| {
            if armed.rule.when != when || !armed.rule.frame.matches(event) {
                return true;
            }
            armed.seen += 1;
            if armed.seen < armed.nth {
                return true;
            }
            strikes.push(armed.strike(self.seed));
            armed.seen - armed.nth + 1 < armed.rule.times
        });
        self.armed.store(!state.list.is_empty(), Ordering::Release);
        strikes
    }

    /// The fault hits no more.
    pub(crate) fn release(&self, number: u32) {
        let mut state = self.state();
        state.list.retain(|armed| armed.number != number);
        self.armed.store(!state.list.is_empty(), Ordering::Release);
        let links: Vec<_> = state.links.iter().filter_map(Weak::upgrade).collect();
        drop(state);
        for link in links {
            link.wake();
        }
    }

    fn random(&self, number: u32) -> StdRng {
        random(self.seed, number)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The list is whole after each statement.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn random(seed: u64, number: u32) -> StdRng {
    StdRng::seed_from_u64(seed ^ (u64::from(number) << 32))
}

impl Armed {
    fn strike(&self, seed: u64) -> Strike {
        let gate = || Gate(self.shared.released.subscribe());
        let effect = match self.fault.clone() {
            Fault::Cut(cut) => Effect::Cut(cut),
            Fault::Refuse { .. } => Effect::Cut(Cut::Reset),
            Fault::HalfOpen => Effect::HalfOpen,
            Fault::Delay(by) => Effect::Delay(by),
            Fault::Hold => Effect::Hold(gate()),
            Fault::HoldConfirms => Effect::HoldConfirms(gate(), HeldAs::TheyCame),
            Fault::MergeConfirms => Effect::HoldConfirms(gate(), HeldAs::Merged),
            Fault::Throttle { bytes_per_second } => {
                let bytes_per_second = bytes_per_second.max(1);
                Effect::Shape(Shape::Throttle { bytes_per_second }, gate())
            }
            Fault::Split { at_most } => {
                let at_most = at_most.max(1);
                let seed = random(seed, self.number).random();
                Effect::Shape(Shape::Split { at_most, seed }, gate())
            }
            Fault::Coalesce { bytes, patience } => {
                Effect::Shape(Shape::Coalesce { bytes, patience }, gate())
            }
        };
        Strike {
            number: self.number,
            did: self.fault.to_string(),
            effect,
            towards: self.rule.towards,
            shared: Arc::clone(&self.shared),
        }
    }
}
