//! `new_task WORDS…`: puts one task into the queue `task_queue`.
//!
//! - Join the arguments with spaces. Without arguments the task is `Hello World!`.
//! - Connect to the broker at `AMQP_ADDR`, or at `amqp://127.0.0.1:5672/%2f`,
//!   and open a channel.
//! - Declare the queue `task_queue`, durable.
//! - Publish the task to it through the default exchange, persistent: with the
//!   property `delivery_mode` = 2.
//! - Print `Sent 'BODY'`.
//! - Close the connection, and wait until it is closed.
//!
//! New here: `std::env::args`, and `BasicProperties::default().with_delivery_mode`.
//! Try it with `cargo run -p work-queues --bin new_task First task..`.

use std::error::Error;

// ANCHOR: todo
#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    todo!("join the arguments, declare the queue, publish a persistent message, close")
}
// ANCHOR_END: todo
