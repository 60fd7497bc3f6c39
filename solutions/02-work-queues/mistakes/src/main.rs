//! Programs that are wrong in one named way each, in one executable.

include!("../../../one-executable.rs");

programs! {
    new_task_claims_too_early = "new_task-claims-too-early.rs",
    new_task_drops_repeats = "new_task-drops-repeats.rs",
    new_task_first_word_only = "new_task-first-word-only.rs",
    new_task_no_close = "new_task-no-close.rs",
    new_task_not_persistent = "new_task-not-persistent.rs",
    new_task_transient_queue = "new_task-transient-queue.rs",
    worker_acks_before_work = "worker-acks-before-work.rs",
    worker_acks_on_other_channel = "worker-acks-on-other-channel.rs",
    worker_acks_twice = "worker-acks-twice.rs",
    worker_automatic_ack = "worker-automatic-ack.rs",
    worker_blocks_io = "worker-blocks-io.rs",
    worker_counts_last_dots = "worker-counts-last-dots.rs",
    worker_counts_printed_dots = "worker-counts-printed-dots.rs",
    worker_dies_on_bytes = "worker-dies-on-bytes.rs",
    worker_dies_on_nothing = "worker-dies-on-nothing.rs",
    worker_global_prefetch = "worker-global-prefetch.rs",
    worker_ignores_cut = "worker-ignores-cut.rs",
    worker_ignores_the_second = "worker-ignores-the-second.rs",
    worker_never_acks = "worker-never-acks.rs",
    worker_no_prefetch = "worker-no-prefetch.rs",
    worker_polls = "worker-polls.rs",
    worker_prefetch_after_consume = "worker-prefetch-after-consume.rs",
    worker_reports_to_a_queue = "worker-reports-to-a-queue.rs",
    worker_requeues_forever = "worker-requeues-forever.rs",
    worker_says_nothing = "worker-says-nothing.rs",
    worker_skips_repeats = "worker-skips-repeats.rs",
    worker_tires = "worker-tires.rs",
    worker_transient_queue = "worker-transient-queue.rs",
}
