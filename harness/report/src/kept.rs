//! What is kept between runs of a learner's own checks: the last report of each check, and its tapes.
//!
//! `cargo test` and `cargo workbook check` keep the same, so that `list`, `hint` and `tape` know of both. Each check has
//! a file and a folder of its own: who runs a few of the checks replaces what is known of these, and two that run at
//! the same time do not get in each other's way.

use std::{
    io,
    path::{Path, PathBuf},
};

use workbook_course::{Chapter, workspace::state_folder};

use crate::{failure::Verdict, report::CheckReport};

/// The folder for the tapes and pictures of a chapter's checks; each has a folder of its name in it.
pub fn tapes(root: &Path, slug: &str) -> PathBuf {
    state_folder(root).join("tapes").join(slug)
}

fn path(root: &Path, slug: &str, check: &str) -> PathBuf {
    state_folder(root)
        .join("last")
        .join(slug)
        .join(format!("{check}.json"))
}

/// Keeps the report of a check.
pub fn keep(root: &Path, slug: &str, report: &CheckReport) -> io::Result<()> {
    let path = path(root, slug, &report.name);
    std::fs::create_dir_all(path.parent().unwrap_or(root))?;
    report.write(&path)
}

/// The last report of each of a chapter's checks that was ever run, in the order of the course.
pub fn last(root: &Path, chapter: &Chapter) -> Vec<CheckReport> {
    let checks = chapter.checks.iter();
    let reports = checks.filter_map(|check| {
        let json = std::fs::read(path(root, &chapter.slug, &check.name)).ok()?;
        serde_json::from_slice(&json).ok()
    });
    reports.collect()
}

/// Whether all of a chapter's checks passed when they were run last.
pub fn is_solved(root: &Path, chapter: &Chapter) -> bool {
    let last = last(root, chapter);
    last.len() == chapter.checks.len() && last.iter().all(|it| it.verdict == Verdict::Pass)
}
