//! `publisher_confirms [one | batch N | async]`: publishes each line of its
//! standard input, and prints what became of it.
//!
//! - Read all of the input. Each line is a body, an empty line too. Lines end
//!   with `\n` or `\r\n`, and the last one may lack its end. They are bytes.
//! - Connect to the broker at `AMQP_ADDR` (when it is not set:
//!   `amqp://127.0.0.1:5672/%2f`), open a channel, declare the durable queue
//!   `confirmed`, and ask for confirms (`confirm_select`).
//! - Publish each body to `confirmed` through the default exchange, in order:
//!   `mandatory`, and with a `message_id` of its own.
//! - `one` waits for the confirm of each message before the next. `batch N`
//!   publishes N messages, waits for all their confirms, then goes on. `async`
//!   (also without an argument) publishes all, then waits.
//! - Print a line for each message, in any order: `returned BODY` if it came
//!   back (it is acknowledged even so); `refused BODY` if the broker does not
//!   take it (nack); else `confirmed BODY`. Say nothing before you know.
//! - Close the connection. Exit with code 1 if any was not confirmed.
//! - When the connection is lost, connect again. Publish again what was not
//!   yet confirmed: with the same `message_id`, and the header
//!   `republished` = true (`AMQPValue::Boolean`). With no broker, return an
//!   error.
//!
//! lapin hands a returned message out with the next confirm that it gets,
//! which may be another message's: look at its `message_id`.
//!
//! You will need, from lapin: `confirm_select`, `BasicPublishOptions`, what
//! `basic_publish(…).await?` gives (await that, too), and `Confirmation`.
//! Try it with `printf 'a\nb\n' | cargo run -p publisher-confirms`, and check
//! it with `cargo test -p publisher-confirms`.

use std::{error::Error, process::ExitCode};

// ANCHOR: todo
#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    todo!("read, connect, declare, publish, wait for the confirms, print, close")
}
// ANCHOR_END: todo
