//! Why bytes cannot be read.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why the tap cannot read what a side sent. It carries no bytes of theirs, which may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Flaw {
    /// The stream does not begin with the protocol header of AMQP 0-9-1 (§4.2.2).
    #[error("{start}, not the greeting of AMQP 0-9-1")]
    Greeting {
        /// The first bytes, escaped.
        start: String,
        /// What begins like this.
        looks_like: Protocol,
    },
    /// A frame's first byte is none of method, header, body and heartbeat (§4.2.3).
    #[error("no frame begins with the byte {0}")]
    FrameType(u8),
    /// A frame claims to be larger than what was negotiated (§4.2.3), or than the tap allows.
    #[error("a {kind} frame claims {claimed} bytes, and at most {allowed} are allowed")]
    FrameSize {
        /// What the frame carries.
        kind: FrameKind,
        /// The size of the whole frame that its header claims.
        claimed: u64,
        /// The most that a frame may be: what was agreed (`frame_max`).
        allowed: u64,
    },
    /// A frame does not end with the frame-end octet (§4.2.3).
    #[error("a frame ends with the byte {0} instead of 206")]
    FrameEnd(u8),
    /// Tables and arrays nest too deep to be decoded safely.
    #[error("tables nest more than {0} deep")]
    TooDeep(u32),
    /// The codec does not know the method, or its arguments are not what they should be.
    #[error("method {class}.{method} cannot be decoded")]
    Method {
        /// The class id.
        class: u16,
        /// The method id.
        method: u16,
    },
    /// A content header cannot be decoded.
    #[error("a content header cannot be decoded")]
    Header,
    /// A frame that may not come here (§4.2.6): a body without a header, more body than announced …
    #[error("{0}")]
    Unexpected(String),
}

/// The frame types of AMQP 0-9-1 (§4.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FrameKind {
    /// A method and its arguments.
    Method,
    /// The properties of a message: all of them in one frame.
    Header,
    /// A part of a message's body.
    Body,
    /// A sign of life.
    Heartbeat,
}

impl fmt::Display for FrameKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Method => "method",
            Self::Header => "header",
            Self::Body => "body",
            Self::Heartbeat => "heartbeat",
        })
    }
}

/// What a stream that is not AMQP 0-9-1 looks like, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// The hello of TLS.
    Tls,
    /// AMQP 1.0, or the SASL layer before it.
    Amqp10,
    /// AMQP 0-8, which old brokers still took.
    Amqp08,
    /// RabbitMQ's own protocol for streams.
    Stream,
    /// A request of HTTP.
    Http,
    /// Nothing that is known here.
    Unknown,
}

impl Protocol {
    /// What begins with these bytes.
    pub(crate) fn of(start: &[u8]) -> Self {
        const METHODS: [&[u8]; 7] = [
            b"GET ",
            b"HEAD ",
            b"POST ",
            b"PUT ",
            b"DELETE ",
            b"OPTIONS ",
            b"PRI * ",
        ];
        match start {
            // A record of the type handshake, of version 3.x (RFC 8446 §5.1).
            [0x16, 3, ..] => Self::Tls,
            [b'A', b'M', b'Q', b'P', 0 | 2 | 3, 1, 0, 0, ..] => Self::Amqp10,
            [b'A', b'M', b'Q', b'P', 1, 1, 8, 0] | [b'A', b'M', b'Q', b'P', 1, 1, 9, 1] => {
                Self::Amqp08
            }
            // A length, and the first command of a client: PeerProperties, version 1.
            [0, 0, _, _, 0, 0x11, 0, 1, ..] => Self::Stream,
            _ if METHODS.iter().any(|method| start.starts_with(method)) => Self::Http,
            _ => Self::Unknown,
        }
    }

    /// Its name, as a key in a catalogue of messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::Amqp10 => "amqp-1-0",
            Self::Amqp08 => "amqp-0-8",
            Self::Stream => "stream",
            Self::Http => "http",
            Self::Unknown => "unknown",
        }
    }
}
