//! What a check is told and what it says.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`failure`] | why a check does not hold; verdicts |
//! | [`report`] | the outcome of one check, for a person and as a file |
//! | [`request`] | what whoever runs a check tells it, in the environment |
//! | [`seed`] | the random choices of a check, from the seed of a run |
//! | [`cause`] | failures of one cause |
//! | [`telling`] | how they are told on one screen |
//! | [`sentences`] | what checks say, in Chinese |
//! | [`kept`] | what is kept between runs |
//! | [`log`] | what the harness is doing, for whoever asks |

#![forbid(unsafe_code)]

pub mod cause;
pub mod failure;
pub mod kept;
pub mod log;
pub mod report;
pub mod request;
pub mod seed;
pub mod sentences;
pub mod telling;

pub use failure::{Checked, Failure, Verdict};
