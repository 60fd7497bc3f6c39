//! `receive_logs`: prints every log line that is published while it runs.
//!
//! - Connect as `emit_log` does, and open a channel.
//! - Declare the exchange `logs` with the same kind and options as `emit_log`.
//! - Declare a queue of your own: *exclusive*, with an empty name. The broker
//!   answers with the name that it has chosen.
//! - Bind this queue to the exchange `logs`.
//! - Consume from it with automatic acknowledgement.
//! - Print `Waiting for logs. To exit press CTRL+C`.
//! - Print `Received 'BODY'` for each message. A body is bytes: one that is
//!   not UTF-8 must not end the program.
//! - Go on until Ctrl-C, then end within 2 seconds. When the connection is
//!   lost before, return an error.
//!
//! You will need, from lapin: `queue_declare`, `name` on its answer,
//! `queue_bind` and `basic_consume`.
//! Try it with `cargo run -p publish-subscribe --bin receive_logs`.

use std::error::Error;

// ANCHOR: todo
#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    todo!("connect, declare the exchange and a queue, bind, consume, print until Ctrl-C")
}
// ANCHOR_END: todo
