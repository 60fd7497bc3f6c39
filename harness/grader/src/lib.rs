//! Runs checks and tells about them.
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
//! | [`submission`] | what learners hand in: entries of a class, and the sources in them |
//! | [`depot`] | what all builds of submissions have in common |
//! | [`compile`] | compiling one submission's exercise in a sandbox |
//! | [`sandboxes`] | which sandboxes this machine can make |
//! | [`mod@grade`] | grading a class |
//! | [`leases`] | virtual hosts that the checks of a class share |
//! | [`store`] | results on disk, whole or not at all |
//! | [`model`], [`report`] | what grading says, and every form of it |
//! | [`lint`] | the catalogue held against the folders, tests and pages |

#![forbid(unsafe_code)]

pub mod build;
pub mod compile;
pub mod depot;
pub mod event;
pub mod grade;
pub mod leases;
pub mod lint;
pub mod model;
pub mod report;
pub mod run;
pub mod sandboxes;
pub mod store;
pub mod submission;

pub use event::{CheckResult, Event, Score};
pub use run::{Plan, run};
