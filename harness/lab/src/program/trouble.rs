//! How a program takes trouble: no broker, a lost connection, an error of the broker, long work.

use std::{io, sync::Arc};

use amqp_tap::{Cut, Event, Fault, Rule, Side, What, story::Settle};
use workbook_diagnosis::Ended;
use workbook_report::failure::{Checked, Failure};

use super::{NO_BROKER_LIMIT, Program};
use crate::{
    lab::{Lab, Start},
    wait::{PATIENCE, SHORT_DEADLINE},
};

impl Lab {
    /// Holds of each of these programs that it says so when there is no broker, and does not claim to have sent
    /// anything. A program is named with its arguments, if it needs some, as in a shell: `receive_logs_direct info`.
    pub async fn all_need_a_broker(&self, programs: &[&str]) -> Checked {
        self.all_need_a_broker_for(programs, b"").await
    }

    /// As [`Lab::all_need_a_broker`], of programs that do something with a text on their standard input.
    pub async fn all_need_a_broker_for(&self, programs: &[&str], input: &[u8]) -> Checked {
        let lines = programs.iter().map(|line| {
            let mut words = line.split_whitespace();
            (words.next().unwrap_or_default(), words.collect::<Vec<_>>())
        });
        let lines: Vec<_> = lines.collect();
        let start = |arguments| Start {
            arguments,
            input,
            ..Start::default()
        };
        // With a broker they talk to it: else their error would be another one.
        for (program, arguments) in &lines {
            let with = self.start_as(program, start(arguments)).await?;
            let what = format!("`{program}` opens a connection");
            with.until_frame(&what, |event| event.is("connection.open-ok"))
                .await?;
            with.kill();
            with.ends().await?;
        }
        for (program, arguments) in &lines {
            let without = self.fails_without_broker_as(program, start(arguments));
            let claims = without.await?.stdout();
            let claim = ["Sent", "confirmed"]
                .into_iter()
                .find(|it| claims.contains(it));
            if let Some(claim) = claim {
                return Err(Failure::new(
                    format!("`{program}` does not claim to have sent anything"),
                    format!("it printed `{claim}`, although there is no broker"),
                ));
            }
        }
        Ok(())
    }

    /// Holds that bytes which are not UTF-8 do not end a program that is bound to an exchange with this key: it prints
    /// the message after them.
    pub async fn outlives_bytes(
        &self,
        program: &Program,
        exchange: &str,
        key: &str,
        bytes: &[u8],
    ) -> Checked {
        let end = self.unique("end");
        let judge = self.judge().await?;
        judge
            .broadcast(exchange, key, &[bytes, end.as_bytes()])
            .await?;
        let what = format!(
            "`{}` goes on after a body that is not UTF-8, and prints the next message",
            program.bare_name()
        );
        program
            .until(&what, |program| {
                program.stdout().contains(&end).then_some(Ok(()))
            })
            .await
    }

    /// Cuts a program's connection, and waits until the exclusive queue that was bound there is gone: the broker
    /// refuses a message that comes at the very moment at which it goes.
    pub async fn cuts_off(&self, program: &Program, queue: &str) -> Checked {
        program.loses_its_connection().await?;
        self.judge().await?.unlocked(queue).await.map(|_| ())
    }

    /// Holds that a program which cannot do anything with these arguments says how it is used, on standard error, and
    /// exits with code 1.
    pub async fn tells_its_usage(&self, program: &str, arguments: &[&str]) -> Checked {
        let program = self.start(program, arguments).await?;
        program.need_not_connect();
        let with = match arguments.is_empty() {
            true => "without arguments ",
            false => "",
        };
        let expected = format!(
            "`{}` {with}prints its usage on standard error, and exits with code 1",
            program.name()
        );
        let ended = program.ends().await.map_err(|failure| Failure {
            expected: expected.clone(),
            ..failure
        })?;
        if ended != Ended::Code(1) {
            return Err(program.explain(Failure::new(expected, format!("it {ended}"))));
        }
        let said = program.stderr().to_lowercase();
        if !said.contains("usage") && !said.contains("用法") {
            let observed = "it exited with code 1, and standard error does not say `Usage: …`";
            return Err(program.explain(Failure::new(expected, observed)));
        }
        Ok(())
    }
}

impl Program {
    /// Resets its connection while it waits for more: it has settled what it got by then, if it ever does. One that has
    /// ended its connection by itself has none to lose; what it is to do next tells that.
    ///
    /// An acknowledgement that is under way at the moment of the cut may wait for ever: lapin 4.12 then tells nobody
    /// that the connection is lost, which is no fault of the program.
    pub async fn loses_its_connection(&self) -> Checked {
        let bell = &self.0.bell;
        self.may_settle(SHORT_DEADLINE.min(bell.deadline)).await;
        let cut = self.inject(Fault::Cut(Cut::Reset), Rule::now());
        let lost = || {
            let hit = cut.as_ref().is_some_and(|cut| cut.hit().is_some());
            (hit || self.has_no_connection()).then_some(())
        };
        bell.until(bell.deadline, lost).await.ok_or_else(|| {
            let error = io::Error::other("its connection is still there");
            Failure::infra(format!("`{}` loses its connection", self.name()), &error)
        })
    }

    /// All its connections have ended, or it has made none.
    fn has_no_connection(&self) -> bool {
        self.is_over()
            || self.tape().is_none_or(|tape| {
                let mut connections = tape.connections().into_iter();
                connections.all(|number| tape.ending(number).is_some())
            })
    }

    /// After its connection was lost: waits until it takes messages again, on another connection (`true`), or has ended
    /// with an error and a word about it on standard error (`false`). Both are right for a consumer.
    pub async fn is_back_or_fails_loudly(&self, why: &str) -> Result<bool, Failure> {
        let bell = &self.0.bell;
        let back = bell.until(NO_BROKER_LIMIT, || {
            let over = self.is_over();
            match self.takes_again() {
                true => Some(true),
                false => over.then_some(false),
            }
        });
        if back.await == Some(true) {
            return Ok(true);
        }
        // What it did not do until now is told in the words for a program that fails.
        let what = format!(
            "connects again, or says on standard error that it failed ({why}) and exits with a code that is not 0"
        );
        self.failed_loudly(&what)?;
        Ok(false)
    }

    /// Waits until it sends a heartbeat, from now on. One whose heartbeats are [too slow](Program::beats_slowly) to wait
    /// for has nothing to show here: see [`Program::answers_a_close`].
    pub async fn sends_a_heartbeat(&self, when: &str) -> Checked {
        if self.beats_slowly() {
            return Ok(());
        }
        let so_far = self.events().len();
        let what = format!("`{}` sends a heartbeat {when}", self.name());
        self.until(&what, |program| {
            let beats = |event: &Arc<Event>| {
                event.from == Side::Client && matches!(event.what, What::Heartbeat { .. })
            };
            program.events()[so_far..]
                .iter()
                .any(beats)
                .then_some(Ok(()))
        })
        .await
    }

    /// Whether it agreed to a longer heartbeat interval (`connection.tune-ok`, AMQP 0-9-1 §1.4.2.6) than was proposed,
    /// or to none. Some libraries always ask for 60 seconds, and the broker keeps to it.
    pub fn beats_slowly(&self) -> bool {
        let events = self.events();
        let interval = |name| {
            let tuned = events.iter().rfind(|event| event.is(name))?;
            tuned.method()?.argument("heartbeat")?.as_u64()
        };
        let proposed = interval("connection.tune").unwrap_or(0);
        let chosen = interval("connection.tune-ok").unwrap_or(0);
        chosen == 0 || chosen > proposed
    }

    /// Holds that its connection is served: when the broker closes it, `connection.close-ok` comes, or at least its
    /// end, as from pika 1.4.
    ///
    /// The broker closes every connection of the lab, the judge's too, so this is the last thing to hold.
    pub async fn answers_a_close(&self, lab: &Lab, when: &str) -> Checked {
        lab.closes_all_connections(when).await?;
        let what = format!(
            "`{}` answers connection.close (code 320) {when}, as it would send heartbeats: by connection.close-ok",
            self.name()
        );
        let answer = |event: &Event| {
            event.from == Side::Client
                && (event.is("connection.close-ok")
                    || matches!(event.what, What::HalfClosed | What::Reset { .. }))
        };
        self.until_frame(&what, answer).await.map(|_| ())
    }

    /// Looks for something as long as an impatient program waits ([`PATIENCE`]), counted from an event on its tape.
    pub async fn impatiently<T>(
        &self,
        since: &Event,
        mut look: impl FnMut(&Self) -> Option<T>,
    ) -> Option<T> {
        let now = self.tape().and_then(|tape| tape.began().elapsed().ok());
        let gone = now.unwrap_or_default().saturating_sub(since.at);
        let left = PATIENCE.saturating_sub(gone);
        self.0.bell.until(left, || look(self)).await
    }

    /// Holds that the broker had no reason to close one of its channels. To ask for what is not there, and to be told
    /// so (404), is no error; nor is what a library settles twice that Ctrl-C has interrupted in the middle of it.
    pub fn gets_no_error(&self) -> Checked {
        let interrupted = self.interrupted();
        let late = |settle: &Settle| interrupted.is_some_and(|at| settle.mark.at >= at);
        let refused = self.read(|story| {
            let mut refusals = story.refusals.iter();
            refusals.any(|it| {
                let asked = it.code == 404 && it.method.ends_with(".declare");
                !asked && !story.settled_again(it).is_some_and(late)
            })
        });
        if !refused {
            return Ok(());
        }
        let what = format!(
            "the broker closes no channel of `{}` because of an error",
            self.name()
        );
        Err(self.explain(Failure::new(what, "it sent channel.close")))
    }
}
