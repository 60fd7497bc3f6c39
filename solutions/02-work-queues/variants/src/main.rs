//! Correct programs that differ from the solution, in one executable.

include!("../../../one-executable.rs");

programs! {
    new_task_amqprs = "new_task-amqprs.rs",
    new_task_asks = "new_task-asks.rs",
    new_task_quorum = "new_task-quorum.rs",
    new_task_tutorial = "new_task-tutorial.rs",
    worker_amqprs = "worker-amqprs.rs",
    worker_asks = "worker-asks.rs",
    worker_quorum = "worker-quorum.rs",
    worker_tutorial = "worker-tutorial.rs",
}
