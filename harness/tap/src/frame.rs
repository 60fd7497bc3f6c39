//! The bytes of a frame (AMQP 0-9-1 §4.2.3), checked and decoded in that order.
//!
//! Whatever a stranger sends may come here, so nothing is allocated for a size that is only claimed, and nesting is
//! measured before the codec, which recurses without a limit, sees it.

mod depth;
mod text;

pub(crate) use text::Spellings;

use crate::flaw::{Flaw, FrameKind as Kind};
use amq_protocol::{
    frame::{AMQPContentHeader, parsing::parse_content_header},
    protocol::{AMQPClass, parse_class},
};

/// Frame type, channel and size.
pub(crate) const HEAD: usize = 7;
/// What a frame adds to its payload: the head and the frame-end octet.
pub(crate) const OVERHEAD: usize = HEAD + 1;
const FRAME_END: u8 = 206;
/// RabbitMQ compares the payload with what was agreed, and not the whole frame: so it takes 8 bytes more.
const GRACE: u64 = OVERHEAD as u64;

/// A frame whose outside is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Raw<'a> {
    pub(crate) kind: Kind,
    pub(crate) channel: u16,
    pub(crate) payload: &'a [u8],
}

impl Raw<'_> {
    /// The bytes that the frame takes on the wire.
    pub(crate) fn size(&self) -> usize {
        self.payload.len() + OVERHEAD
    }
}

/// The frame that `bytes` begin with; `None` when it has not wholly arrived.
///
/// The head is judged as soon as it is there, so a lie about the size is found before its bytes are waited for.
pub(crate) fn split(bytes: &[u8], largest: u32) -> Result<Option<Raw<'_>>, Flaw> {
    let Some(&first) = bytes.first() else {
        return Ok(None);
    };
    let kind = match first {
        1 => Kind::Method,
        2 => Kind::Header,
        3 => Kind::Body,
        8 => Kind::Heartbeat,
        other => return Err(Flaw::FrameType(other)),
    };
    let Some((&[_, c0, c1, s0, s1, s2, s3], rest)) = bytes.split_first_chunk::<HEAD>() else {
        return Ok(None);
    };
    let claimed = u64::from(u32::from_be_bytes([s0, s1, s2, s3])) + OVERHEAD as u64;
    if claimed > u64::from(largest) + GRACE {
        return Err(Flaw::FrameSize {
            kind,
            claimed,
            allowed: u64::from(largest),
        });
    }
    let size = u32::from_be_bytes([s0, s1, s2, s3]) as usize;
    let Some((payload, [end, ..])) = rest.split_at_checked(size) else {
        return Ok(None);
    };
    if *end != FRAME_END {
        return Err(Flaw::FrameEnd(*end));
    }
    if kind == Kind::Heartbeat && size != 0 {
        return Err(Flaw::Unexpected("a heartbeat carries bytes".to_owned()));
    }
    Ok(Some(Raw {
        kind,
        channel: u16::from_be_bytes([c0, c1]),
        payload,
    }))
}

/// The method in a method frame's payload.
pub(crate) fn method(payload: &[u8], deepest: u32) -> Result<AMQPClass, Flaw> {
    depth::check_method(payload, deepest)?;
    let flaw = || Flaw::Method {
        class: number(payload, 0),
        method: number(payload, 2),
    };
    match parse_class(payload) {
        Ok(([], class)) if !text::is_marked(payload) => return Ok(class),
        Ok(([], _)) | Err(_) => {}
        Ok(_) => return Err(flaw()),
    }
    let spelled = text::method(payload);
    match parse_class(spelled.as_deref().unwrap_or(payload)) {
        Ok(([], class)) => Ok(class),
        _ => Err(flaw()),
    }
}

/// The content header in a header frame's payload.
pub(crate) fn header(payload: &[u8], deepest: u32) -> Result<AMQPContentHeader, Flaw> {
    depth::check_header(payload, deepest)?;
    match parse_content_header(payload) {
        Ok(([], header)) if !text::is_marked(payload) => return Ok(header),
        Ok(([], _)) | Err(_) => {}
        Ok(_) => return Err(Flaw::Header),
    }
    let spelled = text::header(payload);
    match parse_content_header(spelled.as_deref().unwrap_or(payload)) {
        Ok(([], header)) => Ok(header),
        _ => Err(Flaw::Header),
    }
}

fn number(payload: &[u8], at: usize) -> u16 {
    match payload.get(at..at + 2) {
        Some(&[high, low]) => u16::from_be_bytes([high, low]),
        _ => 0,
    }
}
