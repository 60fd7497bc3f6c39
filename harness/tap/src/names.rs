//! Names and arguments of methods in the specification's own words (AMQP 0-9-1 §1.2 and the XML that goes with it).

use crate::json::ToJson;
use amq_protocol::protocol::{
    AMQPClass, access, basic, channel, confirm, connection, exchange, queue, tx,
};
use serde_json::{Map, Value};

/// One arm per method: its name, and its fields as they are called in the specification.
macro_rules! methods {
    ($($class:ident $variant:ident $method:ident $ids:tt $name:literal [$($field:ident)*];)*) => {
        /// The method's name, for instance `basic.publish`.
        pub(crate) fn name(class: &AMQPClass) -> &'static str {
            match class {
                $(AMQPClass::$variant($class::AMQPMethod::$method(_)) => $name,)*
            }
        }

        /// The method's arguments by their names in the specification (`routing-key`), reserved ones left out.
        pub(crate) fn arguments(class: &AMQPClass) -> Map<String, Value> {
            let mut arguments = Map::new();
            match class {
                $(#[allow(unused_variables, reason = "methods without arguments")]
                AMQPClass::$variant($class::AMQPMethod::$method(method)) => {
                    $(arguments.insert(spelled(stringify!($field)), method.$field.to_json());)*
                })*
            }
            arguments
        }

        /// Every method that the codec knows, by name.
        pub const METHODS: &[&str] = &[$($name,)*];

        /// The same with their class and method ids.
        pub(crate) const METHOD_IDS: &[((u16, u16), &str)] = &[$(($ids, $name),)*];
    };
}

methods! {
    connection Connection Start (10, 10) "connection.start" [version_major version_minor server_properties mechanisms locales];
    connection Connection StartOk (10, 11) "connection.start-ok" [client_properties mechanism response locale];
    connection Connection Secure (10, 20) "connection.secure" [challenge];
    connection Connection SecureOk (10, 21) "connection.secure-ok" [response];
    connection Connection Tune (10, 30) "connection.tune" [channel_max frame_max heartbeat];
    connection Connection TuneOk (10, 31) "connection.tune-ok" [channel_max frame_max heartbeat];
    connection Connection Open (10, 40) "connection.open" [virtual_host];
    connection Connection OpenOk (10, 41) "connection.open-ok" [];
    connection Connection Close (10, 50) "connection.close" [reply_code reply_text class_id method_id];
    connection Connection CloseOk (10, 51) "connection.close-ok" [];
    connection Connection Blocked (10, 60) "connection.blocked" [reason];
    connection Connection Unblocked (10, 61) "connection.unblocked" [];
    connection Connection UpdateSecret (10, 70) "connection.update-secret" [new_secret reason];
    connection Connection UpdateSecretOk (10, 71) "connection.update-secret-ok" [];
    channel Channel Open (20, 10) "channel.open" [];
    channel Channel OpenOk (20, 11) "channel.open-ok" [];
    channel Channel Flow (20, 20) "channel.flow" [active];
    channel Channel FlowOk (20, 21) "channel.flow-ok" [active];
    channel Channel Close (20, 40) "channel.close" [reply_code reply_text class_id method_id];
    channel Channel CloseOk (20, 41) "channel.close-ok" [];
    access Access Request (30, 10) "access.request" [realm exclusive passive active write read];
    access Access RequestOk (30, 11) "access.request-ok" [];
    exchange Exchange Declare (40, 10) "exchange.declare" [exchange kind passive durable auto_delete internal nowait arguments];
    exchange Exchange DeclareOk (40, 11) "exchange.declare-ok" [];
    exchange Exchange Delete (40, 20) "exchange.delete" [exchange if_unused nowait];
    exchange Exchange DeleteOk (40, 21) "exchange.delete-ok" [];
    exchange Exchange Bind (40, 30) "exchange.bind" [destination source routing_key nowait arguments];
    exchange Exchange BindOk (40, 31) "exchange.bind-ok" [];
    exchange Exchange Unbind (40, 40) "exchange.unbind" [destination source routing_key nowait arguments];
    exchange Exchange UnbindOk (40, 51) "exchange.unbind-ok" [];
    queue Queue Declare (50, 10) "queue.declare" [queue passive durable exclusive auto_delete nowait arguments];
    queue Queue DeclareOk (50, 11) "queue.declare-ok" [queue message_count consumer_count];
    queue Queue Bind (50, 20) "queue.bind" [queue exchange routing_key nowait arguments];
    queue Queue BindOk (50, 21) "queue.bind-ok" [];
    queue Queue Purge (50, 30) "queue.purge" [queue nowait];
    queue Queue PurgeOk (50, 31) "queue.purge-ok" [message_count];
    queue Queue Delete (50, 40) "queue.delete" [queue if_unused if_empty nowait];
    queue Queue DeleteOk (50, 41) "queue.delete-ok" [message_count];
    queue Queue Unbind (50, 50) "queue.unbind" [queue exchange routing_key arguments];
    queue Queue UnbindOk (50, 51) "queue.unbind-ok" [];
    basic Basic Qos (60, 10) "basic.qos" [prefetch_count global];
    basic Basic QosOk (60, 11) "basic.qos-ok" [];
    basic Basic Consume (60, 20) "basic.consume" [queue consumer_tag no_local no_ack exclusive nowait arguments];
    basic Basic ConsumeOk (60, 21) "basic.consume-ok" [consumer_tag];
    basic Basic Cancel (60, 30) "basic.cancel" [consumer_tag nowait];
    basic Basic CancelOk (60, 31) "basic.cancel-ok" [consumer_tag];
    basic Basic Publish (60, 40) "basic.publish" [exchange routing_key mandatory immediate];
    basic Basic Return (60, 50) "basic.return" [reply_code reply_text exchange routing_key];
    basic Basic Deliver (60, 60) "basic.deliver" [consumer_tag delivery_tag redelivered exchange routing_key];
    basic Basic Get (60, 70) "basic.get" [queue no_ack];
    basic Basic GetOk (60, 71) "basic.get-ok" [delivery_tag redelivered exchange routing_key message_count];
    basic Basic GetEmpty (60, 72) "basic.get-empty" [];
    basic Basic Ack (60, 80) "basic.ack" [delivery_tag multiple];
    basic Basic Reject (60, 90) "basic.reject" [delivery_tag requeue];
    basic Basic RecoverAsync (60, 100) "basic.recover-async" [requeue];
    basic Basic Recover (60, 110) "basic.recover" [requeue];
    basic Basic RecoverOk (60, 111) "basic.recover-ok" [];
    basic Basic Nack (60, 120) "basic.nack" [delivery_tag multiple requeue];
    confirm Confirm Select (85, 10) "confirm.select" [nowait];
    confirm Confirm SelectOk (85, 11) "confirm.select-ok" [];
    tx Tx Select (90, 10) "tx.select" [];
    tx Tx SelectOk (90, 11) "tx.select-ok" [];
    tx Tx Commit (90, 20) "tx.commit" [];
    tx Tx CommitOk (90, 21) "tx.commit-ok" [];
    tx Tx Rollback (90, 30) "tx.rollback" [];
    tx Tx RollbackOk (90, 31) "tx.rollback-ok" [];
}

/// A field's name as the specification spells it.
fn spelled(field: &str) -> String {
    match field {
        "nowait" => "no-wait".to_owned(),
        "kind" => "type".to_owned(),
        other => other.replace('_', "-"),
    }
}
