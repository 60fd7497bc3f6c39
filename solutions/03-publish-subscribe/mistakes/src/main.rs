//! Programs that are wrong in one named way each, in one executable.

include!("../../../one-executable.rs");

programs! {
    emit_log_claims_too_early = "emit_log-claims-too-early.rs",
    emit_log_direct_exchange = "emit_log-direct-exchange.rs",
    emit_log_first_word = "emit_log-first-word.rs",
    emit_log_keeps_a_queue = "emit_log-keeps-a-queue.rs",
    emit_log_needs_subscriber = "emit_log-needs-subscriber.rs",
    emit_log_no_close = "emit_log-no-close.rs",
    emit_log_no_declare = "emit_log-no-declare.rs",
    emit_log_other_case = "emit_log-other-case.rs",
    emit_log_other_exchange = "emit_log-other-exchange.rs",
    emit_log_publishes_to_queue = "emit_log-publishes-to-queue.rs",
    emit_log_says_nothing = "emit_log-says-nothing.rs",
    receive_logs_binds_first = "receive_logs-binds-first.rs",
    receive_logs_dies_on_bytes = "receive_logs-dies-on-bytes.rs",
    receive_logs_direct_exchange = "receive_logs-direct-exchange.rs",
    receive_logs_drops_repeats = "receive_logs-drops-repeats.rs",
    receive_logs_durable_leftover = "receive_logs-durable-leftover.rs",
    receive_logs_forgets_to_bind = "receive_logs-forgets-to-bind.rs",
    receive_logs_ignores_ctrl_c = "receive_logs-ignores-ctrl-c.rs",
    receive_logs_ignores_cut = "receive_logs-ignores-cut.rs",
    receive_logs_leftover_queue = "receive_logs-leftover-queue.rs",
    receive_logs_no_exchange = "receive_logs-no-exchange.rs",
    receive_logs_polls = "receive_logs-polls.rs",
    receive_logs_shared_queue = "receive_logs-shared-queue.rs",
    receive_logs_stops_after_one = "receive_logs-stops-after-one.rs",
}
