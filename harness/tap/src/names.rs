//! Names and arguments of methods in the specification's own words (AMQP 0-9-1 §1.2 and the XML that goes with it).

use crate::json::ToJson;
use amq_protocol::protocol::{
    AMQPClass, access, basic, channel, confirm, connection, exchange, queue, tx,
};
use serde_json::{Map, Value};

/// One arm per method: its name, and its fields as they are called in the specification.
macro_rules! methods {
    ($($class:ident $variant:ident $method:ident $name:literal [$($field:ident)*];)*) => {
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
    };
}

methods! {
    connection Connection Start "connection.start" [version_major version_minor server_properties mechanisms locales];
    connection Connection StartOk "connection.start-ok" [client_properties mechanism response locale];
    connection Connection Secure "connection.secure" [challenge];
    connection Connection SecureOk "connection.secure-ok" [response];
    connection Connection Tune "connection.tune" [channel_max frame_max heartbeat];
    connection Connection TuneOk "connection.tune-ok" [channel_max frame_max heartbeat];
    connection Connection Open "connection.open" [virtual_host];
    connection Connection OpenOk "connection.open-ok" [];
    connection Connection Close "connection.close" [reply_code reply_text class_id method_id];
    connection Connection CloseOk "connection.close-ok" [];
    connection Connection Blocked "connection.blocked" [reason];
    connection Connection Unblocked "connection.unblocked" [];
    connection Connection UpdateSecret "connection.update-secret" [new_secret reason];
    connection Connection UpdateSecretOk "connection.update-secret-ok" [];
    channel Channel Open "channel.open" [];
    channel Channel OpenOk "channel.open-ok" [];
    channel Channel Flow "channel.flow" [active];
    channel Channel FlowOk "channel.flow-ok" [active];
    channel Channel Close "channel.close" [reply_code reply_text class_id method_id];
    channel Channel CloseOk "channel.close-ok" [];
    access Access Request "access.request" [realm exclusive passive active write read];
    access Access RequestOk "access.request-ok" [];
    exchange Exchange Declare "exchange.declare" [exchange kind passive durable auto_delete internal nowait arguments];
    exchange Exchange DeclareOk "exchange.declare-ok" [];
    exchange Exchange Delete "exchange.delete" [exchange if_unused nowait];
    exchange Exchange DeleteOk "exchange.delete-ok" [];
    exchange Exchange Bind "exchange.bind" [destination source routing_key nowait arguments];
    exchange Exchange BindOk "exchange.bind-ok" [];
    exchange Exchange Unbind "exchange.unbind" [destination source routing_key nowait arguments];
    exchange Exchange UnbindOk "exchange.unbind-ok" [];
    queue Queue Declare "queue.declare" [queue passive durable exclusive auto_delete nowait arguments];
    queue Queue DeclareOk "queue.declare-ok" [queue message_count consumer_count];
    queue Queue Bind "queue.bind" [queue exchange routing_key nowait arguments];
    queue Queue BindOk "queue.bind-ok" [];
    queue Queue Purge "queue.purge" [queue nowait];
    queue Queue PurgeOk "queue.purge-ok" [message_count];
    queue Queue Delete "queue.delete" [queue if_unused if_empty nowait];
    queue Queue DeleteOk "queue.delete-ok" [message_count];
    queue Queue Unbind "queue.unbind" [queue exchange routing_key arguments];
    queue Queue UnbindOk "queue.unbind-ok" [];
    basic Basic Qos "basic.qos" [prefetch_count global];
    basic Basic QosOk "basic.qos-ok" [];
    basic Basic Consume "basic.consume" [queue consumer_tag no_local no_ack exclusive nowait arguments];
    basic Basic ConsumeOk "basic.consume-ok" [consumer_tag];
    basic Basic Cancel "basic.cancel" [consumer_tag nowait];
    basic Basic CancelOk "basic.cancel-ok" [consumer_tag];
    basic Basic Publish "basic.publish" [exchange routing_key mandatory immediate];
    basic Basic Return "basic.return" [reply_code reply_text exchange routing_key];
    basic Basic Deliver "basic.deliver" [consumer_tag delivery_tag redelivered exchange routing_key];
    basic Basic Get "basic.get" [queue no_ack];
    basic Basic GetOk "basic.get-ok" [delivery_tag redelivered exchange routing_key message_count];
    basic Basic GetEmpty "basic.get-empty" [];
    basic Basic Ack "basic.ack" [delivery_tag multiple];
    basic Basic Reject "basic.reject" [delivery_tag requeue];
    basic Basic RecoverAsync "basic.recover-async" [requeue];
    basic Basic Recover "basic.recover" [requeue];
    basic Basic RecoverOk "basic.recover-ok" [];
    basic Basic Nack "basic.nack" [delivery_tag multiple requeue];
    confirm Confirm Select "confirm.select" [nowait];
    confirm Confirm SelectOk "confirm.select-ok" [];
    tx Tx Select "tx.select" [];
    tx Tx SelectOk "tx.select-ok" [];
    tx Tx Commit "tx.commit" [];
    tx Tx CommitOk "tx.commit-ok" [];
    tx Tx Rollback "tx.rollback" [];
    tx Tx RollbackOk "tx.rollback-ok" [];
}

/// A field's name as the specification spells it.
fn spelled(field: &str) -> String {
    match field {
        "nowait" => "no-wait".to_owned(),
        "kind" => "type".to_owned(),
        other => other.replace('_', "-"),
    }
}
