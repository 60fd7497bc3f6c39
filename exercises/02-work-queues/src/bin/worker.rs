//! `worker`: takes tasks from the queue `task_queue`, one at a time, and works on them.
//!
//! - Connect, open a channel, and declare `task_queue` as `new_task` does.
//! - Ask for a prefetch of 1 (`basic_qos`), then consume without `no_ack`.
//! - Print `Waiting for messages. To exit press CTRL+C`.
//! - For each task: print `Received 'BODY'`, work for one second for each `.` in
//!   the body, print `Done`, and then acknowledge it. If `TASK_UNIT_MS` is set,
//!   it says how many milliseconds to work in place of each second.
//! - Do not block while you work: `tokio::time::sleep` lets the connection live.
//! - End within 2 seconds of Ctrl-C, also in the middle of a task. Such a task
//!   is not acknowledged: it goes back into the queue.
//! - A body that is not UTF-8 must not end the program.
//!
//! New here: `basic_qos`, and `ack` of a delivery (or `basic_ack` of the channel).
//! Try it with `cargo run -p work-queues --bin worker`.

use std::error::Error;

// ANCHOR: todo
#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    todo!("declare, set a prefetch of 1, consume, work on each task, acknowledge it")
}
// ANCHOR_END: todo
