//! Correct programs that differ from the solution, in one executable.

include!("../../../one-executable.rs");

programs! {
    emit_log_headers_amqprs = "emit_log_headers-amqprs.rs",
    emit_log_headers_asks_first = "emit_log_headers-asks-first.rs",
    emit_log_headers_confirms = "emit_log_headers-confirms.rs",
    emit_log_headers_tutorial = "emit_log_headers-tutorial.rs",
    receive_logs_headers_amqprs = "receive_logs_headers-amqprs.rs",
    receive_logs_headers_asks_first = "receive_logs_headers-asks-first.rs",
    receive_logs_headers_binds_later = "receive_logs_headers-binds-later.rs",
    receive_logs_headers_own_exchange = "receive_logs_headers-own-exchange.rs",
    receive_logs_headers_reconnects = "receive_logs_headers-reconnects.rs",
    receive_logs_headers_tutorial = "receive_logs_headers-tutorial.rs",
}
