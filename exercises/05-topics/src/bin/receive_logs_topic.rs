//! `receive_logs_topic PATTERN…`: prints the log lines whose routing key fits at
//! least one of the patterns.
//!
//! - Without arguments, print `Usage: receive_logs_topic PATTERN…` on standard
//!   error, and exit with code 1.
//! - Connect as `emit_log_topic` does, open a channel, and declare the exchange
//!   `topic_logs` with the same kind and options.
//! - Declare *one* queue of your own: exclusive, with an empty name.
//! - Bind this queue to the exchange once for each pattern, with the pattern as
//!   the routing key, just as it was given. The broker does the matching.
//! - Consume from it with automatic acknowledgement.
//! - Print `Waiting for logs. To exit press CTRL+C`.
//! - Print `Received 'KEY:BODY'` for each message. A body is bytes: one that is
//!   not UTF-8 must not end the program.
//! - Go on until Ctrl-C, then end within 2 seconds. When the connection is
//!   lost before, return an error.
//!
//! You will need, from lapin: `queue_bind` in a loop, and `routing_key` of a
//! delivery. Try it with
//! `cargo run -p topics --bin receive_logs_topic -- 'kern.*' '*.critical'`.

use std::error::Error;

// ANCHOR: todo
#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    todo!("declare the exchange and a queue, bind it once for each pattern, consume, print")
}
// ANCHOR_END: todo
