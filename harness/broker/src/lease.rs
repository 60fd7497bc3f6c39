//! A vhost and a user for one check.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::broker::Broker;
use crate::claim::Claim;
use crate::management::Management;
use crate::state::random_hex;
use crate::topology::{Queue, Topology};

/// A fresh vhost on a broker, with a user of its own who may do everything there and nothing elsewhere.
///
/// The user has no tag, so it cannot use the management API, and a random password. The vhost takes at
/// most 200 connections and 2000 queues. [`Lease::release`] deletes both; so does dropping the lease,
/// also in a panic; and what a killed process leaves is deleted at the next process's first lease.
///
/// A lease keeps no connection, so it may be used from any runtime.
pub struct Lease {
    broker: Broker,
    name: String,
    password: String,
    released: bool,
    /// Keeps the process's lock while the lease lives; `None`: it is another process's.
    claim: Option<Arc<Claim>>,
}

/// A lease of this process, as it is handed to another one that is to work in it. It holds the password.
#[derive(Clone, Serialize, Deserialize)]
pub struct Lent {
    address: SocketAddr,
    vhost: String,
    password: String,
}

impl Broker {
    /// A fresh vhost on this broker, with a user of its own.
    pub async fn lease(&self) -> Result<Lease, Error> {
        Lease::take(self).await
    }

    /// A lease of another process on this broker, which lent it to us; `None`: it is on another broker.
    pub fn borrow(&self, lent: Lent) -> Option<Lease> {
        Lease::borrowed(self, lent)
    }
}

impl Lease {
    #[tracing::instrument(level = "debug", name = "lease", skip_all)]
    pub(crate) async fn take(broker: &Broker) -> Result<Self, Error> {
        let claim = Claim::of_process(broker.state()).await?;
        let session = broker.management().session();
        claim.sweep_once(broker.amqp_address(), &session).await?;
        // From here on a failure, or a caller who stops waiting, drops a lease that cleans up.
        let lease = Self {
            broker: broker.clone(),
            name: claim.next_name(),
            password: random_hex(12),
            released: false,
            claim: Some(claim),
        };
        session.make_lease(&lease.name, &lease.password).await?;
        Ok(lease)
    }

    /// A lease that another process lent us; `None`: it is on another broker.
    pub(crate) fn borrowed(broker: &Broker, lent: Lent) -> Option<Self> {
        (lent.address == broker.amqp_address()).then(|| Self {
            broker: broker.clone(),
            name: lent.vhost,
            password: lent.password,
            released: false,
            claim: None,
        })
    }

    /// What another process needs to work in this lease ([`Broker::borrow`]). The lease stays ours: it ends when we
    /// release it, and not when the other one does.
    pub fn lend(&self) -> Lent {
        Lent {
            address: self.amqp_address(),
            vhost: self.name.clone(),
            password: self.password.clone(),
        }
    }

    /// Whether another process lent it to us.
    pub fn is_borrowed(&self) -> bool {
        self.claim.is_none()
    }

    /// The vhost's name.
    pub fn vhost(&self) -> &str {
        &self.name
    }

    /// The user's name. It is the vhost's, which makes the broker's log easy to read.
    pub fn user(&self) -> &str {
        &self.name
    }

    /// The user's password: letters and digits.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The broker's address.
    pub fn amqp_address(&self) -> SocketAddr {
        self.broker.amqp_address()
    }

    /// The address with the lease's login and vhost. It holds the password: do not show it.
    pub fn amqp_url(&self) -> String {
        let encode = |part| utf8_percent_encode(part, NON_ALPHANUMERIC).to_string();
        format!(
            "amqp://{}:{}@{}/{}",
            encode(self.user()),
            encode(self.password()),
            self.amqp_address(),
            encode(self.vhost())
        )
    }

    /// The broker that the lease is on.
    pub fn broker(&self) -> &Broker {
        &self.broker
    }

    /// The queues that exist in the vhost now, by name.
    pub async fn queues(&self) -> Result<Vec<Queue>, Error> {
        self.broker.management().session().queues(&self.name).await
    }

    /// The queues, exchanges and bindings that exist in the vhost now, without those that every vhost
    /// has. It tells what is declared; how many messages there are is counted over AMQP, because the
    /// broker's statistics lag by seconds.
    pub async fn topology(&self) -> Result<Topology, Error> {
        self.broker
            .management()
            .session()
            .topology(&self.name)
            .await
    }

    /// Makes a queue refuse (`basic.nack`) what is published to it while so many messages wait in it, by a policy. It
    /// lasts as long as the lease.
    ///
    /// The broker tells the queue of the policy; whoever must know when it is in force has to ask the queue.
    pub async fn refuse_beyond(&self, queue: &str, messages: u32) -> Result<(), Error> {
        let session = self.broker.management().session();
        session.refuse_beyond(&self.name, queue, messages).await
    }

    /// Closes every connection of the lease's user, as an operator does: with `connection.close`, code 320
    /// (`CONNECTION_FORCED`) and this reason.
    ///
    /// RabbitMQ closes those that it lists, and lists one only some moments after it has said `connection.open-ok`; so
    /// the caller says how many are `open`.
    pub async fn close_connections(&self, open: usize, reason: &str) -> Result<(), Error> {
        let session = self.broker.management().session();
        session.close_connections(&self.name, open, reason).await
    }

    /// Deletes the queues and exchanges in the vhost, so that it is as good as a fresh one, in a fraction of the time
    /// that a fresh one takes (about 5 ms of the broker's processor time, against 60).
    ///
    /// `false`: something is left (an exclusive queue, a policy, a binding between built-in exchanges), and the lease is
    /// to be released. Whoever clears a lease must know that nothing is under way to it: a message that comes later
    /// meets the next queue of its name.
    #[tracing::instrument(level = "debug", name = "clear_lease", skip_all, fields(vhost = self.name))]
    pub async fn clear(&self) -> Result<bool, Error> {
        self.broker.management().session().clear(&self.name).await
    }

    /// Deletes the vhost, with everything in it, and the user. Connections to it are closed. A borrowed one stays: its
    /// owner deletes it.
    pub async fn release(mut self) -> Result<(), Error> {
        if self.is_borrowed() {
            return Ok(());
        }
        let session = self.broker.management().session();
        session.delete_lease(&self.name).await?;
        self.released = true;
        Ok(())
    }
}

impl Drop for Lease {
    /// Releases the lease from a thread of its own, because a drop cannot wait for a future, and waits
    /// for it (about 20 ms): a thread that outlives the test may die with the process. A broker that is
    /// gone refuses at once; one that hangs is left to the next sweep.
    fn drop(&mut self) {
        if self.released || self.is_borrowed() {
            return;
        }
        let management = self.broker.management().clone();
        let name = self.name.clone();
        let released = std::thread::Builder::new()
            .name("release a lease".to_owned())
            .spawn(move || release_in_thread(&management, &name));
        if let Ok(thread) = released {
            // What failed here is swept by the next process; a drop has nobody to tell.
            let _ = thread.join();
        }
    }
}

fn release_in_thread(management: &Management, name: &str) {
    const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    else {
        return;
    };
    let _ = runtime.block_on(async {
        let session = management.session();
        match tokio::time::timeout(PATIENCE, session.delete_lease(name)).await {
            Ok(result) => result,
            Err(_) => Ok(()),
        }
    });
}

impl fmt::Debug for Lease {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("name", &self.name)
            .field("broker", &self.broker)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Lent {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lent")
            .field("address", &self.address)
            .field("vhost", &self.vhost)
            .finish_non_exhaustive()
    }
}
