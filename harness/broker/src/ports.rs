//! Ports of the loopback that are free now.

use std::net::{Ipv4Addr, TcpListener};

use crate::Error;
use crate::state::state;

/// The ports that the tutorial's commands and the management page's address name.
pub(crate) const AMQP: u16 = 5672;
pub(crate) const MANAGEMENT: u16 = 15672;

/// Reserves ports while they are being chosen, so that no two choices are the same. Between the choice
/// and the broker's own `listen` somebody else may take one: the start is then tried again.
#[derive(Debug, Default)]
pub(crate) struct Chooser {
    held: Vec<TcpListener>,
}

impl Chooser {
    /// This port when it is free, and otherwise any other.
    pub(crate) fn prefer(&mut self, port: u16) -> Result<u16, Error> {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(listener) => {
                self.held.push(listener);
                Ok(port)
            }
            Err(_) => self.any(),
        }
    }

    /// Any free port.
    pub(crate) fn any(&mut self) -> Result<u16, Error> {
        let failed = |source| {
            state(
                std::path::Path::new("127.0.0.1"),
                "has no free port",
                source,
            )
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        self.held.push(listener);
        Ok(port)
    }
}
