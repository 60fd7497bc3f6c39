//! `receive_logs_direct SEVERITY…`: prints the log lines of these severities.
//!
//! - Without arguments: print `Usage: receive_logs_direct SEVERITY…` on
//!   standard error, and exit with code 1.
//! - Connect as `emit_log_direct` does, and open a channel.
//! - Declare the exchange `direct_logs` with the same kind and options as
//!   `emit_log_direct`.
//! - Declare one queue of your own: *exclusive*, with an empty name.
//! - Bind this queue to the exchange once for each argument, with the argument
//!   as the routing key.
//! - Consume from it with automatic acknowledgement.
//! - Print `Waiting for logs. To exit press CTRL+C`.
//! - Print `Received 'SEVERITY:BODY'` for each message; the severity is its
//!   routing key. A body is bytes: one that is not UTF-8 must not end the
//!   program.
//! - Go on until Ctrl-C, then end within 2 seconds. When the connection is
//!   lost before, return an error.
//!
//! You will need, from lapin: `queue_bind` in a loop, and `routing_key` of the
//! delivery. Try it with
//! `cargo run -p routing --bin receive_logs_direct -- warning error`.

use std::process::ExitCode;

// ANCHOR: todo
#[tokio::main]
async fn main() -> ExitCode {
    todo!("look at the arguments, declare, bind for each, consume, print until Ctrl-C")
}
// ANCHOR_END: todo
