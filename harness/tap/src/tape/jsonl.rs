//! Tapes as JSON lines.
//!
//! The first line is about the tape, each further line is one event. Names and arguments are there for people and for
//! tools like `jq`; `payload` and `header` are the bytes of the frame, from which the event is read back.

use super::Tape;
use crate::{
    error::TapeError,
    event::{Ending, Event, Fate, Side, What},
    flaw::Flaw,
    frame, hex,
    json::bytes,
    message::{Content, Method},
    options::TapLimits,
};
use amq_protocol::protocol::BasicProperties;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    collections::HashMap,
    io::{BufRead, Write},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

const FORMAT: &str = "amqp-tap/v1";

#[derive(Serialize, Deserialize)]
struct Head {
    tape: String,
    /// Microseconds since the Unix epoch.
    began_us: u64,
}

#[derive(Serialize, Deserialize)]
struct Line {
    n: u64,
    at_us: u64,
    connection: u32,
    from: Side,
    #[serde(default, skip_serializing_if = "is_passed")]
    fate: Fate,
    #[serde(default, skip_serializing_if = "is_zero")]
    offset: u64,
    #[serde(flatten)]
    what: Words,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
enum Words {
    Connected,
    Greeting {
        version: [u8; 4],
    },
    Method {
        channel: u16,
        method: String,
        #[serde(default)]
        arguments: Value,
        payload: String,
    },
    Content {
        channel: u16,
        method: String,
        method_event: u64,
        #[serde(default)]
        properties: Value,
        /// Text, or `{"hex": …}`.
        body: Value,
        length: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sha256: Option<String>,
        #[serde(default = "yes", skip_serializing_if = "is_true")]
        complete: bool,
        header: String,
        frames: Vec<(u64, u32)>,
    },
    Heartbeat {
        channel: u16,
    },
    HalfClosed,
    Reset {
        why: String,
    },
    Closed {
        ending: Ending,
    },
    Unreadable {
        flaw: Flaw,
    },
    Fault {
        fault: u32,
        did: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trigger: Option<u64>,
    },
    Limit {
        limit: String,
        allowed: u64,
    },
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_passed(fate: &Fate) -> bool {
    *fate == Fate::Passed
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_true(on: &bool) -> bool {
    *on
}

fn yes() -> bool {
    true
}

/// Writes the line about the tape.
pub(super) fn head(mut writer: impl Write, began: SystemTime) -> Result<(), TapeError> {
    let since = began.duration_since(UNIX_EPOCH).unwrap_or_default();
    serde_json::to_writer(
        &mut writer,
        &Head {
            tape: FORMAT.to_owned(),
            began_us: micros(since),
        },
    )?;
    writer.write_all(b"\n")?;
    Ok(())
}

/// Writes the line of an event.
pub(super) fn line(mut writer: impl Write, event: &Event) -> Result<(), TapeError> {
    let line = Line {
        n: event.number,
        at_us: micros(event.at),
        connection: event.connection,
        from: event.from,
        fate: event.fate,
        offset: event.offset,
        what: words(event),
    };
    serde_json::to_writer(&mut writer, &line)?;
    writer.write_all(b"\n")?;
    Ok(())
}

fn words(event: &Event) -> Words {
    match &event.what {
        What::Connected => Words::Connected,
        What::Greeting(version) => Words::Greeting { version: *version },
        What::Method(method) => Words::Method {
            channel: method.channel(),
            method: method.name().to_owned(),
            arguments: Value::Object(method.arguments()),
            payload: hex::encode(method.payload()),
        },
        What::Content(content) => Words::Content {
            channel: content.method.channel(),
            method: content.method.name().to_owned(),
            method_event: content.method_event,
            properties: content.readable_properties(),
            body: bytes(&content.body),
            length: content.length,
            sha256: content.sha256.map(|hash| hex::encode(&hash)),
            complete: content.complete,
            header: hex::encode(&content.header),
            frames: content.frames.clone(),
        },
        What::Heartbeat { channel } => Words::Heartbeat { channel: *channel },
        What::HalfClosed => Words::HalfClosed,
        What::Reset { why } => Words::Reset { why: why.clone() },
        What::Closed(ending) => Words::Closed { ending: *ending },
        What::Unreadable(flaw) => Words::Unreadable { flaw: flaw.clone() },
        What::Fault {
            fault,
            did,
            trigger,
        } => Words::Fault {
            fault: *fault,
            did: did.clone(),
            trigger: *trigger,
        },
        What::Limit { limit, allowed } => Words::Limit {
            limit: limit.clone(),
            allowed: *allowed,
        },
    }
}

/// Reads a whole tape.
pub(super) fn read(reader: impl BufRead) -> Result<Tape, TapeError> {
    let mut lines = reader.lines().enumerate();
    let (_, first) = lines.next().ok_or_else(|| TapeError::Line {
        line: 1,
        why: "there is none".to_owned(),
    })?;
    let head: Head = serde_json::from_str(&first?).map_err(|error| at(1, error.to_string()))?;
    if head.tape != FORMAT {
        return Err(at(1, format!("the format is {}, not {FORMAT}", head.tape)));
    }
    let began = UNIX_EPOCH
        .checked_add(Duration::from_micros(head.began_us))
        .unwrap_or(UNIX_EPOCH);
    let tape = Tape::beginning(began, None);
    let mut methods = HashMap::new();
    for (index, line) in lines {
        let number = index + 1;
        let line: Line =
            serde_json::from_str(&line?).map_err(|error| at(number, error.to_string()))?;
        let event = event(line, &methods).map_err(|why| at(number, why))?;
        if let What::Method(method) = &event.what
            && method.carries_content()
        {
            methods.insert(event.number, method.clone());
        }
        let mut reel = tape.reel();
        if event.number < reel.next {
            return Err(at(
                number,
                format!("event {} is out of order", event.number),
            ));
        }
        tape.add(&mut reel, event);
    }
    Ok(tape)
}

fn event(line: Line, methods: &HashMap<u64, Method>) -> Result<Event, String> {
    let what = match line.what {
        Words::Connected => What::Connected,
        Words::Greeting { version } => What::Greeting(version),
        Words::Method {
            channel, payload, ..
        } => {
            let payload = hex::decode(&payload).ok_or("the payload is not hexadecimal")?;
            let class =
                frame::method(&payload, TapLimits::DEEPEST).map_err(|flaw| flaw.to_string())?;
            What::Method(Method::read(channel, class, &payload))
        }
        Words::Content {
            method_event,
            body,
            length,
            sha256,
            complete,
            header,
            frames,
            ..
        } => {
            let method = methods
                .get(&method_event)
                .ok_or("no such method comes before the content")?;
            let header = hex::decode(&header).ok_or("the header is not hexadecimal")?;
            let properties = match header.as_slice() {
                [] => BasicProperties::default(),
                bytes => {
                    frame::header(bytes, TapLimits::DEEPEST)
                        .map_err(|flaw| flaw.to_string())?
                        .properties
                }
            };
            What::Content(Box::new(Content {
                method: method.clone(),
                method_event,
                properties,
                body: unbytes(body).ok_or("the body is neither text nor hexadecimal")?,
                length,
                sha256: match sha256 {
                    None => None,
                    Some(text) => Some(
                        hex::decode(&text)
                            .and_then(|hash| hash.try_into().ok())
                            .ok_or("the hash is not one of SHA-256")?,
                    ),
                },
                complete,
                header: header.into(),
                frames,
            }))
        }
        Words::Heartbeat { channel } => What::Heartbeat { channel },
        Words::HalfClosed => What::HalfClosed,
        Words::Reset { why } => What::Reset { why },
        Words::Closed { ending } => What::Closed(ending),
        Words::Unreadable { flaw } => What::Unreadable(flaw),
        Words::Fault {
            fault,
            did,
            trigger,
        } => What::Fault {
            fault,
            did,
            trigger,
        },
        Words::Limit { limit, allowed } => What::Limit { limit, allowed },
    };
    Ok(Event {
        number: line.n,
        at: Duration::from_micros(line.at_us),
        connection: line.connection,
        from: line.from,
        fate: line.fate,
        offset: line.offset,
        what,
    })
}

fn unbytes(value: Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.into_bytes()),
        Value::Object(map) => hex::decode(map.get("hex")?.as_str()?),
        _ => None,
    }
}

fn at(line: usize, why: String) -> TapeError {
    TapeError::Line { line, why }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
