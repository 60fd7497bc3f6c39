//! What went wrong between a program and the broker: named, explained, proved by frames, and drawn.
//!
//! Nothing here talks to a broker or starts a process: it reads tapes, printed lines, and how programs ended.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`finding`] | what went wrong, named and proved by frames |
//! | [`picture`] | a tape as a sequence diagram |
//! | [`printed`] | whether printed lines carry the expected bodies |
//! | [`recording`] | runs that were recorded |
//! | [`model`] | reference models of routing: what a queue gets |
//! | [`Ended`] | how a program ended |
//! | [`quote`] | what programs print, fit to be shown |

#![forbid(unsafe_code)]

mod ended;
pub mod finding;
pub mod model;
pub mod picture;
pub mod printed;
pub mod quote;
pub mod recording;

pub use ended::{Ended, Limit};
