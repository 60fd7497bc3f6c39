//! Whether every link of the built pages leads somewhere, in all languages; and whether the pages stand by themselves.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Component, Path, PathBuf},
};

use scraper::{Html, Selector};

use crate::error::BookError;

/// The largest page that may be, without its pictures, in bytes.
const LARGEST: usize = 300_000;
/// Pages that mdBook makes of others; their size is not that of a page, and the missing page has an address of its own.
const WHOLE_BOOK: &str = "print.html";
const MISSING: &str = "404.html";

/// A page, as far as links are concerned.
#[derive(Debug, Default)]
struct Page {
    anchors: BTreeSet<String>,
    /// What it links to.
    links: Vec<String>,
    /// What the browser loads with it.
    parts: Vec<String>,
    /// Its size without pictures.
    size: usize,
}

/// What is wrong with the links of the pages in a folder, a line each; and how many links there are.
pub fn check(out: &Path) -> Result<(Vec<String>, usize), BookError> {
    let mut pages = BTreeMap::new();
    collect(out, out, &mut pages)?;
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (path, page) in &pages {
        let name = path.display();
        if path.ends_with(MISSING) {
            continue;
        }
        for link in &page.links {
            count += 1;
            if let Err(why) = follow(out, &pages, path, link) {
                wrong.push(format!("broken link: {name}: {link}: {why}"));
            }
        }
        for part in &page.parts {
            count += 1;
            if is_elsewhere(part) {
                wrong.push(format!("{name} asks another host: {part}"));
            } else if let Err(why) = follow(out, &pages, path, part) {
                wrong.push(format!("missing part: {name}: {part}: {why}"));
            }
        }
        if page.size > LARGEST && !path.ends_with(WHOLE_BOOK) {
            wrong.push(format!(
                "{name} has {} bytes without pictures; the most is {LARGEST}",
                page.size
            ));
        }
    }
    wrong.dedup();
    Ok((wrong, count))
}

fn collect(
    out: &Path,
    folder: &Path,
    pages: &mut BTreeMap<PathBuf, Page>,
) -> Result<(), BookError> {
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(out, &path, pages)?;
        } else if path.extension().is_some_and(|ending| ending == "html") {
            let text = fs_err::read_to_string(&path)?;
            let name = path.strip_prefix(out).unwrap_or(&path).to_owned();
            pages.insert(name, read(&text));
        }
    }
    Ok(())
}

fn read(text: &str) -> Page {
    let html = Html::parse_document(text);
    let mut page = Page {
        size: text.len(),
        ..Page::default()
    };
    let all = |selector: &str| Selector::parse(selector).ok();
    if let Some(selector) = all("[id]") {
        let ids = html
            .select(&selector)
            .filter_map(|element| element.attr("id"));
        page.anchors.extend(ids.map(str::to_owned));
    }
    if let Some(selector) = all("a[href]") {
        let links = html
            .select(&selector)
            .filter_map(|element| element.attr("href"));
        page.links.extend(links.map(str::to_owned));
    }
    for (selector, attribute) in [
        ("img[src], script[src], iframe[src]", "src"),
        ("link[href]", "href"),
    ] {
        if let Some(selector) = all(selector) {
            let parts = html
                .select(&selector)
                .filter_map(|element| element.attr(attribute));
            page.parts.extend(parts.map(str::to_owned));
        }
    }
    if let Some(selector) = all("svg") {
        let pictures = html.select(&selector).map(|svg| svg.html().len());
        page.size = page.size.saturating_sub(pictures.sum());
    }
    page
}

fn is_elsewhere(link: &str) -> bool {
    link.starts_with("//")
        || link
            .split_once(':')
            .is_some_and(|(scheme, _)| scheme != "data" && scheme.chars().all(char::is_alphabetic))
}

fn follow(
    out: &Path,
    pages: &BTreeMap<PathBuf, Page>,
    from: &Path,
    link: &str,
) -> Result<(), String> {
    if is_elsewhere(link) || link.starts_with("data:") {
        return Ok(());
    }
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let path = path.split_once('?').map_or(path, |it| it.0);
    let target = if path.is_empty() {
        from.to_owned()
    } else {
        let folder = from.parent().unwrap_or(Path::new(""));
        normal(&folder.join(path)).ok_or("it leads out of the book")?
    };
    let target = match target.extension() {
        None => target.join("index.html"),
        Some(_) => target,
    };
    let Some(page) = pages.get(&target) else {
        return if out.join(&target).is_file() {
            Ok(())
        } else {
            Err("there is no such file".to_owned())
        };
    };
    let anchor = percent(anchor);
    if anchor.is_empty() || page.anchors.contains(&anchor) {
        Ok(())
    } else {
        Err("there is no such anchor".to_owned())
    }
}

/// A path without `.` and `..`; nothing where it leads out.
fn normal(path: &Path) -> Option<PathBuf> {
    let mut whole = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => whole.push(name),
            Component::ParentDir => {
                if !whole.pop() {
                    return None;
                }
            }
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(whole)
}

/// An anchor as the page has it, where the link has it percent-encoded.
fn percent(anchor: &str) -> String {
    percent_encoding::percent_decode_str(anchor)
        .decode_utf8_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(pages: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in pages {
            let path = folder.path().join(name);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn what_leads_nowhere_is_told() {
        let folder = book(&[
            (
                "a.html",
                "<a href='zh-CN/b.html#there'>1</a><a href='gone.html'>2</a><img src='no.png'>",
            ),
            (
                "zh-CN/b.html",
                "<h1 id=there>B</h1><a href='../a.html#nowhere'>1</a><a href='../../x.html'>2</a>",
            ),
            ("c.html", "<script src='https://example.org/a.js'></script>"),
        ]);
        let (wrong, count) = check(folder.path()).unwrap();
        assert_eq!(
            wrong,
            [
                "broken link: a.html: gone.html: there is no such file",
                "missing part: a.html: no.png: there is no such file",
                "c.html asks another host: https://example.org/a.js",
                "broken link: zh-CN/b.html: ../a.html#nowhere: there is no such anchor",
                "broken link: zh-CN/b.html: ../../x.html: it leads out of the book",
            ]
        );
        assert_eq!(count, 6);
    }

    #[test]
    fn a_page_is_not_too_large() {
        let long = format!("<p>{}</p>", "a".repeat(LARGEST));
        let (wrong, _) = check(book(&[("a.html", &long)]).path()).unwrap();
        assert_eq!(wrong.len(), 1);
        let drawn = format!("<svg><desc>{}</desc></svg>", "a".repeat(LARGEST));
        let (wrong, _) = check(book(&[("a.html", &drawn)]).path()).unwrap();
        assert_eq!(wrong, [""; 0]);
    }
}
