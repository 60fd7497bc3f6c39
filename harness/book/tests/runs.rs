//! The runs that the book shows are what the solutions do today, on a real broker.

use std::path::Path;

use workbook_book::runs::{self, Run, again};
use workbook_broker::{Broker, Options};
use workbook_course::Workspace;

#[tokio::test]
async fn the_recorded_runs_are_what_the_solutions_do() {
    let workspace = Workspace::find(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let broker = Broker::find_or_start(&Options::from_env().unwrap())
        .await
        .unwrap();
    let scenarios = runs::scenarios(&workspace.root).unwrap();
    let slugs: Vec<&str> = workspace
        .course
        .chapters
        .iter()
        .map(|it| it.slug.as_str())
        .collect();
    for (slug, scenario) in &scenarios {
        assert!(
            slugs.contains(&slug.as_str()),
            "runs.toml: {slug} is no chapter"
        );
        let kept = Run::read(&workspace.root, slug).unwrap().text();
        let now = again(&workspace, &broker, slug, scenario)
            .await
            .unwrap()
            .text();
        assert_eq!(kept, now, "{slug}: cargo workbook book refresh --runs");
    }
}
