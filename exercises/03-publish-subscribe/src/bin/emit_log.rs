//! `emit_log WORDS…`: publishes one log line to everybody who listens.
//!
//! - Join the arguments with spaces: that is the body. Without arguments it is
//!   `info: Hello World!`.
//! - Connect to the broker at `AMQP_ADDR` (when it is not set:
//!   `amqp://127.0.0.1:5672/%2f`), and open a channel.
//! - Declare the exchange `logs`, of the kind *fanout*.
//! - Publish the body to the exchange `logs`. A fanout exchange ignores the
//!   routing key; leave it empty.
//! - Print `Sent 'BODY'`.
//! - Close the connection, and wait until that is done.
//!
//! Nobody may be listening. That is no error: the message is then discarded.
//!
//! You will need, from lapin: `exchange_declare`, `ExchangeKind::Fanout` and
//! `basic_publish`. Try it with `cargo run -p publish-subscribe --bin emit_log`,
//! and check it with `cargo test -p publish-subscribe`.

use std::error::Error;

// ANCHOR: todo
#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    todo!("connect, declare the exchange, publish, print, close")
}
// ANCHOR_END: todo
