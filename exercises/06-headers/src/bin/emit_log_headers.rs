//! `emit_log_headers KEY=VALUE… -- WORDS…`: publishes one log line for those
//! who want lines with such headers.
//!
//! - Each argument before `--` is a header: the name, `=`, the value. A value
//!   that is `-` or nothing, and then 1 to 18 digits, is an integer; every
//!   other value is a text. An argument without `=` there: print
//!   `Usage: emit_log_headers KEY=VALUE… -- WORDS…` on standard error, and exit
//!   with code 1.
//! - Join the arguments after `--` with spaces: that is the body. Without them
//!   it is `Hello World!`.
//! - Connect to the broker at `AMQP_ADDR` (when it is not set:
//!   `amqp://127.0.0.1:5672/%2f`), and open a channel.
//! - Declare the exchange `header_logs`, of the kind *headers*.
//! - Publish the body to this exchange, with the headers among its properties
//!   and an empty routing key.
//! - Print `Sent 'BODY'`.
//! - Close the connection, and wait until that is done.
//!
//! You will need, from lapin: `ExchangeKind::Headers`, `FieldTable`,
//! `AMQPValue` and `BasicProperties::with_headers`. Try it with
//! `cargo run -p headers --bin emit_log_headers -- format=pdf pages=3 -- done`,
//! and check it with `cargo test -p headers`.

use std::process::ExitCode;

// ANCHOR: todo
#[tokio::main]
async fn main() -> ExitCode {
    todo!("look at the arguments, connect, declare, publish with headers, print, close")
}
// ANCHOR_END: todo
