//! What a check leaves behind for whoever wants to see what happened: findings, pictures and tapes.

use std::{collections::HashSet, io, path::Path};

use workbook_course::Language;
use workbook_diagnosis::{
    finding::{Finding, Seen, findings_given},
    picture::{self, Look},
};
use workbook_report::report::ToldFinding;

use crate::lab::Record;

/// What the tapes of a check show.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    pub(crate) findings: Vec<ToldFinding>,
    /// The tapes as a sequence diagram for a terminal.
    pub(crate) picture: String,
}

/// One of the check's worlds, with what was found in it.
struct Diagnosed<'a> {
    record: &'a Record,
    seen: Vec<Seen<'a>>,
    findings: Vec<Finding>,
}

/// Draws findings and pictures from the worlds of a check.
///
/// `slug` is the exercise's, whose own page comes before those of others.
pub(crate) fn gather(records: &[Record], slug: &str, language: Language) -> Evidence {
    let look = Look {
        language,
        ..Look::default()
    };
    let mut evidence = Evidence::default();
    let mut told = HashSet::new();
    for mut world in worlds(records) {
        // A program that does the same in several worlds is told of once.
        world.findings.retain(|it| {
            let same = (it.id, it.program.clone(), it.arguments.clone());
            told.insert(same)
        });
        evidence
            .picture
            .push_str(&picture::text(&world.seen, &world.findings, &look));
        let findings = world.findings.iter().zip(1..);
        evidence
            .findings
            .extend(findings.map(|(finding, number)| ToldFinding {
                id: finding.id,
                severity: finding.severity,
                program: finding.program.clone(),
                argv: world.record.reports[finding.place].argv.clone(),
                title: finding.title(language),
                explanation: finding.explanation(language),
                chapter: finding.id.chapter_in(slug).to_owned(),
                evidence: finding.evidence.clone(),
                frames: picture::excerpt(&world.seen, &world.findings, number, &look),
            }));
    }
    evidence
}

/// Writes the tapes and pictures of a check to a folder, and removes what an earlier run left there.
pub(crate) fn keep(records: &[Record], folder: &Path, language: Language) -> io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => std::fs::create_dir_all(folder)?,
    }
    for (number, world) in worlds(records).enumerate() {
        let name = |what: &str| folder.join(format!("{}-{what}", number + 1));
        let look = Look {
            language,
            times: true,
            ..Look::default()
        };
        std::fs::write(
            name("picture.txt"),
            picture::text(&world.seen, &world.findings, &look),
        )?;
        let look = Look {
            times: false,
            ..look
        };
        std::fs::write(
            name("picture.svg"),
            picture::svg(&world.seen, &world.findings, &look),
        )?;
        for (place, tape) in world.record.tapes.iter().enumerate() {
            let program = &world.record.reports[place].name;
            let safe: String = program
                .chars()
                .filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c))
                .take(32)
                .collect();
            if let Some(tape) = tape {
                write_tape(tape, &name(&format!("{}-{safe}.jsonl", place + 1)))?;
            }
        }
    }
    Ok(())
}

fn write_tape(tape: &amqp_tap::Tape, path: &Path) -> io::Result<()> {
    let file = io::BufWriter::new(std::fs::File::create(path)?);
    tape.write_jsonl(file).map_err(io::Error::other)
}

fn worlds(records: &[Record]) -> impl Iterator<Item = Diagnosed<'_>> {
    records
        .iter()
        .filter(|record| !record.witnesses.is_empty())
        .map(|record| {
            let seen: Vec<Seen<'_>> = record
                .witnesses
                .iter()
                .map(crate::program::Witness::seen)
                .collect();
            let findings = findings_given(&seen, &record.given);
            Diagnosed {
                record,
                seen,
                findings,
            }
        })
}
