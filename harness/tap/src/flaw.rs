//! Why bytes cannot be read.

use serde::{Deserialize, Serialize};

/// Why the tap cannot read what a side sent. It carries no bytes of theirs, which may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Flaw {
    /// The stream does not begin with the protocol header of AMQP 0-9-1 (§4.2.2).
    #[error("{0}, not the greeting of AMQP 0-9-1")]
    Greeting(String),
    /// A frame's first byte is none of method, header, body and heartbeat (§4.2.3).
    #[error("no frame begins with the byte {0}")]
    FrameType(u8),
    /// A frame claims to be larger than what was negotiated (§4.2.3), or than the tap allows.
    #[error("a frame claims {claimed} bytes, and at most {allowed} are allowed")]
    FrameSize {
        /// The size of the whole frame that its header claims.
        claimed: u64,
        /// The most that a frame may be.
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
