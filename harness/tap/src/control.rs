//! What reaches into one connection from outside its own pumps: the tap's end, and faults.

use crate::{
    confirms::{Confirms, Going},
    event::{Event, Fate, Side, What},
    fault::{Cut, Effect, Hit, Strike},
    message::Method,
    tape::Tape,
};
use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::{Notify, watch};

/// Why a connection is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// The tap closes.
    Close,
    /// A fault cuts it.
    Cut(Cut),
}

/// The levers of one connection.
#[derive(Debug)]
pub(crate) struct Control {
    pub(crate) connection: u32,
    order: watch::Sender<Option<Order>>,
    closing: watch::Receiver<bool>,
    /// Whether any fault has hit this connection, or its confirms are not passed on as they come.
    bent: AtomicBool,
    /// Whether its bytes vanish.
    half_open: AtomicBool,
    /// The confirms that are held back.
    confirms: Mutex<Confirms>,
    lanes: [Lane; 2],
}

/// A direction, by the side that sends.
#[derive(Debug, Default)]
struct Lane {
    mail: Mutex<Vec<Effect>>,
    full: AtomicBool,
    wake: Notify,
}

impl Control {
    pub(crate) fn new(
        connection: u32,
        closing: watch::Receiver<bool>,
        single_confirms: bool,
    ) -> Self {
        Self {
            connection,
            closing,
            order: watch::Sender::new(None),
            bent: AtomicBool::new(single_confirms),
            half_open: AtomicBool::new(false),
            confirms: Mutex::new(Confirms::new(single_confirms)),
            lanes: Default::default(),
        }
    }

    /// Ends the connection, unless it was told to end before.
    pub(crate) fn order(&self, order: Order) {
        self.order.send_if_modified(|given| {
            let first = given.is_none();
            given.get_or_insert(order);
            first
        });
    }

    /// The order to end, when it comes.
    pub(crate) async fn ordered(&self) -> Order {
        let mut orders = self.order.subscribe();
        tokio::select! {
            biased;
            order = orders.wait_for(Option::is_some) => match order.map(|order| *order) {
                Ok(Some(order)) => order,
                // The sender is `self`, so there is always an order in the end.
                _ => Order::Close,
            },
            () = self.closed() => Order::Close,
        }
    }

    /// Waits until the tap itself closes.
    pub(crate) async fn closed(&self) {
        let mut closing = self.closing.clone();
        // A tap that is gone is closed as well.
        let _ = closing.wait_for(|closing| *closing).await;
    }

    pub(crate) fn is_bent(&self) -> bool {
        self.bent.load(Ordering::Acquire)
    }

    pub(crate) fn is_half_open(&self) -> bool {
        self.half_open.load(Ordering::Acquire)
    }

    /// Does what does not depend on the place in the stream, and returns what does: for the pump of `lane`.
    pub(crate) fn strike(&self, strike: &Strike, way: Side) -> Option<(Side, Effect)> {
        self.bent.store(true, Ordering::Release);
        let lane = strike.towards.map_or(way, Side::other);
        match &strike.effect {
            Effect::HalfOpen => {
                self.half_open.store(true, Ordering::Release);
                None
            }
            Effect::HoldConfirms(gate, as_what) => {
                lock(&self.confirms).hold(gate.clone(), *as_what);
                None
            }
            effect => Some((lane, effect.clone())),
        }
    }

    /// A fault that hits wherever the connection is.
    pub(crate) fn strike_now(&self, strike: &Strike, tape: &Tape) {
        self.note(strike, None, Side::Client, tape);
        match self.strike(strike, Side::Client) {
            Some((_, Effect::Cut(cut))) => self.order(Order::Cut(cut)),
            Some((lane, effect)) => self.post(lane, effect),
            None => {}
        }
        tape.announce();
    }

    /// Puts a hit on the tape, and tells the one who injected it.
    pub(crate) fn note(&self, strike: &Strike, trigger: Option<u64>, from: Side, tape: &Tape) {
        let event = tape.push(Event {
            number: 0,
            at: tape.now(),
            connection: self.connection,
            from,
            fate: Fate::Passed,
            offset: 0,
            what: What::Fault {
                fault: strike.number,
                did: strike.did.clone(),
                trigger,
            },
        });
        strike.tell(Hit {
            connection: self.connection,
            trigger,
            event,
        });
    }

    /// Gives the pump of `lane` something to do before it next writes.
    pub(crate) fn post(&self, lane: Side, effect: Effect) {
        let lane = self.lane(lane);
        lock(&lane.mail).push(effect);
        lane.full.store(true, Ordering::Release);
        lane.wake.notify_one();
    }

    /// What was posted to the pump of `lane`.
    pub(crate) fn mail(&self, lane: Side) -> Vec<Effect> {
        let lane = self.lane(lane);
        if !lane.full.swap(false, Ordering::AcqRel) {
            return Vec::new();
        }
        std::mem::take(&mut *lock(&lane.mail))
    }

    /// Waits until the pump of `lane` has a reason to look up.
    pub(crate) async fn woken(&self, lane: Side) {
        self.lane(lane).wake.notified().await;
    }

    /// Wakes both pumps: something was released.
    pub(crate) fn wake(&self) {
        for lane in &self.lanes {
            lane.wake.notify_one();
        }
    }

    /// Keeps a confirm back, if confirms are held; returns what becomes of it then.
    pub(crate) fn hold(&self, confirm: &Method, bytes: &[u8]) -> Option<Fate> {
        lock(&self.confirms).keep(confirm, bytes)
    }

    /// The confirms that were held and no longer are.
    pub(crate) fn let_go(&self) -> Vec<Going> {
        lock(&self.confirms).let_go()
    }

    /// A channel begins to count its messages anew.
    pub(crate) fn opens_channel(&self, channel: u16) {
        lock(&self.confirms).begin(channel);
    }

    fn lane(&self, side: Side) -> &Lane {
        &self.lanes[side.index()]
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is locked is whole after each statement.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
