//! Programs that are wrong in one named way each, in one executable.

include!("../../../one-executable.rs");

programs! {
    emit_log_direct_always_info = "emit_log_direct-always-info.rs",
    emit_log_direct_claims_too_early = "emit_log_direct-claims-too-early.rs",
    emit_log_direct_default_exchange = "emit_log_direct-default-exchange.rs",
    emit_log_direct_fanout_exchange = "emit_log_direct-fanout-exchange.rs",
    emit_log_direct_folds_case = "emit_log_direct-folds-case.rs",
    emit_log_direct_key_in_body = "emit_log_direct-key-in-body.rs",
    emit_log_direct_needs_words = "emit_log_direct-needs-words.rs",
    emit_log_direct_no_close = "emit_log_direct-no-close.rs",
    emit_log_direct_no_declare = "emit_log_direct-no-declare.rs",
    emit_log_direct_no_default_key = "emit_log_direct-no-default-key.rs",
    emit_log_direct_severity_in_words = "emit_log_direct-severity-in-words.rs",
    receive_logs_direct_dies_on_bytes = "receive_logs_direct-dies-on-bytes.rs",
    receive_logs_direct_fanout_exchange = "receive_logs_direct-fanout-exchange.rs",
    receive_logs_direct_first_severity_only = "receive_logs_direct-first-severity-only.rs",
    receive_logs_direct_folds_case = "receive_logs_direct-folds-case.rs",
    receive_logs_direct_ignores_ctrl_c = "receive_logs_direct-ignores-ctrl-c.rs",
    receive_logs_direct_ignores_cut = "receive_logs_direct-ignores-cut.rs",
    receive_logs_direct_leaves_an_exchange = "receive_logs_direct-leaves-an-exchange.rs",
    receive_logs_direct_no_usage = "receive_logs_direct-no-usage.rs",
    receive_logs_direct_polls = "receive_logs_direct-polls.rs",
    receive_logs_direct_queue_per_severity = "receive_logs_direct-queue-per-severity.rs",
    receive_logs_direct_severities_joined = "receive_logs_direct-severities-joined.rs",
    receive_logs_direct_shared_queue = "receive_logs_direct-shared-queue.rs",
}
