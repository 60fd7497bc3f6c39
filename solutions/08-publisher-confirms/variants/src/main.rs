//! Correct programs that differ from the solution, in one executable.

include!("../../../one-executable.rs");

programs! {
    publisher_confirms_amqprs = "publisher_confirms-amqprs.rs",
    publisher_confirms_asks_first = "publisher_confirms-asks-first.rs",
    publisher_confirms_prints_escaped = "publisher_confirms-prints-escaped.rs",
    publisher_confirms_quorum = "publisher_confirms-quorum.rs",
}
