//! What a reader gets who looks for a page that is not there.

#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::path::Path;

use workbook_book::Build;

#[test]
fn a_page_that_is_not_there_is_told_of_in_the_language_of_its_folder() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = tempfile::tempdir().unwrap();
    let mut build = Build::of(&root);
    build.out = folder.path().join("book");
    build.run().unwrap();
    for (path, base, words, other) in [
        ("404.html", "/", "There is no such page", "zh-CN/index.html"),
        ("zh-CN/404.html", "/zh-CN/", "没有这个页面", "../index.html"),
    ] {
        let page = std::fs::read_to_string(build.out.join(path)).unwrap();
        assert!(page.contains(&format!("<base href=\"{base}\">")), "{path}");
        assert!(page.contains(words), "{path}");
        assert!(page.contains(&format!("href=\"{other}\"")), "{path}");
    }
}
