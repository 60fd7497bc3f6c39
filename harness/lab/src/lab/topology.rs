//! What is declared in the lab's virtual host.

use workbook_broker::Exchange;

use super::Lab;
use crate::failure::Failure;

impl Lab {
    /// The exchange of a name, as it was declared; `None`: there is none.
    pub async fn exchange(&self, name: &str) -> Result<Option<Exchange>, Failure> {
        let topology = self.lease.topology().await.map_err(|error| {
            Failure::infra("the lab lists the exchanges of its virtual host", &error)
        })?;
        let mut exchanges = topology.exchanges.into_iter();
        Ok(exchanges.find(|exchange| exchange.name == name))
    }
}
