//! Compiles the checks of a chapter and runs them.
//!
//! The checks of an exercise are compiled into one binary, which is trusted; the
//! programs that they start are not. The [`run()`] of a chapter starts that binary
//! once for each check, several at a time, and reads a report from a file that
//! only the check can write. What comes of it is one stream of [`event`]s; whoever
//! shows or stores them only consumes it.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`build`] | compiling checks and programs with cargo |
//! | [`mod@run`] | running the checks of a chapter, several at a time |
//! | [`event`] | what is told while they run, and the score |
//! | [`leases`] | virtual hosts that many checks share |

#![forbid(unsafe_code)]

pub mod build;
pub mod event;
pub mod leases;
pub mod run;

pub use event::{BrokerInfo, CheckResult, RunEvent, Score};
pub use run::{Plan, run};
