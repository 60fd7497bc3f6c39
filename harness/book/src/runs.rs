//! Runs of the solutions on a real broker: recorded by one command, kept as tapes, and drawn when the book is built.
//!
//! The catalogue says what is started and in which order. Each step waits for an event: a program's first line, its end, a
//! number of lines.

mod play;

use std::{
    fmt::Write as _,
    io::BufReader,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use amqp_tap::{Conversation, Event, Tape};
use serde::{Deserialize, Serialize};
use workbook_course::Language;
use workbook_diagnosis::{
    finding::Seen,
    picture::{self, Look},
};

pub use play::{again, play};

use crate::error::BookError;

/// What a program printed and said in a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its name, and the number where it was started twice.
    pub name: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The lines on its standard output.
    pub printed: Vec<String>,
    /// Its exit code.
    pub ended: i32,
}

/// A recorded run.
#[derive(Debug)]
pub struct Run {
    /// The programs, in the order in which they were started.
    pub parts: Vec<Part>,
    tapes: Vec<(SystemTime, Vec<Arc<Event>>)>,
    conversations: Vec<Conversation>,
}

/// The folder of a chapter's run.
fn folder(root: &Path, slug: &str) -> PathBuf {
    root.join("book/runs").join(slug)
}

impl Run {
    /// A run from its tapes.
    pub fn new(parts: Vec<Part>, tapes: &[Tape]) -> Self {
        Self {
            parts,
            tapes: tapes.iter().map(|it| (it.began(), it.events())).collect(),
            conversations: tapes.iter().map(Conversation::of).collect(),
        }
    }

    /// Reads the run of a chapter.
    pub fn read(root: &Path, slug: &str) -> Result<Self, BookError> {
        let folder = folder(root, slug);
        let path = folder.join("run.json");
        let parts: Vec<Part> = serde_json::from_str(&fs_err::read_to_string(&path)?)
            .map_err(|error| BookError::format(&path, error.to_string()))?;
        let mut tapes = Vec::new();
        for part in &parts {
            let path = folder.join(format!("{}.jsonl", part.name));
            let file = BufReader::new(fs_err::File::open(&path)?);
            let tape = Tape::read_jsonl(file)
                .map_err(|error| BookError::format(&path, error.to_string()))?;
            tapes.push(tape);
        }
        Ok(Self::new(parts, &tapes))
    }

    /// Writes a run with its tapes.
    pub fn write(root: &Path, slug: &str, parts: &[Part], tapes: &[Tape]) -> Result<(), BookError> {
        let folder = folder(root, slug);
        if folder.exists() {
            fs_err::remove_dir_all(&folder)?;
        }
        fs_err::create_dir_all(&folder)?;
        let path = folder.join("run.json");
        let mut json = serde_json::to_string_pretty(parts)
            .map_err(|error| BookError::format(&path, error.to_string()))?;
        json.push('\n');
        fs_err::write(path, json)?;
        for (part, tape) in parts.iter().zip(tapes) {
            let path = folder.join(format!("{}.jsonl", part.name));
            let file = std::io::BufWriter::new(fs_err::File::create(&path)?);
            tape.write_jsonl(file)
                .map_err(|error| BookError::format(&path, error.to_string()))?;
        }
        Ok(())
    }

    /// The events of each program.
    pub(crate) fn events(&self) -> impl Iterator<Item = (&Part, &[Arc<Event>])> {
        self.parts
            .iter()
            .zip(self.tapes.iter().map(|(_, events)| events.as_slice()))
    }

    /// Name and arguments of each program, as they are shown.
    fn shown(&self) -> Vec<String> {
        self.parts
            .iter()
            .map(|part| {
                let program = program_of(&part.name);
                let words =
                    std::iter::once(program).chain(part.arguments.iter().map(String::as_str));
                words.collect::<Vec<_>>().join(" ")
            })
            .collect()
    }

    fn seen<'a>(&'a self, names: &'a [String]) -> Vec<Seen<'a>> {
        names
            .iter()
            .zip(&self.tapes)
            .map(|(name, (began, events))| Seen {
                task_unit: None,
                program: name,
                argv: &[],
                reachable: true,
                began: *began,
                events,
                printed: &[],
                interrupted: None,
                ended: None,
                looked: Duration::MAX,
            })
            .collect()
    }

    /// The conversations as a sequence diagram, in SVG.
    pub fn svg(&self, language: Language) -> String {
        let names = self.shown();
        picture::svg(&self.seen(&names), &[], &look(language))
    }

    /// All that must be the same when the run is repeated, as text: what was said in normal form, and what was printed.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (part, said) in self.parts.iter().zip(&self.conversations) {
            let said = serde_json::to_string_pretty(said).unwrap_or_default();
            let _ = writeln!(text, "{part:?}\n{said}");
        }
        text
    }
}

fn look(language: Language) -> Look {
    Look {
        language,
        ..Look::default()
    }
}

/// The program's own name, without the number of its start.
pub(crate) fn program_of(name: &str) -> &str {
    name.rsplit_once('-')
        .filter(|(_, number)| number.chars().all(|c| c.is_ascii_digit()))
        .map_or(name, |(program, _)| program)
}
