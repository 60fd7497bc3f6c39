//! `receive`: prints every message that arrives in the queue `hello`.
//!
//! - Connect as `send` does, and open a channel.
//! - Declare the queue `hello` with the same options as `send`: nobody knows
//!   which of the two programs runs first.
//! - Consume from `hello` with automatic acknowledgement (`no_ack`).
//! - Print `Waiting for messages. To exit press CTRL+C`.
//! - Print `Received 'BODY'` for each message. A body is bytes: one that is
//!   not UTF-8 must not end the program.
//! - Go on until Ctrl-C (`tokio::signal::ctrl_c`), then end within 2 seconds.
//!
//! You will need, from lapin: `basic_consume`, and `next` on the consumer
//! (from `futures_lite::StreamExt`). Try it with `cargo run -p hello-world --bin receive`.

use std::error::Error;

// ANCHOR: todo
#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    todo!("connect, declare the queue, consume, print each message until Ctrl-C")
}
// ANCHOR_END: todo
