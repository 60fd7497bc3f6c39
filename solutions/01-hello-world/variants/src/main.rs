//! Correct programs that differ from the solution, in one executable.

include!("../../../one-executable.rs");

programs! {
    receive_amqprs = "receive-amqprs.rs",
    receive_acks = "receive-acks.rs",
    receive_transient = "receive-transient.rs",
    send_amqprs = "send-amqprs.rs",
    send_confirms = "send-confirms.rs",
    send_transient = "send-transient.rs",
}
