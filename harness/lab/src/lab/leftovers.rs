//! What programs leave in the broker when they have ended.

use std::collections::BTreeSet;

use workbook_broker::{Binding, Exchange, Queue, Topology};
use workbook_diagnosis::finding::{Left, anonymous};
use workbook_report::failure::{Checked, Failure};

use super::Lab;
use crate::wait::{DEADLINE, SHORT_DEADLINE, within};

impl Lab {
    /// Ends all programs, as Ctrl-C does, and holds that nothing stays in the virtual host but the queues and exchanges
    /// that the exercise's text names.
    ///
    /// What goes by itself is nothing that stays: an exclusive queue goes with its connection, one that is auto-delete
    /// with its last consumer, and one with `x-expires` when nobody has used it for so long. The broker is asked again
    /// until those that go now have gone; each time is a round trip.
    pub async fn leaves_nothing_else(&self) -> Checked {
        self.end_all().await?;
        let asked = within(DEADLINE, async {
            loop {
                let found = self.leftovers().await?;
                if found.is_empty() || !found.may_go() {
                    return Ok(found);
                }
            }
        });
        let found = match asked.await {
            Some(found) => found?,
            None => self.leftovers().await?,
        };
        if found.is_empty() {
            return Ok(());
        }
        let mut observed = Vec::new();
        for queue in &found.queues {
            let depth = self.judge().await?.queue(&queue.name).await?;
            let messages = match depth.map_or(0, |depth| depth.messages) {
                1 => "1 message".to_owned(),
                messages => format!("{messages} messages"),
            };
            observed.push(format!(
                "the queue `{}` stays, with {messages} in it",
                queue.name
            ));
        }
        let exchanges = found.exchanges.iter();
        observed.extend(exchanges.map(|it| format!("the exchange `{}` stays", it.name)));
        let left = found.names();
        // That what stays is also bound to something goes without saying.
        let alone = |it: &&Binding| match it.to_exchange {
            true => !left.exchanges.contains(&it.destination),
            false => !left.queues.contains(&it.destination),
        };
        observed.extend(found.bindings.iter().filter(alone).map(|it| {
            let what = if it.to_exchange { "exchange" } else { "queue" };
            let (source, destination) = (&it.source, &it.destination);
            format!("the {what} `{destination}` stays bound to the exchange `{source}`")
        }));
        *self.left.borrow_mut() = left;
        let expected = format!(
            "when the programs have ended, they leave nothing in the broker but {}",
            self.given_entities()
        );
        Err(Failure::new(expected, anonymous(&observed.join("\n"))))
    }

    /// Presses Ctrl-C on every program that still runs, and kills those that do not end of it.
    async fn end_all(&self) -> Checked {
        let programs = self.programs.borrow().clone();
        for program in &programs {
            if program.ended().is_none() {
                // In the middle of its work it may not hear it: many wait for Ctrl-C only beside the next delivery.
                program.may_settle(SHORT_DEADLINE).await;
                program.may_print_what_it_got(SHORT_DEADLINE).await;
                if program.ends_on_ctrl_c().await.is_err() {
                    program.kill();
                }
            }
            program.ends().await?;
        }
        Ok(())
    }

    async fn leftovers(&self) -> Result<Leftovers, Failure> {
        let topology =
            self.lease.topology().await.map_err(|error| {
                Failure::infra("the lab lists what is in its virtual host", &error)
            })?;
        let named = |names: &[String], name: &str| names.iter().any(|it| it == name);
        Ok(Leftovers::of(
            topology,
            |queue| named(&self.bench.given.names, queue),
            |exchange| named(&self.bench.given.exchanges, exchange),
        ))
    }

    /// "the queue `hello`"
    fn given_entities(&self) -> String {
        let queues = self
            .bench
            .given
            .names
            .iter()
            .map(|it| format!("the queue `{it}`"));
        let exchanges = self.bench.given.exchanges.iter();
        let exchanges = exchanges.map(|it| format!("the exchange `{it}`"));
        queues.chain(exchanges).collect::<Vec<_>>().join(" and ")
    }
}

/// What is in a virtual host, and no exercise's text gives it.
#[derive(Debug, Default)]
struct Leftovers {
    queues: Vec<Queue>,
    exchanges: Vec<Exchange>,
    bindings: Vec<Binding>,
    /// The queues and exchanges that go when nobody uses them any more.
    going: BTreeSet<(bool, String)>,
}

impl Leftovers {
    fn of(
        topology: Topology,
        is_given_queue: impl Fn(&str) -> bool,
        is_given_exchange: impl Fn(&str) -> bool,
    ) -> Self {
        let Topology {
            queues,
            mut exchanges,
            mut bindings,
        } = topology;
        let (mut staying, passing): (Vec<_>, Vec<_>) = queues
            .into_iter()
            .partition(|it| !it.exclusive && !it.arguments.contains_key("x-expires"));
        // The broker may list a binding whose queue has gone in the meantime.
        bindings.retain(|it| {
            let to = |queue: &Queue| queue.name == it.destination;
            it.to_exchange || staying.iter().any(to) && !passing.iter().any(to)
        });
        staying.retain(|it| !is_given_queue(&it.name));
        exchanges.retain(|it| !is_given_exchange(&it.name));
        let queues = staying.iter().filter(|it| it.auto_delete);
        let going = queues.map(|it| (false, it.name.clone()));
        let auto_delete = exchanges.iter().filter(|it| it.auto_delete);
        let going = going.chain(auto_delete.map(|it| (true, it.name.clone())));
        Self {
            going: going.collect(),
            queues: staying,
            exchanges,
            bindings,
        }
    }

    fn is_empty(&self) -> bool {
        self.queues.is_empty() && self.exchanges.is_empty() && self.bindings.is_empty()
    }

    /// Whether all of it may still go by itself.
    fn may_go(&self) -> bool {
        let goes =
            |is_exchange: bool, name: &str| self.going.contains(&(is_exchange, name.to_owned()));
        self.queues.iter().all(|it| goes(false, &it.name))
            && self.exchanges.iter().all(|it| goes(true, &it.name))
            && self
                .bindings
                .iter()
                .all(|it| goes(it.to_exchange, &it.destination) || goes(true, &it.source))
    }

    fn names(&self) -> Left {
        let binding = |it: &Binding| (it.source.clone(), it.destination.clone());
        Left {
            queues: self.queues.iter().map(|it| it.name.clone()).collect(),
            exchanges: self.exchanges.iter().map(|it| it.name.clone()).collect(),
            bindings: self.bindings.iter().map(binding).collect(),
        }
    }
}
