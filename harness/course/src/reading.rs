//! Where a page of the book is on this machine, as a terminal can open it.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::Language;

/// A path of the checkout `root` as it is shown: short where the shell is in the checkout's top folder.
pub fn shown(root: &Path, path: &Path) -> String {
    // What cargo starts is in its package's folder; the shell's own is in `PWD`.
    let here = env::var_os("PWD")
        .map(PathBuf::from)
        .or_else(|| env::current_dir().ok());
    let at_top = here
        .and_then(|here| here.canonicalize().ok())
        .is_some_and(|here| root.canonicalize().is_ok_and(|root| root == here));
    match path.strip_prefix(root) {
        Ok(within) if at_top => within.display().to_string(),
        _ => path.display().to_string(),
    }
}

/// Where the section of a page is that is called `hello-world.html#sending`: its line in the page's source. In Chinese
/// the page exists when the book is built; until then it is said how.
pub fn place(root: &Path, language: Language, section: &str) -> String {
    let (page, anchor) = section.split_once('#').unwrap_or((section, ""));
    let built = root.join("book").join("book").join("zh-CN").join(page);
    if language == Language::Chinese && built.is_file() {
        let anchor = if anchor.is_empty() {
            String::new()
        } else {
            format!("#{anchor}")
        };
        return shown(root, &built) + &anchor;
    }
    let source = root
        .join("book")
        .join("src")
        .join(page.replace(".html", ".md"));
    let line = std::fs::read_to_string(&source).ok().and_then(|text| {
        let mark = format!("{{#{anchor}}}");
        text.lines().position(|line| line.contains(&mark))
    });
    let line = line.map_or_else(String::new, |line| format!(":{}", line + 1));
    let place = shown(root, &source) + &line;
    match language {
        Language::English => place,
        Language::Chinese => format!("{place}（英文；中文版：cargo workbook book build）"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_a_line_of_its_page() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let place = place(&root, Language::English, "hello-world.html#sending");
        let (path, line) = place.rsplit_once(':').expect("path and line");
        let line: usize = line.parse().expect("a number");
        let text = std::fs::read_to_string(root.join(path)).expect("it can be opened");
        let found = text.lines().nth(line - 1).expect("so many lines");
        assert_eq!(found, "### Sending {#sending}");
    }

    #[test]
    fn in_chinese_the_built_page_comes_first() {
        let root = tempfile::tempdir().expect("a folder");
        let source = root.path().join("book/src");
        std::fs::create_dir_all(&source).expect("a folder");
        std::fs::write(source.join("rpc.md"), "# RPC {#rpc}\n").expect("a page");
        let found = || place(root.path(), Language::Chinese, "rpc.html#rpc");
        assert!(found().contains("book/src/rpc.md:1"), "{}", found());
        assert!(found().contains("cargo workbook book build"));
        let built = root.path().join("book/book/zh-CN");
        std::fs::create_dir_all(&built).expect("a folder");
        std::fs::write(built.join("rpc.html"), "").expect("a page");
        assert!(
            found().ends_with("book/book/zh-CN/rpc.html#rpc"),
            "{}",
            found()
        );
    }
}
