//! The virtual hosts of one check.

use std::{cell::RefCell, rc::Rc};

use workbook_broker::{Broker, Lease, Lent};
use workbook_report::failure::Failure;

/// Leases of virtual hosts on one broker: a lab that ended well hands its own on to the next lab of the same check.
///
/// A property has many labs, one after the other, and making and deleting a virtual host is most of what they cost the
/// broker.
#[derive(Clone, Debug)]
pub(crate) struct Leases(Rc<Shelf>);

#[derive(Debug)]
struct Shelf {
    broker: Broker,
    spare: RefCell<Vec<Lease>>,
}

impl Leases {
    pub(crate) fn of(broker: &Broker) -> Self {
        Self(Rc::new(Shelf {
            broker: broker.clone(),
            spare: RefCell::default(),
        }))
    }

    /// With those that were lent to this check.
    pub(crate) fn with_lent(broker: &Broker, lent: &[Lent]) -> Self {
        let leases = Self::of(broker);
        let borrowed = lent.iter().filter_map(|it| broker.borrow(it.clone()));
        leases.0.spare.borrow_mut().extend(borrowed);
        leases
    }

    /// A virtual host with nothing in it.
    pub(crate) async fn take(&self) -> Result<Lease, Failure> {
        let spare = self.0.spare.borrow_mut().pop();
        match spare {
            Some(lease) => Ok(lease),
            None => (self.0.broker.lease().await)
                .map_err(|error| Failure::infra("the lab gets a virtual host of its own", &error)),
        }
    }

    /// Takes back a virtual host to which nothing is under way any more.
    pub(crate) async fn give_back(&self, lease: Lease) -> Result<(), Failure> {
        let cleared = lease.clear().await;
        if cleared.map_err(|error| Failure::infra("the lab clears its virtual host", &error))? {
            self.0.spare.borrow_mut().push(lease);
            return Ok(());
        }
        release(lease).await
    }

    /// Gives all of them back; returns the names of those that were lent, and have nothing in them.
    pub(crate) async fn release(&self) -> Result<Vec<String>, Failure> {
        let spare = self.0.spare.take();
        let mut given_back = Vec::new();
        for lease in spare {
            if lease.is_borrowed() {
                given_back.push(lease.vhost().to_owned());
            }
            release(lease).await?;
        }
        Ok(given_back)
    }
}

/// Deletes a virtual host, with everything in it.
pub(crate) async fn release(lease: Lease) -> Result<(), Failure> {
    let released = lease.release().await;
    released.map_err(|error| Failure::infra("the lab gives its virtual host back", &error))
}
