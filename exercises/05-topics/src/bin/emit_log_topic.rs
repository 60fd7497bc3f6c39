//! `emit_log_topic KEY WORDS…`: publishes one log line under a routing key.
//!
//! - The first argument is the routing key: words with dots between them, such
//!   as `kern.critical`. Without arguments it is `anonymous.info`.
//! - Join the other arguments with spaces: that is the body. Without them it is
//!   `Hello World!`.
//! - Connect to the broker at `AMQP_ADDR` (when it is not set:
//!   `amqp://127.0.0.1:5672/%2f`), and open a channel.
//! - Declare the exchange `topic_logs`, of the kind *topic*.
//! - Publish the body to this exchange, with the routing key just as it was
//!   given: it may be empty, and there may be spaces in it.
//! - Print `Sent 'KEY:BODY'`.
//! - Close the connection, and wait until that is done.
//!
//! It is no error that nobody listens.
//!
//! You will need, from lapin: `ExchangeKind::Topic`, and the second argument of
//! `basic_publish`. Try it with
//! `cargo run -p topics --bin emit_log_topic -- kern.critical the disk is full`,
//! and check it with `cargo test -p topics`.

use std::error::Error;

// ANCHOR: todo
#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    todo!("take the key and the words, declare the exchange, publish with the key, print, close")
}
// ANCHOR_END: todo
