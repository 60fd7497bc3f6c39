//! Correct programs that differ from the solution, in one executable.

include!("../../../one-executable.rs");

programs! {
    emit_log_topic_amqprs = "emit_log_topic-amqprs.rs",
    emit_log_topic_asks_first = "emit_log_topic-asks-first.rs",
    emit_log_topic_confirms = "emit_log_topic-confirms.rs",
    emit_log_topic_tutorial = "emit_log_topic-tutorial.rs",
    receive_logs_topic_amqprs = "receive_logs_topic-amqprs.rs",
    receive_logs_topic_asks_first = "receive_logs_topic-asks-first.rs",
    receive_logs_topic_consumes_first = "receive_logs_topic-consumes-first.rs",
    receive_logs_topic_own_exchange = "receive_logs_topic-own-exchange.rs",
    receive_logs_topic_reconnects = "receive_logs_topic-reconnects.rs",
    receive_logs_topic_tutorial = "receive_logs_topic-tutorial.rs",
}
