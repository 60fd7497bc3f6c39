//! What a learner builds or runs is what was built before: nothing is compiled twice.

#![allow(clippy::expect_used, reason = "a test stops at what it did not expect")]

use std::{collections::BTreeSet, path::Path};

use workbook_course::{Edition, Workspace};
use workbook_runner::build;

/// Every package in a build, with its version and the features that it is built with.
fn built(workspace: &Workspace, scope: &[&str], edges: &str) -> BTreeSet<String> {
    let output = build::command()
        .args(["tree", "--edges", edges, "--prefix", "none"])
        .args(["--format", "{p} [{f}]"])
        .args(scope)
        .current_dir(&workspace.root)
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{scope:?}: {said}");
    let lines = String::from_utf8(output.stdout).expect("text");
    // What was told before is told again without its own dependencies, and marked.
    let told = |line: &str| line.trim_end_matches(" (*)").to_owned();
    lines.lines().map(told).collect()
}

/// Cargo builds a package once more for each set of features. Where a chapter that is built alone asks for fewer of
/// them than the whole, all that depends on such a package is compiled again, which takes minutes: name the features
/// in the workspace's `Cargo.toml`, and the package in `harness/features/Cargo.toml`.
#[test]
fn a_package_that_is_built_alone_shares_the_builds_of_the_whole() {
    let workspace = Workspace::find(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("a checkout");
    // What asks Docker is built by itself: nothing else needs half of what it needs.
    let scope = ["--workspace", "--exclude", "workbook-docker"];
    let whole = built(&workspace, &scope, "normal,build,dev");
    let chapters = workspace.course.chapters.iter();
    let learners = chapters
        .flat_map(|it| [Edition::Exercise, Edition::Solution].map(|side| side.package(&it.slug)))
        // `cargo test`, `check` and `grade` build the tests, `cargo run` does not.
        .flat_map(|package| ["normal,build,dev", "normal,build"].map(|it| (package.clone(), it)));
    let tools = ["workbook", "workbook-full"].map(|it| (it.to_owned(), "normal,build"));
    for (package, edges) in learners.chain(tools) {
        let alone = built(&workspace, &["--package", &package], edges);
        let others: Vec<_> = alone.difference(&whole).collect();
        assert!(
            others.is_empty(),
            "{package} is built with other features ({edges}): {others:#?}"
        );
    }
}
