//! Confirms that a fault holds back, and how they go out when it lets go.

use crate::{
    event::Fate,
    fault::{Gate, HeldAs},
    message::{Method, method_frame},
};
use amq_protocol::protocol::{AMQPClass, basic};
use std::collections::{BTreeSet, HashMap};

/// A confirm that stands for more messages than these is passed on as it is.
const MOST_APART: u64 = 65_536;

/// The confirms of one connection.
#[derive(Debug, Default)]
pub(crate) struct Confirms {
    /// One that stands for many goes out as one for each.
    single: bool,
    gates: Vec<(Gate, HeldAs)>,
    kept: Vec<Kept>,
    /// What has gone out, by channel.
    out: HashMap<u16, Settled>,
}

#[derive(Debug)]
struct Kept {
    confirm: Method,
    bytes: Vec<u8>,
    held: HeldAs,
}

/// A confirm that goes out.
#[derive(Debug)]
pub(crate) struct Going {
    pub(crate) bytes: Vec<u8>,
    /// What they say, where no event of the tape has said so yet.
    pub(crate) anew: Option<Method>,
}

impl Confirms {
    pub(crate) fn new(single: bool) -> Self {
        Self {
            single,
            ..Self::default()
        }
    }

    /// Holds all that come from here on, until the gate opens.
    pub(crate) fn hold(&mut self, gate: Gate, held: HeldAs) {
        self.gates.push((gate, held));
    }

    /// Keeps a confirm back, if confirms are held, and returns what becomes of it as it is.
    pub(crate) fn keep(&mut self, confirm: &Method, bytes: &[u8]) -> Option<Fate> {
        self.gates.retain(|(gate, _)| !gate.is_open());
        // What goes out later must not be overtaken.
        let splits = self.single && self.apart(confirm).is_some();
        if self.gates.is_empty() && self.kept.is_empty() && !splits {
            self.goes_out(confirm);
            return None;
        }
        let merged = self.gates.iter().any(|(_, held)| *held == HeldAs::Merged);
        let (held, fate) = match merged {
            true => (HeldAs::Merged, Fate::Vanished),
            false if splits => (HeldAs::Single, Fate::Vanished),
            false => (HeldAs::TheyCame, Fate::Held),
        };
        self.kept.push(Kept {
            confirm: confirm.clone(),
            bytes: bytes.to_vec(),
            held,
        });
        Some(fate)
    }

    /// All that were kept, once nothing holds them any more.
    pub(crate) fn let_go(&mut self) -> Vec<Going> {
        self.gates.retain(|(gate, _)| !gate.is_open());
        if !self.gates.is_empty() {
            return Vec::new();
        }
        let mut going = Vec::new();
        let mut kept = std::mem::take(&mut self.kept).into_iter().peekable();
        while let Some(first) = kept.next() {
            if first.held == HeldAs::TheyCame {
                self.goes_out(&first.confirm);
                going.push(Going {
                    bytes: first.bytes,
                    anew: None,
                });
                continue;
            }
            if first.held == HeldAs::Single {
                let singles = self.apart(&first.confirm);
                self.goes_out(&first.confirm);
                match singles {
                    Some(singles) => going.extend(singles),
                    None => going.push(as_it_came(first)),
                }
                continue;
            }
            let mut run = vec![first];
            while let Some(next) = kept.next_if(|next| follows(next, &run[0])) {
                run.push(next);
            }
            going.extend(self.merged(run));
        }
        going
    }

    /// A channel begins to count its messages anew.
    pub(crate) fn begin(&mut self, channel: u16) {
        self.out.insert(channel, Settled::default());
    }

    /// One `basic.ack` in place of as many of these as follow on what has gone out, and the others as they came.
    fn merged(&mut self, run: Vec<Kept>) -> Vec<Going> {
        let channel = run[0].confirm.channel();
        let before = self.out.get(&channel).map_or(0, |out| out.up_to);
        for one in &run {
            self.goes_out(&one.confirm);
        }
        let up_to = self.out.get(&channel).map_or(0, |out| out.up_to);
        let (together, apart): (Vec<Kept>, Vec<Kept>) = run
            .into_iter()
            .partition(|one| ack(&one.confirm).is_some_and(|(tag, _)| tag <= up_to));
        let mut going = Vec::new();
        if together.len() > 1 && up_to > before {
            let class = AMQPClass::Basic(basic::AMQPMethod::Ack(basic::Ack {
                delivery_tag: up_to,
                multiple: true,
            }));
            going.push(Going {
                bytes: method_frame(channel, class.clone()),
                anew: Some(Method::new(channel, class)),
            });
        } else {
            going.extend(together.into_iter().map(as_it_came));
        }
        going.extend(apart.into_iter().map(as_it_came));
        going
    }

    /// One confirm for each message that this one stands for; `None`: it stands for one only, or for too many.
    fn apart(&self, confirm: &Method) -> Option<Vec<Going>> {
        let (tag, multiple) = settles(confirm)?;
        let channel = confirm.channel();
        let out = self.out.get(&channel)?;
        let many = multiple && tag.saturating_sub(out.up_to) <= MOST_APART;
        let one = |tag| {
            let class = AMQPClass::Basic(match ack(confirm) {
                Some(_) => basic::AMQPMethod::Ack(basic::Ack {
                    delivery_tag: tag,
                    multiple: false,
                }),
                None => basic::AMQPMethod::Nack(basic::Nack {
                    delivery_tag: tag,
                    multiple: false,
                    requeue: false,
                }),
            });
            Going {
                bytes: method_frame(channel, class.clone()),
                anew: Some(Method::new(channel, class)),
            }
        };
        many.then(|| out.open_up_to(tag).map(one).collect())
    }

    fn goes_out(&mut self, confirm: &Method) {
        if let Some((tag, multiple)) = settles(confirm)
            && let Some(out) = self.out.get_mut(&confirm.channel())
        {
            out.add(tag, multiple);
        }
    }
}

fn as_it_came(kept: Kept) -> Going {
    Going {
        bytes: kept.bytes,
        anew: Some(kept.confirm),
    }
}

/// Whether a confirm may be merged with the one that a run begins with.
fn follows(next: &Kept, first: &Kept) -> bool {
    let both_ack = ack(&first.confirm).is_some() && ack(&next.confirm).is_some();
    both_ack && next.held == HeldAs::Merged && next.confirm.channel() == first.confirm.channel()
}

/// The tag of a `basic.ack`, and whether it stands for all before it.
fn ack(confirm: &Method) -> Option<(u64, bool)> {
    match confirm.class() {
        AMQPClass::Basic(basic::AMQPMethod::Ack(ack)) => Some((ack.delivery_tag, ack.multiple)),
        _ => None,
    }
}

/// The tag of a confirm, and whether it stands for all before it.
fn settles(confirm: &Method) -> Option<(u64, bool)> {
    match confirm.class() {
        AMQPClass::Basic(basic::AMQPMethod::Nack(nack)) => Some((nack.delivery_tag, nack.multiple)),
        _ => ack(confirm),
    }
}

/// Which messages of a channel are confirmed.
#[derive(Debug, Default)]
struct Settled {
    /// All up to this one, from 1 …
    up_to: u64,
    /// … and these beyond it.
    beyond: BTreeSet<u64>,
}

impl Settled {
    /// Those up to this one that are still to be confirmed.
    fn open_up_to(&self, tag: u64) -> impl Iterator<Item = u64> {
        (self.up_to + 1..=tag).filter(|tag| !self.beyond.contains(tag))
    }

    fn add(&mut self, tag: u64, multiple: bool) {
        if multiple {
            self.up_to = self.up_to.max(tag);
            self.beyond = self.beyond.split_off(&self.up_to.saturating_add(1));
        } else if tag > self.up_to {
            self.beyond.insert(tag);
        }
        while self.beyond.remove(&self.up_to.saturating_add(1)) {
            self.up_to += 1;
        }
    }
}
