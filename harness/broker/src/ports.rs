//! Ports of the loopback that are free now.

use std::net::{Ipv4Addr, TcpListener};

use crate::Error;
use crate::state::state;

/// The ports that the tutorial's commands and the management page's address name.
pub(crate) const AMQP: u16 = 5672;
pub(crate) const MANAGEMENT: u16 = 15672;

/// Below are services that everybody knows by their port.
const FIRST: u16 = 16_384;
/// Nearly all of them are free, as a rule.
const TRIES: usize = 100;

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

    /// Any free port that the system gives to nobody who asks for any.
    ///
    /// A broker takes seconds to start. In that time another program that asks for any port could get this one, and
    /// would be asked whether it is the broker: a tap did, and showed its program's connections and ours as one.
    pub(crate) fn any(&mut self) -> Result<u16, Error> {
        let failed = |source| {
            state(
                std::path::Path::new("127.0.0.1"),
                "has no free port",
                source,
            )
        };
        let ours = FIRST..first_of_the_system();
        let chosen = (0..TRIES)
            .take_while(|_| !ours.is_empty())
            .map(|_| rand::random_range(ours.clone()))
            .find_map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok());
        let listener = match chosen {
            Some(listener) => listener,
            None => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?,
        };
        let port = listener.local_addr().map_err(failed)?.port();
        self.held.push(listener);
        Ok(port)
    }
}

/// The first port that the system gives to who asks for any.
fn first_of_the_system() -> u16 {
    let range = fs_err::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
    let first = range.ok().and_then(|range| {
        let first = range.split_whitespace().next()?;
        first.parse().ok()
    });
    // Where Linux begins unless told otherwise; other systems begin above that.
    first.unwrap_or(32_768)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_none_that_the_system_gives_away_and_never_chosen_twice() {
        let mut chooser = Chooser::default();
        let ports: Vec<u16> = (0..20).map(|_| chooser.any().unwrap()).collect();
        for (index, port) in ports.iter().enumerate() {
            assert!((FIRST..first_of_the_system()).contains(port), "{port}");
            assert!(!ports[..index].contains(port), "{port}");
        }
    }
}
