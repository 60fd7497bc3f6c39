//! Direct exchanges (AMQP 0-9-1 §3.1.3.1): the routing key equals the binding key.

/// Whether a binding with this key lets a message with that routing key pass.
pub fn passes(binding: &str, routing_key: &str) -> bool {
    binding == routing_key
}
