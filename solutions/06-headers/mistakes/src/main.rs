//! Programs that are wrong in one named way each, in one executable.

include!("../../../one-executable.rs");

programs! {
    emit_log_headers_claims_too_early = "emit_log_headers-claims-too-early.rs",
    emit_log_headers_direct_exchange = "emit_log_headers-direct-exchange.rs",
    emit_log_headers_keeps_copies = "emit_log_headers-keeps-copies.rs",
    emit_log_headers_lower_case_names = "emit_log_headers-lower-case-names.rs",
    emit_log_headers_names_with_x = "emit_log_headers-names-with-x.rs",
    emit_log_headers_needs_no_dashes = "emit_log_headers-needs-no-dashes.rs",
    emit_log_headers_no_close = "emit_log_headers-no-close.rs",
    emit_log_headers_no_usage = "emit_log_headers-no-usage.rs",
    emit_log_headers_numbers_as_text = "emit_log_headers-numbers-as-text.rs",
    emit_log_headers_pairs_in_body = "emit_log_headers-pairs-in-body.rs",
    emit_log_headers_pairs_in_one_header = "emit_log_headers-pairs-in-one-header.rs",
    receive_logs_headers_binding_per_pair = "receive_logs_headers-binding-per-pair.rs",
    receive_logs_headers_dies_on_bytes = "receive_logs_headers-dies-on-bytes.rs",
    receive_logs_headers_direct_exchange = "receive_logs_headers-direct-exchange.rs",
    receive_logs_headers_ignores_ctrl_c = "receive_logs_headers-ignores-ctrl-c.rs",
    receive_logs_headers_ignores_cut = "receive_logs_headers-ignores-cut.rs",
    receive_logs_headers_lower_case_names = "receive_logs_headers-lower-case-names.rs",
    receive_logs_headers_no_usage = "receive_logs_headers-no-usage.rs",
    receive_logs_headers_no_x_match = "receive_logs_headers-no-x-match.rs",
    receive_logs_headers_numbers_as_text = "receive_logs_headers-numbers-as-text.rs",
    receive_logs_headers_polls = "receive_logs_headers-polls.rs",
    receive_logs_headers_prints_no_repeats = "receive_logs_headers-prints-no-repeats.rs",
    receive_logs_headers_small_numbers = "receive_logs_headers-small-numbers.rs",
    receive_logs_headers_splits_at_the_last_sign = "receive_logs_headers-splits-at-the-last-sign.rs",
    receive_logs_headers_takes_all_in_capitals = "receive_logs_headers-takes-all-in-capitals.rs",
    receive_logs_headers_x_names_count = "receive_logs_headers-x-names-count.rs",
}
