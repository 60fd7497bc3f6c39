//! The lab's own side of exchanges: it listens to one, and publishes to one.

use lapin::{
    BasicProperties,
    options::{QueueBindOptions, QueueDeclareOptions},
    types::FieldTable,
};
use workbook_diagnosis::model::{Message, headers};
use workbook_report::failure::{Checked, Failure};

use super::{Asked as _, Depth, Judge, Outgoing, code, refused};
use crate::wait::{DEADLINE, within};

/// Who may use a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// There is no queue of that name.
    Absent,
    /// Every connection.
    Open,
    /// Only the connection that declared it: it is exclusive.
    Locked,
}

impl Judge {
    /// Listens to an exchange that a program has declared, with a binding for each of the keys.
    ///
    /// The answer is the name of the lab's own queue, for [`Judge::drain`]: all that
    /// is routed to it from now on is there.
    pub async fn listen(&self, exchange: &str, keys: &[&str]) -> Result<String, Failure> {
        let bindings: Vec<_> = keys
            .iter()
            .map(|key| (*key, FieldTable::default()))
            .collect();
        self.listen_by(exchange, &bindings).await
    }

    /// As [`Judge::listen`], with the routing key and the arguments of each binding.
    pub async fn listen_by(
        &self,
        exchange: &str,
        bindings: &[(&str, FieldTable)],
    ) -> Result<String, Failure> {
        let expected = format!("a queue can be bound to the exchange `{exchange}`");
        let refused = |error| refused(&expected, &error);
        let channel = self.channel().await?;
        // Exclusive to the connection, so it outlives the channel.
        let exclusive = QueueDeclareOptions::exclusive();
        let queue = channel
            .queue_declare("".into(), exclusive, FieldTable::default())
            .in_time()
            .await
            .map_err(refused)?;
        for (key, arguments) in bindings {
            let options = QueueBindOptions::default();
            channel
                .queue_bind(
                    queue.name().clone(),
                    exchange.into(),
                    (*key).into(),
                    options,
                    arguments.clone(),
                )
                .in_time()
                .await
                .map_err(refused)?;
        }
        Ok(queue.name().to_string())
    }

    /// Publishes messages to an exchange, each with its routing key and headers, in order, and waits until the broker
    /// has confirmed all of them, whether a queue takes them or not.
    ///
    /// A confirmed message is in every queue that it is routed to, so what is published afterwards comes after it.
    pub async fn publish_messages(&self, exchange: &str, messages: &[Message]) -> Checked {
        let expected = format!("the lab can publish to the exchange `{exchange}`");
        let each = |message| {
            let Message { key, headers, body }: &Message = message;
            let properties = match headers.is_empty() {
                true => BasicProperties::default(),
                false => BasicProperties::default().with_headers(headers::table(headers)),
            };
            Outgoing {
                key,
                properties,
                body: body.as_bytes(),
            }
        };
        let routed = self.emit(exchange, &expected, messages.iter().map(each));
        routed.await.map(|_| ())
    }

    /// Publishes bodies to an exchange, in order, and waits until the broker has confirmed all
    /// of them; `false`: at least one of them reached no queue.
    pub async fn publish_to(
        &self,
        exchange: &str,
        key: &str,
        bodies: &[impl AsRef<[u8]>],
    ) -> Result<bool, Failure> {
        let expected = format!("the lab can publish to the exchange `{exchange}`");
        self.route(exchange, key, &expected, bodies).await
    }

    /// Publishes bodies to an exchange with something bound to it, in order.
    ///
    /// Of a receiver that ends at one of them, its queue goes: the broker need not find one for those that follow.
    pub async fn broadcast(
        &self,
        exchange: &str,
        key: &str,
        bodies: &[impl AsRef<[u8]>],
    ) -> Checked {
        let (first, others) = bodies.split_at(bodies.len().min(1));
        if self.publish_to(exchange, key, first).await? {
            if !others.is_empty() {
                self.publish_to(exchange, key, others).await?;
            }
            return Ok(());
        }
        Err(Failure::new(
            format!(
                "the exchange `{exchange}` passes a message with the routing key `{key}` on to a queue"
            ),
            format!(
                "the lab published to `{exchange}`, and the broker returned the message: 312 NO_ROUTE"
            ),
        ))
    }

    /// Who may use a queue, asked by a passive declare from the lab's connection.
    pub async fn access(&self, queue: &str) -> Result<Access, Failure> {
        let channel = self.channel().await?;
        let passive = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::default()
        };
        match channel
            .queue_declare(queue.into(), passive, FieldTable::default())
            .in_time()
            .await
        {
            Ok(_) => Ok(Access::Open),
            Err(error) if code(&error) == Some(404) => Ok(Access::Absent),
            Err(error) if code(&error) == Some(405) => Ok(Access::Locked),
            Err(error) => Err(refused(
                &format!("the queue `{queue}` can be looked at"),
                &error,
            )),
        }
    }

    /// Waits until no connection holds a queue for itself, and returns who may use it then.
    ///
    /// The broker deletes an exclusive queue a moment after its connection has broken off, and refuses a message
    /// that it wants to copy there at this moment (`basic.nack`). Until then it answers that the queue is locked, so
    /// it is asked again; each time is a round trip.
    pub async fn unlocked(&self, queue: &str) -> Result<Access, Failure> {
        let asked = within(DEADLINE, async {
            loop {
                let access = self.access(queue).await?;
                if access != Access::Locked {
                    return Ok(access);
                }
            }
        });
        asked.await.unwrap_or(Ok(Access::Locked))
    }

    /// Waits until nobody consumes from a queue any more, and returns what is in it then; `None`: it is gone.
    ///
    /// When the broker has noticed that a consumer's connection is lost, it puts back what the consumer had not
    /// acknowledged, in the same step.
    pub async fn left_alone(&self, queue: &str) -> Result<Option<Depth>, Failure> {
        let asked = within(DEADLINE, async {
            loop {
                let depth = self.queue(queue).await?;
                if depth.is_none_or(|depth| depth.consumers == 0) {
                    return Ok(depth);
                }
            }
        });
        let expected = format!("nobody consumes from the queue `{queue}` any more");
        let late = Failure::new(expected, "somebody still does");
        asked.await.unwrap_or(Err(late))
    }

    /// Waits until an exclusive queue has gone with its connection.
    pub async fn goes(&self, queue: &str, when: &str) -> Checked {
        let observed = match self.unlocked(queue).await? {
            Access::Absent => return Ok(()),
            Access::Open => "it is still there, for everybody",
            Access::Locked => "it is still there",
        };
        let expected = format!("the queue of the program is gone {when}");
        Err(Failure::new(expected, observed))
    }
}
