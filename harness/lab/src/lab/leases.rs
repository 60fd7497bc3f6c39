//! The virtual hosts of one check.

use std::{cell::RefCell, rc::Rc};

use workbook_broker::{Broker, Lease};

use crate::failure::Failure;

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

    /// Gives all of them back to the broker.
    pub(crate) async fn release(&self) -> Result<(), Failure> {
        let spare = self.0.spare.take();
        for lease in spare {
            release(lease).await?;
        }
        Ok(())
    }
}

/// Deletes a virtual host, with everything in it.
pub(crate) async fn release(lease: Lease) -> Result<(), Failure> {
    let released = lease.release().await;
    released.map_err(|error| Failure::infra("the lab gives its virtual host back", &error))
}
