//! Ending a node's own epmd, Erlang's port mapper.
//!
//! The node starts it, but it makes itself a daemon that outlives the node and carries no mark. We know
//! its port, which nobody else was given, and it obeys whoever speaks to it from this machine: the
//! request `KILL_REQ` of Erlang's distribution protocol (section "EPMD Protocol").

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::timer;

/// A length of one byte, then `k`.
const KILL_REQUEST: [u8; 3] = [0, 1, b'k'];
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks the epmd at a port to end, until nobody listens there. It refuses while a node is registered,
/// and a node that was killed is so for a moment longer.
pub(crate) async fn stop(port: u16) -> bool {
    let gone = timer::until(Instant::now() + PATIENCE, || async {
        match TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
            Err(_) => Some(()),
            Ok(mut stream) => {
                let _ = stream.write_all(&KILL_REQUEST).await;
                let mut answer = [0_u8; 2];
                // `OK`, and then the port is closed: the next question finds out.
                let _ = stream.read_exact(&mut answer).await;
                None
            }
        }
    });
    gone.await.is_some()
}
