//! Programs that are wrong in one named way each, in one executable.

include!("../../../one-executable.rs");

programs! {
    publisher_confirms_all_at_once = "publisher_confirms-all-at-once.rs",
    publisher_confirms_believes_the_confirm = "publisher_confirms-believes-the-confirm.rs",
    publisher_confirms_binds_the_queue = "publisher_confirms-binds-the-queue.rs",
    publisher_confirms_counts_refused = "publisher_confirms-counts-refused.rs",
    publisher_confirms_counts_returned = "publisher_confirms-counts-returned.rs",
    publisher_confirms_dies_on_bytes = "publisher_confirms-dies-on-bytes.rs",
    publisher_confirms_exits_with_0 = "publisher_confirms-exits-with-0.rs",
    publisher_confirms_hides_no_broker = "publisher_confirms-hides-no-broker.rs",
    publisher_confirms_ignores_a_cut = "publisher_confirms-ignores-a-cut.rs",
    publisher_confirms_impatient = "publisher_confirms-impatient.rs",
    publisher_confirms_keeps_the_cr = "publisher_confirms-keeps-the-cr.rs",
    publisher_confirms_moves_on = "publisher_confirms-moves-on.rs",
    publisher_confirms_multiple_means_all = "publisher_confirms-multiple-means-all.rs",
    publisher_confirms_new_id_each_time = "publisher_confirms-new-id-each-time.rs",
    publisher_confirms_no_close = "publisher_confirms-no-close.rs",
    publisher_confirms_no_confirm_mode = "publisher_confirms-no-confirm-mode.rs",
    publisher_confirms_not_mandatory = "publisher_confirms-not-mandatory.rs",
    publisher_confirms_not_marked = "publisher_confirms-not-marked.rs",
    publisher_confirms_one_at_a_time = "publisher_confirms-one-at-a-time.rs",
    publisher_confirms_other_words = "publisher_confirms-other-words.rs",
    publisher_confirms_publishes_all_again = "publisher_confirms-publishes-all-again.rs",
    publisher_confirms_says_it_first = "publisher_confirms-says-it-first.rs",
    publisher_confirms_skips_empty_lines = "publisher_confirms-skips-empty-lines.rs",
    publisher_confirms_takes_one_tag = "publisher_confirms-takes-one-tag.rs",
    publisher_confirms_transient_queue = "publisher_confirms-transient-queue.rs",
    publisher_confirms_universal_newlines = "publisher_confirms-universal-newlines.rs",
    publisher_confirms_waits_for_none = "publisher_confirms-waits-for-none.rs",
}
