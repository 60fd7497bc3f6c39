//! A decoding AMQP 0-9-1 proxy: see and bend every frame between a program and its broker.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use amqp_tap::{Tap, TapOptions, broker, client};
//! use std::time::Duration;
//!
//! let broker_address: std::net::SocketAddr = "127.0.0.1:5672".parse()?;
//! let tap = Tap::open(TapOptions::to(broker_address)).await?;
//! println!("connect a program to {}", tap.endpoint());
//!
//! let ten_seconds = Duration::from_secs(10);
//! tap.tape().wait_for_frame(ten_seconds, &broker("queue.declare-ok").with("queue", "hello")).await?;
//! tap.tape().wait_for_nth(ten_seconds, &client("basic.ack"), 3).await?;
//! let tape = tap.close().await;
//! tape.write_jsonl(std::fs::File::create("hello.jsonl")?)?;
//! # Ok(())
//! # }
//! ```
//!
//! # A map
//!
//! Outside, what a caller holds:
//!
//! - [`Tap`] listens and forwards ([`TapOptions`] say where, with which [`Login`] and [`TapLimits`]);
//! - [`Tape`] is what it recorded: [`Event`]s, live or read back; [`Frame`] says which events are meant;
//! - [`Method`], [`Content`] and [`Message`] are what went over the wire;
//! - a [`story`] is what a tape means: publishes with their confirms, deliveries with their settlements, errors;
//! - [`Conversation`] is a tape in normal form, equal for programs that mean the same;
//! - [`Fault`] and [`Rule`] bend a connection, and [`Injected`] tells whether and where that hit;
//! - [`Replay`] is a tap without sockets, for bytes that are already there.
//!
//! Inside, from the socket inwards: `wire` (sockets of both kinds) → `link` (a connection's two pumps) → `session`
//! (its protocol state, without sockets: bytes in, events and steps out; `session/opening` greets and rewrites the
//! login, `session/assembly` joins contents, `session/emit` puts events on the tape and asks for faults) → `frame`
//! (bytes checked, then decoded; `frame/depth` measures nesting first). A fault reaches a connection through its
//! `control` (which keeps held confirms in `confirms`), and bends what it writes in its `outlet`. Beside them: `usage` counts limits, `clock` is the only place
//! that lets time pass, `names` and `json` put methods in AMQP's words, `tape/jsonl` writes them down.
//!
//! # What order to expect
//!
//! A frame is decoded, recorded and then forwarded. Forwarding first would save a few microseconds and cost the
//! order: a broker's reply could be on the tape before its request. It is also how [`Unreadable::Cut`] can promise
//! that nothing unreadable passes. With [`Unreadable::Forward`] a frame's bytes are forwarded as they are read, the
//! last of them after the frame was recorded.

mod clock;
mod confirms;
mod control;
pub mod conversation;
mod error;
mod event;
mod fault;
mod flaw;
mod frame;
mod hex;
mod json;
mod link;
mod matching;
mod message;
mod names;
mod options;
mod outlet;
mod replay;
mod session;
pub mod story;
mod tap;
mod tape;
mod usage;
mod wire;

pub use amq_protocol;
pub use conversation::Conversation;
pub use error::{NotSeen, TapError, TapeError};
pub use event::{Ending, Event, Fate, Message, Side, What};
pub use fault::{Cut, Fault, Hit, Injected, NotHit, Rule};
pub use flaw::{Flaw, FrameKind, Protocol};
pub use matching::{Frame, any, broker, client, connected, ended, message};
pub use message::{Content, Method};
pub use names::METHODS;
pub use options::{Endpoint, Login, Recording, TapLimits, TapOptions, Unreadable};
pub use replay::Replay;
pub use tap::Tap;
pub use tape::{Progress, Tape};
