//! The course: its catalogue, its languages, and where its chapters and pages are.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `catalogue` | `exercises/course.toml`: chapters, checks, what they ask for |
//! | [`workspace`] | a checkout: where the course, its exercises and its solutions are |
//! | [`lint`] | the catalogue held against the folders, tests and pages |
//! | [`cargo`] | calling cargo |
//! | [`reading`] | where a page of the book is on this machine |

#![forbid(unsafe_code)]

pub mod cargo;
mod catalogue;
pub mod lint;
pub mod reading;
pub mod workspace;

pub use catalogue::{Ask, Chapter, ChapterGiven, Check, Course, CourseError, Language, Text};
pub use workspace::{Edition, Workspace};
