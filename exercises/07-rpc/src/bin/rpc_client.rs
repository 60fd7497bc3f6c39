//! `rpc_client N`: asks `rpc_server` for `fib(N)`, and prints the reply.
//!
//! - Without an argument: say how it is used, and exit with an error.
//! - Connect as `rpc_server` does, and open a channel.
//! - Declare `rpc_queue` as `rpc_server` does.
//! - Declare a queue of your own for the reply: *exclusive*, with an empty
//!   name. Consume from it.
//! - Print `Requesting fib(N)`, and publish N to `rpc_queue`. The property
//!   `reply_to` is your queue's name. `correlation_id` is an id that no other
//!   call has, in this run or another.
//! - Wait for the reply with your id. Ignore all others, whatever is in them.
//! - Print `Got RESULT`, close the connection, and end.
//! - A reply with the header `error` = true is an error: print its text on
//!   standard error, and exit with code 1.
//! - When the connection is lost before the reply, return an error.
//!
//! You will need, from lapin: `queue_declare`, `name` on its answer,
//! `basic_consume` and `BasicProperties::with_reply_to`.
//! Try it with `cargo run -p rpc --bin rpc_client -- 30`.

use std::error::Error;

// ANCHOR: todo
#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    todo!("connect, declare, ask, wait for the reply, print it, close")
}
// ANCHOR_END: todo
