//! Correct programs that differ from the solution, in one executable.

include!("../../../one-executable.rs");

programs! {
    receive_acks = "receive-acks.rs",
    receive_amqprs = "receive-amqprs.rs",
    receive_asks = "receive-asks.rs",
    receive_reconnects = "receive-reconnects.rs",
    receive_transient = "receive-transient.rs",
    send_amqprs = "send-amqprs.rs",
    send_asks = "send-asks.rs",
    send_confirms = "send-confirms.rs",
    send_transient = "send-transient.rs",
}
