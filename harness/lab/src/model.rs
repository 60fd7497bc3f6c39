//! The reference models of routing, and what to try them with.

pub mod topic;

pub use workbook_diagnosis::model::{Message, copies, direct, disagreement, headers};
