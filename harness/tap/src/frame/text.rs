//! Short strings that are not UTF-8, spelled by their bytes.
//!
//! AMQP's short strings are UTF-8 (AMQP 0-9-1 §4.2.5.3). RabbitMQ holds clients to that in the arguments of most methods,
//! and nowhere else: a correlation id, the name of a header or the key of a publish may be any bytes. The codec refuses
//! such a frame, so it is given one to read in which they are spelled: `⟨8f12⟩`. The frame itself goes on as it came, and
//! the tape keeps its bytes; only a client whose own codec is as strict gets what is spelled ([`Spellings`]).

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::{FRAME_END, Raw};
use crate::{flaw::FrameKind as Kind, hex};

/// What a spelled string begins with. A string that begins so by itself is spelled as well: no two are taken for one.
const OPEN: &str = "⟨";
const CLOSE: &str = "⟩";
/// The longest string that is spelled by all its bytes, so that the result is a short string.
const SPELLED: usize = 120;

/// A part of a payload.
#[derive(Clone, Copy)]
enum Part {
    /// So many bytes of another kind.
    Bytes(usize),
    Short,
    Long,
    Table,
}
use Part::{Bytes, Long, Short, Table};

/// Whether a payload may hold a string that is to be spelled although it is UTF-8.
pub(super) fn is_marked(payload: &[u8]) -> bool {
    let mark = OPEN.as_bytes();
    payload.windows(mark.len()).any(|bytes| bytes == mark)
}

/// What a string is exchanged for; `None`: it stays.
type Exchange<'x> = &'x mut dyn FnMut(&[u8]) -> Option<Vec<u8>>;

/// A method frame's payload to read in place of this one: `None` where it is not as the specification says, and for the
/// methods of a login, which are read as they are or not at all.
pub(super) fn method(payload: &[u8]) -> Option<Vec<u8>> {
    exchange_in_method(payload, &mut spelled)
}

/// A header frame's payload to read in place of this one.
pub(super) fn header(payload: &[u8]) -> Option<Vec<u8>> {
    exchange_in_header(payload, &mut spelled)
}

/// Spells strings for a client that reads nothing but UTF-8, and knows what it means when it says them again.
#[derive(Debug, Default)]
pub(crate) struct Spellings(HashMap<Vec<u8>, Vec<u8>>);

impl Spellings {
    /// The frame to send to the client in place of the broker's; `None`: it can read that one.
    pub(crate) fn spell(&mut self, raw: Raw<'_>) -> Option<Vec<u8>> {
        exchange_in_frame(raw, &mut |string| {
            let text = spelled(string)?;
            self.0.insert(text.clone(), string.to_vec());
            Some(text)
        })
    }

    /// The frame to send to the broker in place of the client's; `None`: it says nothing that was spelled for it.
    pub(crate) fn restore(&self, raw: Raw<'_>) -> Option<Vec<u8>> {
        if self.0.is_empty() {
            return None;
        }
        exchange_in_frame(raw, &mut |string| self.0.get(string).cloned())
    }
}

fn exchange_in_frame(raw: Raw<'_>, exchange: Exchange<'_>) -> Option<Vec<u8>> {
    let (number, payload) = match raw.kind {
        Kind::Method => (1, exchange_in_method(raw.payload, exchange)?),
        Kind::Header => (2, exchange_in_header(raw.payload, exchange)?),
        Kind::Body | Kind::Heartbeat => return None,
    };
    if payload == raw.payload {
        return None;
    }
    let size = u32::try_from(payload.len()).ok()?;
    let mut frame = vec![number];
    frame.extend(raw.channel.to_be_bytes());
    frame.extend(size.to_be_bytes());
    frame.extend(payload);
    frame.push(FRAME_END);
    Some(frame)
}

fn exchange_in_method(payload: &[u8], exchange: Exchange<'_>) -> Option<Vec<u8>> {
    let &[c0, c1, m0, m1] = payload.first_chunk::<4>()?;
    let ids = (u16::from_be_bytes([c0, c1]), u16::from_be_bytes([m0, m1]));
    let parts: &[Part] = match ids {
        // connection.close and channel.close: code, text, class and method.
        (10, 50) | (20, 40) => &[Bytes(2), Short, Bytes(4)],
        // connection.blocked, basic.consume-ok and basic.cancel-ok: a reason, a consumer tag.
        (10, 60) | (60, 21 | 31) => &[Short],
        // exchange.declare: reserved, exchange, type, bits, arguments.
        // basic.consume: reserved, queue, consumer tag, bits, arguments.
        (40, 10) | (60, 20) => &[Bytes(2), Short, Short, Bytes(1), Table],
        // exchange.delete, queue.purge, queue.delete and basic.get: reserved, name, bits.
        (40, 20) | (50, 30 | 40) | (60, 70) => &[Bytes(2), Short, Bytes(1)],
        // exchange.bind and unbind: reserved, destination, source, routing key, bits, arguments. queue.bind likewise.
        (40, 30 | 40) | (50, 20) => &[Bytes(2), Short, Short, Short, Bytes(1), Table],
        // queue.declare: reserved, queue, bits, arguments.
        (50, 10) => &[Bytes(2), Short, Bytes(1), Table],
        // queue.declare-ok: queue, two counts.
        (50, 11) => &[Short, Bytes(8)],
        // queue.unbind: reserved, queue, exchange, routing key, arguments.
        (50, 50) => &[Bytes(2), Short, Short, Short, Table],
        // basic.cancel: consumer tag, bits.
        (60, 30) => &[Short, Bytes(1)],
        // basic.publish: reserved, exchange, routing key, bits.
        (60, 40) => &[Bytes(2), Short, Short, Bytes(1)],
        // basic.return: code, text, exchange, routing key.
        (60, 50) => &[Bytes(2), Short, Short, Short],
        // basic.deliver: consumer tag, delivery tag, bits, exchange, routing key.
        (60, 60) => &[Short, Bytes(9), Short, Short],
        // basic.get-ok: delivery tag, bits, exchange, routing key, count.
        (60, 71) => &[Bytes(9), Short, Short, Bytes(4)],
        _ => return None,
    };
    let mut speller = Speller::new(payload, exchange);
    speller.bytes(4)?;
    speller.parts(parts)?;
    speller.finish()
}

fn exchange_in_header(payload: &[u8], exchange: Exchange<'_>) -> Option<Vec<u8>> {
    let mut speller = Speller::new(payload, exchange);
    // Class, weight and body size come before the property flags (§4.2.6.1).
    speller.bytes(12)?;
    let &[high, low] = speller.rest.first_chunk::<2>()?;
    let flags = u16::from_be_bytes([high, low]);
    speller.bytes(2)?;
    // From the highest bit on: content type and encoding, headers, delivery mode, priority, correlation id, reply-to,
    // expiration, message id, timestamp, type, user id, application id, cluster id.
    let properties = [
        Short,
        Short,
        Table,
        Bytes(1),
        Bytes(1),
        Short,
        Short,
        Short,
        Short,
        Bytes(8),
        Short,
        Short,
        Short,
        Short,
    ];
    let present = properties.into_iter().zip((2..=15).rev());
    let present = present.filter(|(_, bit)| flags & (1 << bit) != 0);
    let parts: Vec<Part> = present.map(|(part, _)| part).collect();
    speller.parts(&parts)?;
    speller.finish()
}

/// Copies a payload, and exchanges its short strings on the way.
struct Speller<'a, 'x> {
    rest: &'a [u8],
    out: Vec<u8>,
    exchange: Exchange<'x>,
}

impl<'a, 'x> Speller<'a, 'x> {
    fn new(payload: &'a [u8], exchange: Exchange<'x>) -> Self {
        Self {
            rest: payload,
            out: Vec::with_capacity(payload.len() + 64),
            exchange,
        }
    }

    fn finish(self) -> Option<Vec<u8>> {
        self.rest.is_empty().then_some(self.out)
    }

    fn parts(&mut self, parts: &[Part]) -> Option<()> {
        for part in parts {
            match part {
                Bytes(count) => self.bytes(*count)?,
                Short => self.short()?,
                Long => self.long()?,
                Table => self.entries(true)?,
            }
        }
        Some(())
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    fn bytes(&mut self, count: usize) -> Option<()> {
        let bytes = self.take(count)?;
        self.out.extend_from_slice(bytes);
        Some(())
    }

    fn size(&mut self) -> Option<usize> {
        let size = self.take(4)?.first_chunk::<4>()?;
        Some(u32::from_be_bytes(*size) as usize)
    }

    fn short(&mut self) -> Option<()> {
        let length = *self.take(1)?.first()?;
        let string = self.take(usize::from(length))?;
        let exchanged = (self.exchange)(string);
        let string = exchanged.as_deref().unwrap_or(string);
        self.out.push(u8::try_from(string.len()).ok()?);
        self.out.extend_from_slice(string);
        Some(())
    }

    fn long(&mut self) -> Option<()> {
        let size = self.size()?;
        self.out.extend(u32::try_from(size).ok()?.to_be_bytes());
        self.bytes(size)
    }

    /// A table (`named`) or an array. How deep they nest was measured before.
    fn entries(&mut self, named: bool) -> Option<()> {
        let size = self.size()?;
        let mut inner = Speller::new(self.take(size)?, &mut *self.exchange);
        while !inner.rest.is_empty() {
            if named {
                inner.short()?;
            }
            let kind = *inner.rest.first()?;
            inner.bytes(1)?;
            match kind {
                b'V' => {}
                b't' | b'b' | b'B' => inner.bytes(1)?,
                b's' | b'U' | b'u' => inner.bytes(2)?,
                b'I' | b'i' | b'f' => inner.bytes(4)?,
                b'D' => inner.bytes(5)?,
                b'L' | b'l' | b'd' | b'T' => inner.bytes(8)?,
                b'S' | b'x' => inner.parts(&[Long])?,
                b'A' => inner.entries(false)?,
                b'F' => inner.entries(true)?,
                _ => return None,
            }
        }
        let mut entries = inner.out;
        self.out
            .extend(u32::try_from(entries.len()).ok()?.to_be_bytes());
        self.out.append(&mut entries);
        Some(())
    }
}

/// How a short string is spelled; `None` where it stands for itself.
fn spelled(string: &[u8]) -> Option<Vec<u8>> {
    let text = match std::str::from_utf8(string) {
        Ok(text) if !text.starts_with(OPEN) => return None,
        _ if string.len() <= SPELLED => format!("{OPEN}{}{CLOSE}", hex::encode(string)),
        _ => {
            let (start, hash) = (&string[..16], Sha256::digest(string));
            let (start, hash) = (hex::encode(start), hex::encode(&hash));
            let length = string.len();
            format!("{OPEN}{start}…, {length} bytes, sha256 {hash}{CLOSE}")
        }
    };
    Some(text.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use amq_protocol::frame::parsing::parse_content_header;

    #[test]
    fn what_is_spelled_is_a_short_string_and_no_two_are_one() {
        let strings: [&[u8]; 7] = [
            b"",
            b"id",
            b"\xff",
            b"\xff\x80",
            "⟨ff⟩".as_bytes(),
            &[0xff; 255],
            &[0xfe; 255],
        ];
        let shown = strings.map(|it| String::from_utf8(spelled(it).unwrap_or(it.into())).unwrap());
        assert_eq!(shown[..4], ["", "id", "⟨ff⟩", "⟨ff80⟩"]);
        for (index, one) in shown.iter().enumerate() {
            assert!(one.len() <= 255, "{one}");
            assert!(!shown[..index].contains(one), "{one}");
        }
    }

    /// A header frame with this correlation id and an empty body.
    fn with_id(id: &[u8]) -> Vec<u8> {
        let mut payload = vec![0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x04, 0x00];
        payload.push(u8::try_from(id.len()).unwrap());
        payload.extend(id);
        payload
    }

    fn header_frame(payload: &[u8]) -> Raw<'_> {
        Raw {
            kind: Kind::Header,
            channel: 7,
            payload,
        }
    }

    #[test]
    fn what_is_spelled_for_a_client_is_restored_when_the_client_says_it() {
        for id in [&b"\xff\xfe"[..], &[0xfd; 255]] {
            let mut spellings = Spellings::default();
            let (bytes, readable) = (with_id(id), with_id(b"readable"));
            assert_eq!(spellings.spell(header_frame(&readable)), None);
            assert_eq!(spellings.restore(header_frame(&bytes)), None);

            let shown = spellings.spell(header_frame(&bytes)).unwrap();
            let shown = crate::frame::split(&shown, 4096).unwrap().unwrap();
            assert_eq!((shown.kind, shown.channel), (Kind::Header, 7));
            assert!(parse_content_header(shown.payload).is_ok());

            let said = spellings.restore(shown).unwrap();
            let said = crate::frame::split(&said, 4096).unwrap().unwrap();
            assert_eq!(said.payload, bytes);
            assert_eq!(spellings.restore(header_frame(&readable)), None);
        }
    }

    #[test]
    fn a_login_is_never_spelled() {
        for ids in [
            [0, 10, 0, 11],
            [0, 10, 0, 21],
            [0, 10, 0, 40],
            [0, 10, 0, 70],
        ] {
            assert_eq!(method(&ids), None);
        }
    }
}
