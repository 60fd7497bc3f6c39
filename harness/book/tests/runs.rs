//! The runs that the book shows are what the solutions do today, on a real broker.

use std::path::Path;

use workbook_book::runs::{Run, again};
use workbook_broker::{Broker, Options};
use workbook_course::Workspace;

#[tokio::test]
async fn the_recorded_runs_are_what_the_solutions_do() {
    let workspace = Workspace::find(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let broker = Broker::find_or_start(&Options::from_env().unwrap())
        .await
        .unwrap();
    for chapter in &workspace.course.chapters {
        let slug = &chapter.slug;
        let kept = Run::read(&workspace.root, slug).unwrap().text();
        let now = again(&workspace, &broker, chapter).await.unwrap().text();
        assert_eq!(kept, now, "{slug}: cargo workbook book refresh --runs");
    }
}
