//! How a program ends, and its connections with it.

use std::time::Duration;

use amqp_tap::{Ending, Tape};
use workbook_diagnosis::Ended;
use workbook_report::failure::{Checked, Failure};

use super::{CTRL_C_LIMIT, Program};
use crate::wait::GRACE;

impl Program {
    /// Waits until the program ended and the broker has seen the end of each of its connections.
    pub async fn ends(&self) -> Result<Ended, Failure> {
        self.ends_within(self.0.bell.deadline, "ends").await
    }

    /// Waits until the program ended with code 0.
    pub async fn succeeds(&self) -> Checked {
        let ended = self.ends().await?;
        if ended.is_success() {
            return Ok(());
        }
        Err(self.explain(Failure::new(
            format!("`{}` exits with code 0", self.name()),
            format!("it {ended}"),
        )))
    }

    /// Waits until each of the program's connections was closed in the way of AMQP:
    /// `connection.close` from the program, `connection.close-ok` from the broker.
    pub async fn closes_its_connections(&self) -> Checked {
        let what = format!(
            "`{}` closes its connection: connection.close, then connection.close-ok",
            self.name()
        );
        let endings = self
            .until(&what, |program| {
                let tape = program.0.tape.as_ref()?;
                let endings: Vec<Ending> = tape
                    .connections()
                    .into_iter()
                    .map(|number| tape.ending(number))
                    .collect::<Option<_>>()?;
                // A program's socket may be seen to end before it does itself, and how it ended is to be told.
                let broke_off = endings.contains(&Ending::DroppedByClient);
                let whole = program.ended().is_some() || !broke_off;
                (whole && !endings.is_empty()).then_some(Ok(endings))
            })
            .await?;
        let Some(other) = endings.into_iter().find(|ending| *ending != Ending::Closed) else {
            return Ok(());
        };
        let observed = match other {
            Ending::DroppedByClient => {
                "the connection broke off: the program ended without connection.close"
            }
            Ending::ClosedByBroker => "the broker closed the connection because of an error",
            Ending::Cut => {
                "the tap cut the connection: it could not read what the program sent, or a limit was passed"
            }
            _ => "the broker's side of the connection ended first",
        };
        Err(self.explain(Failure::new(what, observed)))
    }

    /// Waits until the program has published, and has closed its connections in the way of AMQP.
    pub async fn closes_after_publishing(&self) -> Checked {
        let what = format!("`{}` publishes (basic.publish)", self.bare_name());
        self.until_frame(&what, |event| event.is("basic.publish"))
            .await?;
        self.closes_its_connections().await
    }

    /// How many deliveries the program has neither consumed with automatic
    /// acknowledgement nor settled (basic.ack, basic.nack, basic.reject).
    fn unsettled_deliveries(&self) -> usize {
        let Some(conversation) = self.conversation() else {
            return 0;
        };
        let consumers = conversation.consumers.iter().chain(&conversation.gets);
        let deliveries = consumers.flat_map(|consumer| &consumer.deliveries);
        deliveries
            .filter(|delivery| delivery.settled == Some("open"))
            .count()
    }

    /// Waits until it has settled all that it got, or is over; whoever never settles is not waited for any longer.
    pub(crate) async fn may_settle(&self, limit: Duration) {
        let settled = || (self.unsettled_deliveries() == 0 || self.is_over()).then_some(());
        let _: Option<()> = self.0.bell.until(limit, settled).await;
    }

    /// Waits until it has printed all that it got, or is over; whoever prints something else is not waited for any
    /// longer.
    pub(crate) async fn may_print_what_it_got(&self, limit: Duration) {
        let printed = || {
            let output = self.stdout();
            let all = self.delivered().iter().all(|body| output.contains(body));
            (all || self.is_over()).then_some(())
        };
        let _: Option<()> = self.0.bell.until(limit, printed).await;
    }

    /// Presses Ctrl-C once the program has settled all that it got, and holds that nothing of it is left unsettled.
    ///
    /// It may settle a message a moment after it has printed it, or as late as when it ends. So it is no failure when
    /// something is left at the deadline: what counts is what is left in the end.
    pub async fn ends_settled_on_ctrl_c(&self) -> Checked {
        self.may_settle(self.0.bell.deadline).await;
        self.ends_on_ctrl_c().await?;
        let unsettled = self.unsettled_deliveries();
        if unsettled == 0 {
            return Ok(());
        }
        Err(Failure::new(
            format!(
                "every message that `{}` got is settled when it ends: by automatic acknowledgement or by basic.ack",
                self.bare_name()
            ),
            format!(
                "{unsettled} of {} deliveries were never acknowledged, so to the broker they are not done",
                self.delivered().len()
            ),
        ))
    }

    /// Presses Ctrl-C and waits until the program ended, within the 2 seconds that its text gives it.
    pub async fn ends_on_ctrl_c(&self) -> Result<Ended, Failure> {
        self.interrupt();
        self.ends_within(
            CTRL_C_LIMIT + GRACE,
            "ends within 2 seconds of Ctrl-C (SIGINT)",
        )
        .await
    }

    /// Waits until the program ended with an error, and a word about it on standard error.
    pub async fn fails_loudly(&self, limit: Duration, why: &str) -> Checked {
        let what = format!(
            "says on standard error that it failed ({why}), and exits with a code that is not 0"
        );
        self.ends_within(limit, &what).await?;
        self.failed_loudly(&what)
    }

    /// Holds that it has ended with an error, and a word about it on standard error.
    pub(super) fn failed_loudly(&self, what: &str) -> Checked {
        let what = format!("`{}` {what}", self.name());
        let Some(ended) = self.ended() else {
            return Err(self.missed(&what));
        };
        if ended.is_success() {
            return Err(self.explain(Failure::new(what, "it exited with code 0")));
        }
        if self.stderr().trim().is_empty() {
            let observed = format!("it {ended}, and standard error is empty");
            return Err(self.explain(Failure::new(what, observed)));
        }
        Ok(())
    }

    pub(super) async fn ends_within(&self, limit: Duration, what: &str) -> Result<Ended, Failure> {
        let over = self
            .0
            .bell
            .until(limit, || self.is_over().then(|| self.ended()))
            .await
            .flatten();
        over.ok_or_else(|| self.missed(&format!("`{}` {what}", self.name())))
    }

    /// Whether it ended, and all its connections with it.
    pub(super) fn is_over(&self) -> bool {
        let all_ended = |tape: &Tape| {
            tape.connections()
                .into_iter()
                .all(|number| tape.ending(number).is_some())
        };
        self.ended().is_some() && self.0.tape.as_ref().is_none_or(all_ended)
    }
}
