//! The book in every language: built, served, translated, searched, illustrated and checked.
//!
//! The pages are Markdown in `book/src`, for mdBook. A page may hold directives, which this crate replaces by what the
//! course, the crates and recorded runs say, so that a page cannot disagree with them.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`tongue`] | the languages |
//! | [`mod@build`], [`mod@serve`] | all languages below one root |
//! | [`preprocess`] | the preprocessor, for mdBook as a library or as a command |
//! | [`mod@translate`] | gettext: messages, the catalogue, freshness |
//! | [`refresh`], [`report`] | bringing up to date what is kept in files, and saying what is not |
//! | `directive` | what a page may hold: `card`, `verdicts`, `findings`, … |
//! | [`runs`] | runs of the solutions, kept as tapes and drawn as sequence and topology diagrams |
//! | [`glossary`], [`original`], [`shot`], [`screenshots`] | the terms, the original of chapter 1, screenshots |
//! | [`recorded`] | findings with their evidence |
//! | [`links`], [`browser`] | what holds the pages: their links, and a real browser |
//! | [`search`] | an index that knows Chinese |

#![forbid(unsafe_code)]

pub mod browser;
pub mod build;
mod card;
mod directive;
pub mod error;
mod findings;
pub mod glossary;
mod interface;
mod lessons;
pub mod links;
mod markup;
pub mod original;
mod page;
pub mod preprocess;
pub mod recorded;
pub mod refresh;
pub mod report;
pub mod runs;
pub mod screenshots;
pub mod search;
pub mod serve;
pub mod shot;
pub mod tongue;
mod topology;
pub mod translate;
mod verdicts;

pub use build::Build;
pub use error::BookError;
pub use serve::serve;
