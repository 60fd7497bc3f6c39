//! What is declared in the lab's virtual host.

use workbook_broker::Exchange;
use workbook_report::failure::{Checked, Failure};

use super::Lab;

impl Lab {
    /// Makes a queue refuse what is published to it while so many messages are in it. It may take a moment.
    pub(crate) async fn refuses_beyond(&self, queue: &str, messages: u32) -> Checked {
        let bounded = self.lease.refuse_beyond(queue, messages).await;
        bounded.map_err(|error| Failure::infra("the lab sets a policy for a queue", &error))
    }

    /// Holds that there is a queue of this name which survives a restart of the broker.
    pub async fn is_left_a_durable_queue(&self, program: &str, name: &str) -> Checked {
        let topology = self.lease.topology().await.map_err(|error| {
            Failure::infra("the lab lists the queues of its virtual host", &error)
        })?;
        let observed = match topology.queues.iter().find(|queue| queue.name == name) {
            Some(queue) if queue.durable => return Ok(()),
            Some(_) => "it declared it transient: durable = false".to_owned(),
            None => format!("there is no queue `{name}`"),
        };
        let expected = format!("`{program}` declares the queue `{name}` durable");
        Err(Failure::new(expected, observed))
    }

    /// The exchange of a name, as it was declared; `None`: there is none.
    pub async fn exchange(&self, name: &str) -> Result<Option<Exchange>, Failure> {
        let topology = self.lease.topology().await.map_err(|error| {
            Failure::infra("the lab lists the exchanges of its virtual host", &error)
        })?;
        let mut exchanges = topology.exchanges.into_iter();
        Ok(exchanges.find(|exchange| exchange.name == name))
    }

    /// Holds that a program has left an exchange of this name and kind.
    pub async fn is_left_an_exchange(&self, program: &str, name: &str, kind: &str) -> Checked {
        let observed = match self.exchange(name).await? {
            Some(exchange) if exchange.kind == kind => return Ok(()),
            Some(exchange) => format!("its kind is {}", exchange.kind),
            None => format!("there is no exchange `{name}`"),
        };
        let expected = format!("`{program}` leaves an exchange `{name}` of the kind {kind}");
        Err(Failure::new(expected, observed))
    }
}
