//! Correct programs that differ from the solution, in one executable.

include!("../../../one-executable.rs");

programs! {
    emit_log_amqprs = "emit_log-amqprs.rs",
    emit_log_asks = "emit_log-asks.rs",
    emit_log_routing_key = "emit_log-routing-key.rs",
    emit_log_tutorial = "emit_log-tutorial.rs",
    receive_logs_amqprs = "receive_logs-amqprs.rs",
    receive_logs_asks = "receive_logs-asks.rs",
    receive_logs_own_exchange = "receive_logs-own-exchange.rs",
    receive_logs_own_name = "receive_logs-own-name.rs",
    receive_logs_reconnects = "receive_logs-reconnects.rs",
    receive_logs_tutorial = "receive_logs-tutorial.rs",
}
