//! `rpc_server`: serves `fib(n)` on the queue `rpc_queue`.
//!
//! - Connect to the broker at `AMQP_ADDR` (when it is not set:
//!   `amqp://127.0.0.1:5672/%2f`), and open a channel.
//! - Declare the queue `rpc_queue`, with the options that the clients use.
//! - Ask for one request at a time (a prefetch of 1). Consume with manual
//!   acknowledgement, and print `Awaiting RPC requests. To exit press CTRL+C`.
//! - Each request: the body is a number n from 0 to 90, as text. The reply is
//!   `fib(n)`, as text. (fib: 0, 1, 1, 2, 3, 5 … The recursion of the textbooks
//!   never comes to an end for 90.)
//! - A body that is something else gets an error reply: a text as the body,
//!   and the header `error` = true. It must not end the program.
//! - Publish the reply through the default exchange. The routing key is the
//!   request's `reply_to`. The `correlation_id` is that of the request.
//!   A request without `reply_to` gets no reply.
//! - Acknowledge the request after its reply.
//! - Go on until Ctrl-C, then end within 2 seconds.
//!
//! You will need, from lapin: `basic_qos`, `properties` of a delivery,
//! `BasicProperties::with_correlation_id`, `with_headers`, `AMQPValue::Boolean`.
//! Try it with `cargo run -p rpc --bin rpc_server`.

use std::error::Error;

// ANCHOR: todo
#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    todo!("connect, declare, consume, and reply to each request until Ctrl-C")
}
// ANCHOR_END: todo
