//! Programs that are wrong in one named way each, in one executable.

include!("../../../one-executable.rs");

programs! {
    emit_log_topic_claims_too_early = "emit_log_topic-claims-too-early.rs",
    emit_log_topic_direct_exchange = "emit_log_topic-direct-exchange.rs",
    emit_log_topic_key_in_body = "emit_log_topic-key-in-body.rs",
    emit_log_topic_needs_receiver = "emit_log_topic-needs-receiver.rs",
    emit_log_topic_needs_words = "emit_log_topic-needs-words.rs",
    emit_log_topic_no_close = "emit_log_topic-no-close.rs",
    emit_log_topic_no_declare = "emit_log_topic-no-declare.rs",
    emit_log_topic_says_nothing = "emit_log_topic-says-nothing.rs",
    emit_log_topic_splits_on_spaces = "emit_log_topic-splits-on-spaces.rs",
    receive_logs_topic_dies_on_bytes = "receive_logs_topic-dies-on-bytes.rs",
    receive_logs_topic_direct_exchange = "receive_logs_topic-direct-exchange.rs",
    receive_logs_topic_drops_empty_words = "receive_logs_topic-drops-empty-words.rs",
    receive_logs_topic_filters_itself = "receive_logs_topic-filters-itself.rs",
    receive_logs_topic_first_pattern_only = "receive_logs_topic-first-pattern-only.rs",
    receive_logs_topic_forgets_the_pattern = "receive_logs_topic-forgets-the-pattern.rs",
    receive_logs_topic_ignores_ctrl_c = "receive_logs_topic-ignores-ctrl-c.rs",
    receive_logs_topic_ignores_cut = "receive_logs_topic-ignores-cut.rs",
    receive_logs_topic_ignores_missing_arguments = "receive_logs_topic-ignores-missing-arguments.rs",
    receive_logs_topic_leftover_queue = "receive_logs_topic-leftover-queue.rs",
    receive_logs_topic_no_exchange = "receive_logs_topic-no-exchange.rs",
    receive_logs_topic_one_pattern_of_all = "receive_logs_topic-one-pattern-of-all.rs",
    receive_logs_topic_prints_no_body = "receive_logs_topic-prints-no-body.rs",
    receive_logs_topic_queue_per_pattern = "receive_logs_topic-queue-per-pattern.rs",
    receive_logs_topic_regular_expressions = "receive_logs_topic-regular-expressions.rs",
    receive_logs_topic_shared_queue = "receive_logs_topic-shared-queue.rs",
    receive_logs_topic_splits_on_spaces = "receive_logs_topic-splits-on-spaces.rs",
    receive_logs_topic_swaps_wildcards = "receive_logs_topic-swaps-wildcards.rs",
}
