//! Programs that are wrong in one named way each, in one executable.

include!("../../../one-executable.rs");

programs! {
    receive_dies_on_bytes = "receive-dies-on-bytes.rs",
    receive_drops_repeats = "receive-drops-repeats.rs",
    receive_ignores_ctrl_c = "receive-ignores-ctrl-c.rs",
    receive_ignores_cut = "receive-ignores-cut.rs",
    receive_keeps_copies = "receive-keeps-copies.rs",
    receive_never_acks = "receive-never-acks.rs",
    receive_no_declare = "receive-no-declare.rs",
    receive_other_arguments = "receive-other-arguments.rs",
    receive_polls = "receive-polls.rs",
    receive_prints_byte_list = "receive-prints-byte-list.rs",
    receive_stops_after_one = "receive-stops-after-one.rs",
    receive_stops_when_empty = "receive-stops-when-empty.rs",
    send_binds_the_queue = "send-binds-the-queue.rs",
    send_claims_too_early = "send-claims-too-early.rs",
    send_named_exchange = "send-named-exchange.rs",
    send_no_close = "send-no-close.rs",
    send_no_declare = "send-no-declare.rs",
    send_no_flush = "send-no-flush.rs",
    send_other_case = "send-other-case.rs",
    send_purges = "send-purges.rs",
    send_says_nothing = "send-says-nothing.rs",
    send_wrong_queue = "send-wrong-queue.rs",
}
