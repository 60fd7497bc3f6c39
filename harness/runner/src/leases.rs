//! Virtual hosts that many checks use one after the other.
//!
//! Making and deleting one is most of what a check costs the broker. A check tells in its report which of those that it
//! was lent have nothing in them; any other is deleted, and so is each that was lent to a check that left no report.

use std::sync::{Mutex, PoisonError};

use futures_util::future::join_all;
use workbook_broker::{Broker, Lease};

/// Virtual hosts on one broker.
#[derive(Debug)]
pub struct Leases {
    broker: Broker,
    each: usize,
    spare: Mutex<Vec<Lease>>,
}

impl Leases {
    /// None yet: they are made as they are needed. Each check gets so many; one that needs more makes them itself.
    pub fn on(broker: Broker, each: usize) -> Self {
        Self {
            broker,
            each,
            spare: Mutex::default(),
        }
    }

    /// Some for one check. Where the broker makes none there are fewer: then the check asks it itself, and says why not.
    pub async fn lend(&self) -> Vec<Lease> {
        let mut lent = {
            let mut spare = self.spare();
            let kept = spare.len().saturating_sub(self.each);
            spare.split_off(kept)
        };
        while lent.len() < self.each {
            match self.broker.lease().await {
                Ok(lease) => lent.push(lease),
                Err(_) => break,
            }
        }
        lent
    }

    /// Takes back what was lent to a check; what is not as good as fresh is deleted.
    pub async fn take_back(&self, lent: Vec<Lease>, given_back: &[String]) {
        let fresh = |lease: &Lease| given_back.iter().any(|name| name == lease.vhost());
        let (fresh, used): (Vec<_>, Vec<_>) = lent.into_iter().partition(fresh);
        self.spare().extend(fresh);
        delete(used).await;
    }

    /// Deletes all.
    pub async fn release(&self) {
        let spare = std::mem::take(&mut *self.spare());
        delete(spare).await;
    }

    fn spare(&self) -> std::sync::MutexGuard<'_, Vec<Lease>> {
        // A list of leases is whole even if somebody panicked while holding it.
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn delete(leases: Vec<Lease>) {
    // What resists is deleted by the next process that takes a lease.
    join_all(leases.into_iter().map(Lease::release)).await;
}
