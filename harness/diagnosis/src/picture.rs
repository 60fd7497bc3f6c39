//! Pictures: tapes as sequence diagrams, as text for a terminal and as SVG.
//!
//! A lane for the program, a lane for the broker, and between them the frames in AMQP's words, with the arguments that
//! matter and the beginning of each body. Logging in and heartbeats take one line, long runs of the same frames are
//! folded, faults are marked, and the frames that prove a finding are pointed at with its number (its place in the
//! list of findings, from 1). The same tape always makes the same picture.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `rows` | a tape as rows: frames, with their contents, and notes |
//! | `words` | a frame in AMQP's words |
//! | `fold` | runs of the same frames, folded |
//! | `text`, `svg` | the two forms |

mod fold;
mod rows;
mod svg;
mod text;
mod words;

use workbook_course::Language;

use crate::finding::{Finding, Seen};

pub use svg::svg;
pub use text::cut;
pub use text::{excerpt, text};

/// How a picture is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// How many columns a line of text may take; at least [`Look::NARROWEST`].
    pub width: usize,
    /// Whether each frame's time is shown. Without it, the same conversation makes the same picture.
    pub times: bool,
    /// The language of titles and notes. Frames are in AMQP's words in any language.
    pub language: Language,
}

impl Look {
    /// Fewer columns than this are not enough for a frame.
    pub const NARROWEST: usize = 40;
}

impl Default for Look {
    fn default() -> Self {
        Self {
            width: 80,
            times: false,
            language: Language::English,
        }
    }
}

/// The numbers (from 1) of the findings that an event of a program proves.
fn marks(findings: &[Finding], place: usize, event: u64) -> Vec<usize> {
    findings
        .iter()
        .zip(1..)
        .filter(|(finding, _)| {
            (finding.place == place && finding.evidence.contains(&event))
                || finding
                    .elsewhere
                    .iter()
                    .any(|other| other.place == place && other.event == event)
        })
        .map(|(_, number)| number)
        .collect()
}

/// ① to ⑳, then (21).
fn numeral(number: usize) -> String {
    match u32::try_from(number) {
        Ok(small @ 1..=20) => {
            char::from_u32(0x2460 + small - 1).map_or_else(String::new, String::from)
        }
        _ => format!("({number})"),
    }
}

/// All of a program's rows, folded.
fn drawn(seen: &Seen<'_>, place: usize, findings: &[Finding], look: &Look) -> Vec<rows::Row> {
    fold::fold(&rows::rows(seen, look.language, |event| {
        marks(findings, place, event)
    }))
}

#[cfg(test)]
mod tests;
