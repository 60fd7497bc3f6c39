//! Remote calls: a request, and the reply that comes to the address in it, marked with its correlation id.
//!
//! The lab can play either side. As a server it takes the requests of any number of clients ([`Lab::is_asked_by`])
//! and replies to each when and what it likes.

mod mess;

use std::{rc::Rc, sync::Arc};

use amqp_tap::{Event, Hit};
use workbook_diagnosis::{finding::spoken, quote::visible};
use workbook_report::failure::{Checked, Failure};

use crate::{
    judge::{Declare, Letter, Partner},
    lab::Lab,
    program::Program,
    vocabulary::tasks::Task,
};

pub use mess::{Mess, Trick};
pub use workbook_diagnosis::finding::DIRECT;

/// A client that waits for the lab's reply.
#[derive(Clone, Debug)]
pub struct Call {
    /// The client.
    pub client: Program,
    /// Its request, as a server gets it.
    pub request: Letter,
    server: Rc<Partner>,
}

impl Lab {
    /// Starts clients, and takes the request of each out of the queue as its server. None gets a reply yet.
    ///
    /// The queue is for the client to declare. Where it does not, its request is lost, and it is started again beside
    /// a queue of the lab's: what that means for the client is another matter.
    pub async fn is_asked_by(
        &self,
        queue: &str,
        clients: &[(&str, &str)],
    ) -> Result<Vec<Call>, Failure> {
        let judge = self.judge().await?;
        let mut calls = Vec::new();
        let mut server: Option<Rc<Partner>> = None;
        for (program, argument) in clients {
            let mut client = self.start(program, &[argument]).await?;
            client.publishes_to(queue).await?;
            if judge.queue(queue).await?.is_none() {
                client.kill();
                client.ends().await?;
                let durable = Declare {
                    queue: queue.into(),
                    durable: true,
                    ..Declare::default()
                };
                judge.declare_as(&durable).await?;
                client = self.start(program, &[argument]).await?;
            }
            let server = match &server {
                Some(server) => server.clone(),
                None => server.insert(Rc::new(judge.takes(queue).await?)).clone(),
            };
            let what = format!(
                "the request of `{}` comes into the queue `{queue}`",
                client.name()
            );
            let taken = client.until(&what, |_| server.got().get(calls.len()).cloned().map(Ok));
            let request = taken.await?;
            calls.push(Call {
                client,
                request,
                server,
            });
        }
        Ok(calls)
    }
}

impl Call {
    /// Sends a letter to the address that the request names.
    pub async fn gets(&self, letter: &Letter) -> Checked {
        let Some(address) = &self.request.reply_to else {
            return Err(Failure::new(
                format!(
                    "the request of `{}` says where the reply goes: the property reply_to",
                    self.client.name()
                ),
                "it has no reply_to",
            ));
        };
        self.server.sends(address, letter).await
    }

    /// The reply with this body that belongs to the request.
    pub fn reply(&self, body: impl Into<Vec<u8>>) -> Letter {
        Letter {
            correlation_id: self.request.correlation_id.clone(),
            ..Letter::new(body)
        }
    }

    /// Holds that the client waits for its own reply, longer than an impatient one does.
    pub async fn is_waited_for(&self) -> Checked {
        let name = self.client.name();
        let what = format!("`{name}` publishes a request");
        let asked = self
            .client
            .until_frame(&what, |event| event.is("basic.publish"));
        let asked = asked.await?;
        let ended = self.client.impatiently(&asked, Program::ended).await;
        let Some(ended) = ended else { return Ok(()) };
        let expected = format!("`{name}` waits for the reply with its correlation_id");
        let observed = format!("it {ended} before that came");
        Err(self.client.explain(Failure::new(expected, observed)))
    }

    /// Waits until the client has printed this result, and no other, and has ended well.
    pub async fn succeeds_with(&self, result: &str) -> Checked {
        // The lab's server need not reckon well, so that nobody can know the result without its reply.
        let asked = visible(&self.request.text());
        let why = format!(": it asked for {asked} and was told {result}");
        self.client.prints_result_because(result, &why).await?;
        self.client.succeeds().await?;
        self.client.prints_result_because(result, &why).await
    }
}

impl Program {
    /// Waits until it publishes a message, and holds that this may come into the queue.
    pub async fn publishes_to(&self, queue: &str) -> Checked {
        let what = format!(
            "`{}` publishes a request to the queue `{queue}`",
            self.name()
        );
        self.until(&what, |program| {
            let published = program
                .events()
                .into_iter()
                .find(|it| it.is("basic.publish"))?;
            let argument = |name| {
                let value = published.method()?.argument(name)?;
                value.as_str().map(str::to_owned)
            };
            let (exchange, key) = (argument("exchange")?, argument("routing-key")?);
            // The default exchange knows the queue by its name only. Of others, nobody knows.
            if exchange.is_empty() && key != queue {
                let observed =
                    format!("it published to the default exchange with the routing key `{key}`");
                return Some(Err(Failure::new(what.clone(), observed)));
            }
            Some(Ok(()))
        })
        .await
    }

    /// While a reply of it is held back: waits until it acknowledges the request on another connection, which nothing
    /// holds back, if it does so at all. One that waits for the confirm of its reply does not, however long that takes.
    pub async fn may_ack_before_its_reply(&self, held: Hit) {
        let events = self.events();
        let takes_on = |event: &&Arc<Event>| event.is("basic.deliver") || event.is("basic.get-ok");
        let mut takes = events.iter().filter(takes_on);
        let reply = events
            .iter()
            .find(|event| Some(event.number) == held.trigger);
        // What it sends on the connection of its reply stays behind the reply.
        let other = takes.all(|event| event.connection != held.connection);
        if let (Some(reply), true) = (reply, other) {
            let acked = |server: &Self| server.tasks().iter().any(Task::is_done_with).then_some(());
            self.impatiently(reply, acked).await;
        }
    }

    /// Whether it acknowledged something before its reply, which is held back: ahead of it, or on another connection.
    ///
    /// The frames tell it. What the broker makes of an acknowledgement just before the connection breaks is up to the
    /// moment: RabbitMQ 3.10.8 put such a request back once, under load.
    pub fn acked_before_its_reply(&self, held: Hit) -> bool {
        let ahead = |event: &Event| held.trigger.is_some_and(|reply| event.number < reply);
        let elsewhere = |event: &Event| event.connection != held.connection;
        let events = self.events();
        let mut acks = events.iter().filter(|event| event.is("basic.ack"));
        acks.any(|event| ahead(event) || elsewhere(event))
    }

    /// Where it published a reply to, if that is another place than any request that was delivered to it asks for.
    ///
    /// A request that says nothing of it may be answered to nobody: to the default exchange with an empty key.
    pub fn replies_elsewhere(&self) -> Option<String> {
        let events = self.events();
        let messages = || events.iter().filter_map(|event| event.message());
        let asked_for: Vec<String> = messages()
            .filter(|message| message.is_delivery())
            .map(|message| {
                let reply_to = message.properties().reply_to().as_ref();
                reply_to.map(ToString::to_string).unwrap_or_default()
            })
            .collect();
        let known = |key: &str| asked_for.iter().any(|address| address == key);
        let elsewhere = messages().find(|message| {
            message.is_publish()
                && (!message.exchange().is_empty() || !known(message.routing_key()))
        })?;
        let exchange = match elsewhere.exchange() {
            "" => "the default exchange".to_owned(),
            name => format!("the exchange `{name}`"),
        };
        let key = match elsewhere.routing_key() {
            "" => "an empty routing key".to_owned(),
            key if known(key) => "the request's reply_to as the routing key".to_owned(),
            other => format!("the routing key `{other}`"),
        };
        Some(format!("it published it to {exchange}, with {key}"))
    }

    /// Waits until it has printed `Got RESULT` with this result, and with no other.
    pub async fn prints_result(&self, result: &str) -> Checked {
        self.prints_result_because(result, "").await
    }

    /// As [`Program::prints_result`]; `why` goes on with the sentence that says so.
    async fn prints_result_because(&self, result: &str, why: &str) -> Checked {
        let what = format!("`{}` prints `Got {result}`, once{why}", self.name());
        self.until(&what, |program| {
            let said = program.stdout();
            let ended = program.ended().is_some();
            // While it runs, its last line may come to more.
            let whole = match ended {
                true => said.len(),
                false => said.rfind('\n').map_or(0, |end| end + 1),
            };
            let results: Vec<&str> = said[..whole].lines().filter_map(spoken::got).collect();
            match results.as_slice() {
                [] => None,
                [only] if *only == result => Some(Ok(())),
                others => {
                    let observed = format!("it printed `Got` with {others:?}");
                    Some(Err(Failure::new(what.clone(), observed)))
                }
            }
        })
        .await
    }
}
