//! The lab as a partner of a program: it takes what comes into a queue, and sends what it likes.
//!
//! So it can play a server that answers late, twice or wrongly, and a client that asks what nobody ought to ask.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::StreamExt as _;
use lapin::{
    BasicProperties, Channel, Confirmation,
    message::Delivery,
    options::{
        BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions,
    },
    types::{AMQPValue, FieldTable, ShortString},
};
use workbook_report::failure::{Checked, Failure};

use super::{Asked as _, Judge, refused};

/// The header that marks a reply as an error.
const ERROR: &str = "error";

/// A message between partners: what it says, which request it belongs to, where the reply goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Letter {
    /// The body.
    pub body: Vec<u8>,
    /// The property `correlation_id`.
    pub correlation_id: Option<String>,
    /// The property `reply_to`.
    pub reply_to: Option<String>,
    /// The header `error` is true.
    pub error: bool,
}

impl Letter {
    /// A letter with nothing but a body.
    pub fn new(body: impl Into<Vec<u8>>) -> Self {
        Self {
            body: body.into(),
            ..Self::default()
        }
    }

    /// With this correlation id.
    #[must_use]
    pub fn with_id(self, id: impl Into<String>) -> Self {
        Self {
            correlation_id: Some(id.into()),
            ..self
        }
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A message's properties and body, as far as partners look at them.
    pub(crate) fn of(properties: &BasicProperties, body: &[u8]) -> Self {
        let text = |value: Option<&ShortString>| value.map(ToString::to_string);
        let headers = properties.headers().as_ref();
        let error = headers.and_then(|headers| headers.inner().get(ERROR));
        Self {
            body: body.to_vec(),
            correlation_id: text(properties.correlation_id().as_ref()),
            reply_to: text(properties.reply_to().as_ref()),
            error: error == Some(&AMQPValue::Boolean(true)),
        }
    }

    fn properties(&self) -> BasicProperties {
        let mut properties = BasicProperties::default();
        if let Some(id) = &self.correlation_id {
            properties = properties.with_correlation_id(id.as_str().into());
        }
        if let Some(reply_to) = &self.reply_to {
            properties = properties.with_reply_to(reply_to.as_str().into());
        }
        if self.error {
            let mut headers = FieldTable::default();
            headers.insert(ERROR.into(), AMQPValue::Boolean(true));
            properties = properties.with_headers(headers);
        }
        properties
    }
}

/// A consumer of the lab's own, with a channel to send on.
#[derive(Debug)]
pub struct Partner {
    channel: Channel,
    queue: String,
    got: Arc<Mutex<Vec<Letter>>>,
}

impl Judge {
    /// Takes all that is in a queue and comes into it, until the lab ends. The queue must exist.
    pub async fn takes(&self, queue: &str) -> Result<Partner, Failure> {
        let channel = self.partner_channel(queue).await?;
        self.consume(channel, queue).await
    }

    /// Takes all that comes into a new queue of the lab's own.
    pub async fn receives(&self) -> Result<Partner, Failure> {
        let expected = "the lab can declare a queue of its own";
        let channel = self.partner_channel("").await?;
        let exclusive = QueueDeclareOptions::exclusive();
        let queue = channel
            .queue_declare("".into(), exclusive, FieldTable::default())
            .in_time()
            .await
            .map_err(|error| refused(expected, &error))?;
        self.consume(channel, queue.name().as_str()).await
    }

    async fn partner_channel(&self, queue: &str) -> Result<Channel, Failure> {
        let channel = self.channel().await?;
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .in_time()
            .await
            .map_err(|error| refused(&expected(queue), &error))?;
        Ok(channel)
    }

    async fn consume(&self, channel: Channel, queue: &str) -> Result<Partner, Failure> {
        let automatic = BasicConsumeOptions {
            no_ack: true,
            ..BasicConsumeOptions::default()
        };
        let mut consumer = channel
            .basic_consume(queue.into(), "".into(), automatic, FieldTable::default())
            .in_time()
            .await
            .map_err(|error| refused(&expected(queue), &error))?;
        let got: Arc<Mutex<Vec<Letter>>> = Arc::default();
        let (bell, letters) = (self.bell.clone(), got.clone());
        // It ends with the lab's connection.
        tokio::spawn(async move {
            while let Some(Ok(delivery)) = consumer.next().await {
                let Delivery {
                    properties, data, ..
                } = delivery;
                let mut letters = letters.lock().unwrap_or_else(PoisonError::into_inner);
                letters.push(Letter::of(&properties, &data));
                drop(letters);
                bell.ring();
            }
        });
        Ok(Partner {
            channel,
            queue: queue.to_owned(),
            got,
        })
    }
}

impl Partner {
    /// The queue that it takes from.
    pub fn queue(&self) -> &str {
        &self.queue
    }

    /// What it got so far, in order.
    pub fn got(&self) -> Vec<Letter> {
        let got = self.got.lock().unwrap_or_else(PoisonError::into_inner);
        got.clone()
    }

    /// Sends a letter to a queue through the default exchange, after those that it sent before, and waits until the
    /// broker has dealt with it.
    ///
    /// Whether the queue is there is not asked: where a reply goes to, the one who asked may have left. (A broker
    /// returns a `mandatory` message to a direct reply-to address even if it was delivered, so nobody can ask.)
    pub async fn sends(&self, queue: &str, letter: &Letter) -> Checked {
        let what = format!("the lab can publish to `{queue}`");
        let sent = self
            .channel
            .basic_publish(
                "".into(),
                queue.into(),
                BasicPublishOptions::default(),
                &letter.body,
                letter.properties(),
            )
            .in_time()
            .await
            .map_err(|error| refused(&what, &error))?;
        // A queue that is just going may refuse it (`basic.nack`), which is as good as gone.
        let _: Confirmation = sent
            .in_time()
            .await
            .map_err(|error| refused(&what, &error))?;
        Ok(())
    }
}

fn expected(queue: &str) -> String {
    format!("the lab can consume from the queue `{queue}`")
}
