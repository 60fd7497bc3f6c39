//! Messages on their way: content headers and bodies (AMQP 0-9-1 §4.2.6) joined per channel, as they interleave.
//!
//! A body is kept up to a limit and hashed beyond it. Nothing is allocated for a size that a header only claims.

use super::Stop;
use crate::{
    flaw::Flaw,
    frame::{self, Raw},
    message::{Content, Method, carries_content},
    options::TapLimits,
    usage::Usage,
};
use amq_protocol::protocol::{AMQPClass, BasicProperties};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// The unfinished messages of one direction.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    channels: HashMap<u16, Unfinished>,
}

#[derive(Debug)]
struct Unfinished {
    method: Method,
    method_event: u64,
    header: Option<Header>,
}

#[derive(Debug)]
struct Header {
    offset: u64,
    payload: Box<[u8]>,
    properties: BasicProperties,
    announced: u64,
    arrived: u64,
    kept: usize,
    body: Vec<u8>,
    hash: Option<Sha256>,
    frames: Vec<(u64, u32)>,
}

/// A content with the offset of its header.
type Placed = (u64, Box<Content>);

impl Assembly {
    /// A method that announces a content.
    pub(super) fn begin(&mut self, method: Method, method_event: u64) {
        let unfinished = Unfinished {
            method,
            method_event,
            header: None,
        };
        self.channels
            .insert(unfinished.method.channel(), unfinished);
    }

    /// A method arrives on a channel: the end of a channel or of the connection gives up what is unfinished there,
    /// and any other method has no business in the middle of a content (§4.2.6).
    pub(super) fn make_way(
        &mut self,
        channel: u16,
        class: &AMQPClass,
        usage: &Usage,
    ) -> Result<Vec<Placed>, Flaw> {
        if self.channels.is_empty() {
            return Ok(Vec::new());
        }
        match class {
            AMQPClass::Connection(_) => Ok(self.abandon_all(usage)),
            AMQPClass::Channel(_) => Ok(self.abandon(channel, usage).into_iter().collect()),
            _ if self.channels.contains_key(&channel) => Err(Flaw::Unexpected(format!(
                "a method comes on channel {channel} before the content of the last one ends"
            ))),
            _ => Ok(Vec::new()),
        }
    }

    /// A header frame; returns whether the content is complete with it.
    pub(super) fn header(
        &mut self,
        raw: Raw<'_>,
        offset: u64,
        usage: &Usage,
    ) -> Result<bool, Stop> {
        let header = frame::header(raw.payload, usage.limits.depth.min(TapLimits::DEEPEST))?;
        let unfinished = self
            .channels
            .get_mut(&raw.channel)
            .filter(|unfinished| unfinished.header.is_none())
            .ok_or_else(|| {
                Flaw::Unexpected(format!(
                    "a content header comes on channel {} without a method that announces it",
                    raw.channel
                ))
            })?;
        if header.class_id != unfinished.method.class().get_amqp_class_id() {
            return Err(Flaw::Unexpected(format!(
                "a content header is of class {} after {}",
                header.class_id,
                unfinished.method.name()
            ))
            .into());
        }
        usage.body(header.body_size)?;
        let kept = usage.limits.kept_body;
        unfinished.header = Some(Header {
            offset,
            payload: raw.payload.into(),
            properties: header.properties,
            announced: header.body_size,
            arrived: 0,
            kept,
            body: Vec::new(),
            hash: (header.body_size > kept as u64).then(Sha256::new),
            frames: Vec::new(),
        });
        Ok(header.body_size == 0)
    }

    /// A body frame; returns whether the content is complete with it.
    pub(super) fn body(&mut self, raw: Raw<'_>, offset: u64) -> Result<bool, Flaw> {
        let header = self
            .channels
            .get_mut(&raw.channel)
            .and_then(|unfinished| unfinished.header.as_mut())
            .ok_or_else(|| {
                Flaw::Unexpected(format!(
                    "a body comes on channel {} without a content header",
                    raw.channel
                ))
            })?;
        header.arrived += raw.payload.len() as u64;
        if header.arrived > header.announced {
            return Err(Flaw::Unexpected(format!(
                "{} bytes of body come on channel {} after {} were announced",
                header.arrived, raw.channel, header.announced
            )));
        }
        let room = header.kept.saturating_sub(header.body.len());
        let taken = raw.payload.len().min(room);
        header.body.extend_from_slice(&raw.payload[..taken]);
        if let Some(hash) = &mut header.hash {
            hash.update(raw.payload);
        }
        if raw.payload.is_empty() || header.frames.len() >= MOST_FRAMES {
            // Empty bodies say nothing, and a program may send any number of them.
        } else {
            let size = u32::try_from(raw.payload.len()).unwrap_or(u32::MAX);
            header.frames.push((offset, size));
        }
        Ok(header.arrived == header.announced)
    }

    /// Takes a content that is complete.
    pub(super) fn finish(&mut self, channel: u16, usage: &Usage) -> Option<Placed> {
        self.take(channel, true, usage)
    }

    /// Takes what there is of a content that will not be completed.
    fn abandon(&mut self, channel: u16, usage: &Usage) -> Option<Placed> {
        self.take(channel, false, usage)
    }

    /// Takes what there is of all of them, in the order of their methods.
    pub(super) fn abandon_all(&mut self, usage: &Usage) -> Vec<Placed> {
        let mut channels: Vec<(u64, u16)> = self
            .channels
            .iter()
            .map(|(channel, unfinished)| (unfinished.method_event, *channel))
            .collect();
        channels.sort_unstable();
        channels
            .into_iter()
            .filter_map(|(_, channel)| self.abandon(channel, usage))
            .collect()
    }

    fn take(&mut self, channel: u16, complete: bool, usage: &Usage) -> Option<Placed> {
        let unfinished = self.channels.remove(&channel)?;
        usage.end_message();
        debug_assert!(carries_content(unfinished.method.class()));
        // A content of which not even the header came is told by its method alone.
        let header = unfinished.header?;
        let whole = header.arrived == header.body.len() as u64;
        let content = Content {
            method: unfinished.method,
            method_event: unfinished.method_event,
            properties: header.properties,
            body: header.body,
            length: header.arrived,
            sha256: header
                .hash
                .filter(|_| !whole)
                .map(|hash| hash.finalize().into()),
            complete,
            header: header.payload,
            frames: header.frames,
        };
        Some((header.offset, Box::new(content)))
    }
}

/// How many body frames are told one by one.
const MOST_FRAMES: usize = 4096;
