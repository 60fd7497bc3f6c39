//! AMQP's values as JSON that a person can read.

use crate::hex;
use amq_protocol::{
    protocol::BasicProperties,
    types::{AMQPValue, FieldArray, FieldTable, LongString, ShortString},
};
use serde_json::{Map, Value, json};

/// A value of the codec as JSON: for reading, not for reading back.
pub(crate) trait ToJson {
    /// The value as JSON.
    fn to_json(&self) -> Value;
}

macro_rules! as_it_is {
    ($($kind:ty)*) => {$(
        impl ToJson for $kind {
            fn to_json(&self) -> Value {
                json!(self)
            }
        }
    )*};
}

as_it_is!(bool u8 u16 u32 u64);

impl ToJson for ShortString {
    fn to_json(&self) -> Value {
        Value::from(self.as_str())
    }
}

impl ToJson for LongString {
    fn to_json(&self) -> Value {
        bytes(self.as_bytes())
    }
}

impl ToJson for FieldTable {
    fn to_json(&self) -> Value {
        Value::Object(
            self.into_iter()
                .map(|(key, value)| (key.as_str().to_owned(), value.to_json()))
                .collect(),
        )
    }
}

impl ToJson for FieldArray {
    fn to_json(&self) -> Value {
        self.as_slice().iter().map(ToJson::to_json).collect()
    }
}

impl ToJson for AMQPValue {
    fn to_json(&self) -> Value {
        match self {
            Self::Boolean(value) => json!(value),
            Self::ShortShortInt(value) => json!(value),
            Self::ShortShortUInt(value) => json!(value),
            Self::ShortInt(value) => json!(value),
            Self::ShortUInt(value) => json!(value),
            Self::LongInt(value) => json!(value),
            Self::LongUInt(value) => json!(value),
            Self::LongLongInt(value) => json!(value),
            Self::Float(value) => json!(value),
            Self::Double(value) => json!(value),
            Self::DecimalValue(value) => json!({"decimal": value.value, "scale": value.scale}),
            Self::ShortString(value) => value.to_json(),
            Self::LongString(value) => value.to_json(),
            Self::FieldArray(value) => value.to_json(),
            Self::Timestamp(value) => json!({ "timestamp": value }),
            Self::FieldTable(value) => value.to_json(),
            Self::ByteArray(value) => bytes(value.as_slice()),
            Self::Void => Value::Null,
        }
    }
}

impl ToJson for BasicProperties {
    fn to_json(&self) -> Value {
        let mut map = Map::new();
        let mut text = |name: &str, value: &Option<ShortString>| {
            if let Some(value) = value {
                map.insert(name.to_owned(), value.to_json());
            }
        };
        text("content-type", self.content_type());
        text("content-encoding", self.content_encoding());
        text("correlation-id", self.correlation_id());
        text("reply-to", self.reply_to());
        text("expiration", self.expiration());
        text("message-id", self.message_id());
        text("type", self.kind());
        text("user-id", self.user_id());
        text("app-id", self.app_id());
        text("cluster-id", self.cluster_id());
        if let Some(headers) = self.headers() {
            map.insert("headers".to_owned(), headers.to_json());
        }
        if let Some(mode) = self.delivery_mode() {
            map.insert("delivery-mode".to_owned(), json!(mode));
        }
        if let Some(priority) = self.priority() {
            map.insert("priority".to_owned(), json!(priority));
        }
        if let Some(timestamp) = self.timestamp() {
            map.insert("timestamp".to_owned(), json!(timestamp));
        }
        Value::Object(map)
    }
}

/// Bytes as text where they are text, as `{"hex": …}` where they are not.
pub(crate) fn bytes(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::from(text),
        Err(_) => json!({ "hex": hex::encode(bytes) }),
    }
}
