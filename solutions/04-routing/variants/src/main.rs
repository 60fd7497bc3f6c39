//! Correct programs that differ from the solution, in one executable.

include!("../../../one-executable.rs");

programs! {
    emit_log_direct_amqprs = "emit_log_direct-amqprs.rs",
    emit_log_direct_confirms = "emit_log_direct-confirms.rs",
    emit_log_direct_tutorial = "emit_log_direct-tutorial.rs",
    receive_logs_direct_amqprs = "receive_logs_direct-amqprs.rs",
    receive_logs_direct_binds_later = "receive_logs_direct-binds-later.rs",
    receive_logs_direct_own_exchange = "receive_logs_direct-own-exchange.rs",
    receive_logs_direct_tutorial = "receive_logs_direct-tutorial.rs",
}
