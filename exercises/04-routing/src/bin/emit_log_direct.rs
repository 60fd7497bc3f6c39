//! `emit_log_direct SEVERITY WORDS…`: publishes one log line for those who
//! want lines of this severity.
//!
//! - The first argument is the severity; without it, `info`.
//! - Join the other arguments with spaces: that is the body. Without them it
//!   is `Hello World!`.
//! - Connect to the broker at `AMQP_ADDR` (when it is not set:
//!   `amqp://127.0.0.1:5672/%2f`), and open a channel.
//! - Declare the exchange `direct_logs`, of the kind *direct*.
//! - Publish the body to this exchange, with the severity as the routing key.
//! - Print `Sent 'SEVERITY:BODY'`.
//! - Close the connection, and wait until that is done.
//!
//! Nobody may be listening. That is no error: the message is then discarded.
//!
//! You will need, from lapin: `ExchangeKind::Direct`, and the second argument
//! of `basic_publish`. Try it with
//! `cargo run -p routing --bin emit_log_direct -- error the disk is full`,
//! and check it with `cargo test -p routing`.

use std::error::Error;

// ANCHOR: todo
#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    todo!("connect, declare the exchange, publish with the severity as key, print, close")
}
// ANCHOR_END: todo
