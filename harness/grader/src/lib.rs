//! Grades what learners hand in: submissions, compiled and run in sandboxes, and every form of their results.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`submission`] | what learners hand in: entries of a class, and the sources in them |
//! | [`depot`] | what all builds of submissions have in common |
//! | [`compile`] | compiling one submission's exercise in a sandbox |
//! | [`sandboxes`] | which sandboxes this machine can make |
//! | [`mod@grade`] | grading a class |
//! | [`store`] | results on disk, whole or not at all |
//! | [`model`], [`report`] | what grading says, and every form of it |

#![forbid(unsafe_code)]

pub mod compile;
pub mod depot;
pub mod grade;
pub mod model;
pub mod report;
pub mod sandboxes;
pub mod store;
pub mod submission;
