//! `receive_logs_headers all|any KEY=VALUE…`: prints the log lines that have
//! all of these headers, or any of them.
//!
//! - The first argument is `all` or `any`. The others are headers, written as
//!   for `emit_log_headers`. When the arguments are not like that, print
//!   `Usage: receive_logs_headers all|any KEY=VALUE…` on standard error, and
//!   exit with code 1.
//! - Connect as `emit_log_headers` does, and open a channel.
//! - Declare the exchange `header_logs` with the same kind and options as
//!   `emit_log_headers`.
//! - Declare one queue of your own: *exclusive*, with an empty name.
//! - Bind this queue to the exchange once. The arguments of the binding are
//!   the headers, and `x-match` with the first argument.
//! - Consume from it with automatic acknowledgement.
//! - Print `Waiting for logs. To exit press CTRL+C`.
//! - Print `Received 'BODY'` for each message. A body is bytes: one that is
//!   not UTF-8 must not end the program.
//! - Go on until Ctrl-C, then end within 2 seconds. When the connection is
//!   lost before, return an error.
//!
//! You will need, from lapin: the last argument of `queue_bind`. Try it with
//! `cargo run -p headers --bin receive_logs_headers -- any format=pdf pages=3`.

use std::process::ExitCode;

// ANCHOR: todo
#[tokio::main]
async fn main() -> ExitCode {
    todo!("look at the arguments, declare, bind with them, consume, print until Ctrl-C")
}
// ANCHOR_END: todo
