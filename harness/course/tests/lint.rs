//! The catalogue agrees with the repository.

#![allow(clippy::expect_used, reason = "a test stops at what it did not expect")]

use std::path::Path;

use workbook_course::{Workspace, lint::lint};

#[test]
fn the_catalogue_agrees_with_the_repository() {
    let workspace = Workspace::find(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("a checkout");
    assert_eq!(lint(&workspace), Vec::<String>::new());
}

/// Each fault is named, with what to do.
#[test]
fn what_does_not_agree_is_told() {
    let mut workspace = Workspace::find(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("a checkout");
    let chapters = &mut workspace.course.chapters;
    chapters.swap(0, 1);
    chapters[2].run.clear();
    chapters[2].checks.swap(0, 1);
    let told = lint(&workspace).join("\n");
    for words in [
        "SUMMARY.md: list the pages of the chapters as in course.toml: work-queues.md, hello-world.md",
        "course.toml: publish-subscribe has no run for its page to draw",
        "put the tests in the order of course.toml",
        "exercises/01-hello-world: no chapter of course.toml has this folder",
    ] {
        assert!(told.contains(words), "{words}:\n{told}");
    }
}
