//! `rpc_client_direct N`: as `rpc_client`, without a queue for the reply.
//!
//! - Do all that `rpc_client` does, except for its own queue.
//! - Instead consume from `amq.rabbitmq.reply-to`. It is no queue, so you do
//!   not declare it. Consume from it with automatic acknowledgement, *before*
//!   you publish, and on the *same channel*.
//! - `reply_to` is `amq.rabbitmq.reply-to`. The broker puts an address of your
//!   own in its place.
//!
//! Try it with `cargo run -p rpc --bin rpc_client_direct -- 30`, and check all
//! three programs with `cargo test -p rpc`.

use std::error::Error;

// ANCHOR: todo
#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    todo!("connect, declare, consume from the pseudo-queue, ask, wait, print, close")
}
// ANCHOR_END: todo
