//! `send`: puts one message, `Hello World!`, into the queue `hello`.
//!
//! - Connect to the broker whose address is in the variable `AMQP_ADDR`
//!   (when it is not set: `amqp://127.0.0.1:5672/%2f`), and open a channel.
//! - Declare the queue `hello`, so that it exists.
//! - Publish `Hello World!` through the default exchange, to `hello`.
//! - Print `Sent 'Hello World!'`.
//! - Close the connection, and wait until that is done.
//!
//! You will need, from lapin: `Connection::connect`, `create_channel`,
//! `queue_declare`, `basic_publish` and `close`. Try it with
//! `cargo run -p hello-world --bin send`, and check it with `cargo test -p hello-world`.

use std::error::Error;

// ANCHOR: todo
#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    todo!("connect, declare the queue, publish, print, close")
}
// ANCHOR_END: todo
