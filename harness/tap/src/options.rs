//! What a tap is told when it is opened: where to listen, where the broker is, and how far it trusts the program.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

/// A place to listen on or to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A TCP address; port 0 lets the system choose when listening.
    Tcp(SocketAddr),
    /// The path of a Unix socket, for a sandbox whose only way out is a file bound into it.
    Unix(PathBuf),
}

impl Endpoint {
    /// A port of loopback that the system chooses.
    pub const fn loopback() -> Self {
        Self::Tcp(SocketAddr::new(
            std::net::IpAddr::V4(Ipv4Addr::LOCALHOST),
            0,
        ))
    }

    /// The TCP address, where there is one.
    pub fn tcp(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) => Some(*address),
            Self::Unix(_) => None,
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}

/// The login and virtual host that replace whatever the program asks for.
///
/// `connection.start-ok` (AMQP 0-9-1 §1.4.2.2) leaves the tap with mechanism `PLAIN` and these credentials, whichever
/// mechanism the program chose, and `connection.open` (§1.4.2.7) with this virtual host.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The user's name.
    pub user: String,
    /// The user's password: never on a tape, never in `Debug`.
    pub password: String,
    /// The virtual host, as it is (`/`, not `%2f`).
    pub vhost: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("user", &self.user)
            .field("password", &"[redacted]")
            .field("vhost", &self.vhost)
            .finish()
    }
}

/// What to do with bytes that the tap cannot read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unreadable {
    /// Forward nothing of them and cut the connection: the only safe answer to a program that is not trusted.
    #[default]
    Cut,
    /// Note them once, then forward that direction without decoding: for recording a trusted program.
    ///
    /// A direction whose login is still to be rewritten is cut even so, as its bytes may carry a login of their own.
    Forward,
}

/// How much a program may do through one tap, over the tap's whole life.
///
/// A limit that trips cuts the connection and leaves a [`What::Limit`](crate::What::Limit) on the tape.
/// `TapLimits::default()` suits a lab; [`TapLimits::none`] suits recording a trusted program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TapLimits {
    /// Connections accepted.
    pub connections: u32,
    /// Channels open at once in one connection.
    pub channels: u32,
    /// Frames, both ways together.
    pub frames: u64,
    /// Bytes, both ways together.
    pub bytes: u64,
    /// Bytes that the tape may hold in memory (an estimate that counts bodies, arguments and a constant per event).
    pub tape_bytes: u64,
    /// Bytes kept of each body; beyond it the tape has the length and the SHA-256 only.
    pub kept_body: usize,
    /// The body size that a content header may announce.
    pub message: u64,
    /// The largest frame, whatever was negotiated, header and end octet included.
    pub frame: u32,
    /// How deep tables and arrays may nest. Capped at [`TapLimits::DEEPEST`].
    pub depth: u32,
    /// Messages whose body has not wholly arrived, both ways together.
    pub unfinished: u32,
    /// Queues declared (by distinct name; each server-named one counts), deleted ones included.
    pub queues: u32,
    /// Of those, quorum queues.
    pub quorum_queues: u32,
    /// Of those, stream queues.
    pub stream_queues: u32,
    /// Exchanges declared (by distinct name), deleted ones included.
    pub exchanges: u32,
    /// `queue.bind` and `exchange.bind` methods.
    pub bindings: u32,
    /// `tx.select` methods.
    pub transactions: u32,
    /// Messages published on channels in transaction mode and neither committed nor rolled back.
    pub uncommitted: u32,
}

impl TapLimits {
    /// The deepest nesting that the codec may be trusted with: it recurses, and a stack overflow cannot be caught.
    pub const DEEPEST: u32 = 64;

    /// Only what protects the tap itself: the frame size, the nesting depth and the unfinished messages.
    pub const fn none() -> Self {
        Self {
            connections: u32::MAX,
            channels: u32::MAX,
            frames: u64::MAX,
            bytes: u64::MAX,
            tape_bytes: u64::MAX,
            kept_body: 64 * 1024,
            message: u64::MAX,
            frame: 16 * 1024 * 1024,
            depth: Self::DEEPEST,
            unfinished: 4096,
            queues: u32::MAX,
            quorum_queues: u32::MAX,
            stream_queues: u32::MAX,
            exchanges: u32::MAX,
            bindings: u32::MAX,
            transactions: u32::MAX,
            uncommitted: u32::MAX,
        }
    }
}

impl Default for TapLimits {
    fn default() -> Self {
        Self {
            connections: 256,
            channels: 256,
            frames: 1_000_000,
            bytes: 512 * 1024 * 1024,
            tape_bytes: 128 * 1024 * 1024,
            kept_body: 64 * 1024,
            message: 16 * 1024 * 1024,
            // RabbitMQ proposes 131,072 bytes unless it is told otherwise, and what it proposes bounds a frame as well.
            frame: 1024 * 1024,
            depth: 32,
            unfinished: 64,
            queues: 200,
            quorum_queues: 20,
            stream_queues: 5,
            exchanges: 200,
            bindings: 1_000,
            transactions: 100,
            uncommitted: 10_000,
        }
    }
}

/// Where events go besides, and how many stay in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// Keep only the newest events in memory; `None` keeps all (up to [`TapLimits::tape_bytes`]).
    ///
    /// With a window the tape forgets instead of tripping that limit.
    pub window: Option<usize>,
    /// Write each event through to this file as JSON lines (see [`Tape::write_jsonl`](crate::Tape::write_jsonl)).
    pub file: Option<PathBuf>,
}

/// Everything that [`Tap::open`](crate::Tap::open) needs to know.
#[derive(Clone, Debug)]
pub struct TapOptions {
    /// Where programs connect; a port of loopback chosen by the system unless said otherwise.
    pub listen: Endpoint,
    /// The broker.
    pub broker: Endpoint,
    /// The login and virtual host to put in place of the program's; `None` forwards the program's own.
    pub login: Option<Login>,
    /// The interval, in seconds, that `connection.tune` (AMQP 0-9-1 §1.4.2.5) proposes in place of the broker's:
    /// so that a missing heartbeat shows soon.
    pub heartbeat: Option<u16>,
    /// Passes each `basic.ack` and `basic.nack` of the broker that stands for `multiple` messages on as one for each.
    ///
    /// When a broker puts confirms together depends on its load. So what a program makes of `multiple` shows when it is
    /// meant to, by [`Fault::MergeConfirms`](crate::Fault::MergeConfirms), and not by luck. On the tape the one that
    /// came [vanishes](crate::Fate::Vanished), and those that go out are noted.
    pub single_confirms: bool,
    /// Passes a short string of the broker's that is not UTF-8 on as the tape shows it, `⟨8f12⟩`, and what the client
    /// then says so, as the bytes that it stands for: for a client whose codec refuses such frames.
    pub spelled_strings: bool,
    /// What to do with bytes that cannot be read.
    pub unreadable: Unreadable,
    /// How much the program may do.
    pub limits: TapLimits,
    /// The seed of every random choice that a fault makes.
    pub seed: u64,
    /// Where events go besides memory.
    pub recording: Recording,
}

impl TapOptions {
    /// A tap for a lab in front of `broker`: own port, nothing rewritten, cut what cannot be read, default limits.
    pub fn to(broker: impl Into<Endpoint>) -> Self {
        Self {
            listen: Endpoint::loopback(),
            broker: broker.into(),
            login: None,
            heartbeat: None,
            single_confirms: false,
            spelled_strings: false,
            unreadable: Unreadable::Cut,
            limits: TapLimits::default(),
            seed: 0,
            recording: Recording::default(),
        }
    }

    /// A tap that records a trusted program: what cannot be read is forwarded, and nothing but the tap is protected.
    pub fn recorder(broker: impl Into<Endpoint>) -> Self {
        Self {
            unreadable: Unreadable::Forward,
            limits: TapLimits::none(),
            ..Self::to(broker)
        }
    }
}
