//! The book in a real browser: every page, in both languages, at two widths and in two themes; search, the language
//! switch, hints, copying. What a failure looks like is kept in `target/workbook/book-failures/`.
//!
//! It needs Chromium: `apt-get install chromium chromium-driver`. Without it the tests fail; none is skipped.

#![expect(clippy::unwrap_used, reason = "a test that panics fails")]

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use workbook_book::{BookError, Build, browser::Browser, serve::serve_folder, tongue};

type Outcome = Result<(), BookError>;

const DESKTOP: (u32, u32) = (1280, 900);
const PHONE: (u32, u32) = (360, 740);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// The book, built and served, and a browser.
struct Stage {
    _folder: tempfile::TempDir,
    out: PathBuf,
    base: String,
    browser: Browser,
}

impl Stage {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("book");
        let build = Build {
            out: out.clone(),
            ..Build::of(&root())
        };
        build.run().unwrap();
        let address = serve_folder(out.clone()).await.unwrap();
        let browser = Browser::open().await.unwrap();
        browser.size(DESKTOP.0, DESKTOP.1).await.unwrap();
        Self {
            _folder: folder,
            out,
            base: format!("http://{address}"),
            browser,
        }
    }

    /// Ends the browser; where something went wrong, what was to be seen is kept first.
    async fn close(self, name: &str, outcome: Outcome) {
        let picture = root()
            .join("target/workbook/book-failures")
            .join(format!("{name}.png"));
        if outcome.is_err() {
            let _ = self.browser.screenshot(&picture).await;
        }
        self.browser.close().await.unwrap();
        if let Err(error) = outcome {
            panic!("{error}; see {}", picture.display());
        }
    }

    /// The pages of the book, as addresses: each page of each language.
    fn pages(&self) -> Vec<String> {
        let mut pages = Vec::new();
        for tongue in tongue::ALL {
            let folder = self.out.join(tongue.folder);
            let mut names: Vec<String> = fs_err::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .filter(|name| {
                    Path::new(name)
                        .extension()
                        .is_some_and(|ending| ending == "html")
                })
                // The whole book in one page asks for a printer, and the two others are mdBook's own.
                .filter(|name| !["print.html", "404.html", "toc.html"].contains(&name.as_str()))
                .collect();
            names.sort();
            let folder = if tongue.folder.is_empty() {
                String::new()
            } else {
                format!("{}/", tongue.folder)
            };
            pages.extend(
                names
                    .iter()
                    .map(|name| format!("{}/{folder}{name}", self.base)),
            );
        }
        pages
    }
}

fn wrong(what: impl Into<String>) -> BookError {
    BookError::Browser(what.into())
}

/// What a page looks like.
#[derive(Deserialize)]
struct Look {
    width: f64,
    /// The first thing that is wider than the page.
    wide: String,
    missing: Vec<String>,
    background: String,
}

const LOOK: &str = r"
    const limit = document.documentElement.clientWidth;
    const scrolls = element => {
        for (let it = element; it; it = it.parentElement) {
            if (['auto', 'scroll', 'hidden'].includes(getComputedStyle(it).overflowX)) { return true; }
        }
        return false;
    };
    const wide = [...document.querySelectorAll('main *')]
        .find(it => it.getBoundingClientRect().right > limit + 1 && !scrolls(it));
    const missing = [...document.images].filter(it => it.complete && it.naturalWidth === 0).map(it => it.src);
    for (const svg of document.querySelectorAll('main figure svg')) {
        const box = svg.getBoundingClientRect();
        if (box.width < 50 || box.height < 20) { missing.push(svg.querySelector('title')?.textContent ?? 'a drawing'); }
    }
    return {
        width: document.documentElement.scrollWidth,
        wide: wide ? wide.outerHTML.slice(0, 200) : '',
        missing,
        background: getComputedStyle(document.documentElement).backgroundColor,
    };
";

/// Looks at a page at both widths and in both themes.
async fn look_at(stage: &Stage, page: &str) -> Result<Vec<String>, BookError> {
    let browser = &stage.browser;
    browser.goto(page).await?;
    let mut found = Vec::new();
    for (width, height) in [DESKTOP, PHONE] {
        browser.size(width, height).await?;
        let mut backgrounds = Vec::new();
        for theme in ["light", "coal"] {
            browser
                .script::<()>(&format!(
                    "document.getElementById('mdbook-theme-{theme}').click();"
                ))
                .await?;
            // Pictures further down are loaded when they are looked at.
            browser
                .script::<()>("for (const it of document.images) { it.loading = 'eager'; }")
                .await?;
            browser
                .until("[...document.images].every(it => it.complete)")
                .await?;
            let look: Look = browser.script(LOOK).await?;
            if look.width > f64::from(width) || !look.wide.is_empty() {
                found.push(format!(
                    "{page} at {width}, {theme}: {} wide: {}",
                    look.width, look.wide
                ));
            }
            found.extend(
                look.missing
                    .iter()
                    .map(|it| format!("{page}: missing picture: {it}")),
            );
            backgrounds.push(look.background);
        }
        if backgrounds[0] == backgrounds[1] {
            found.push(format!(
                "{page}: both themes have the background {}",
                backgrounds[0]
            ));
        }
    }
    found.extend(
        browser
            .errors()
            .await?
            .iter()
            .map(|it| format!("{page}: console: {it}")),
    );
    if !found.is_empty() {
        let name = page.trim_start_matches(&stage.base).replace('/', "-");
        let picture = root()
            .join("target/workbook/book-failures")
            .join(format!("page{name}.png"));
        browser.screenshot(&picture).await?;
    }
    Ok(found)
}

async fn every_page(stage: &Stage) -> Outcome {
    let pages = stage.pages();
    if pages.len() < 20 {
        return Err(wrong(format!("there are only {} pages", pages.len())));
    }
    let mut told = String::new();
    for page in pages {
        for line in look_at(stage, &page).await? {
            let _ = writeln!(told, "{line}");
        }
    }
    if told.is_empty() {
        Ok(())
    } else {
        Err(wrong(told))
    }
}

#[tokio::test]
async fn every_page_is_whole_at_any_width_and_in_any_theme() {
    let stage = Stage::open().await;
    let outcome = every_page(&stage).await;
    stage.close("every-page", outcome).await;
}

async fn search(stage: &Stage, page: &str, words: &str, expected: &str) -> Outcome {
    let browser = &stage.browser;
    browser.goto(&format!("{}/{page}", stage.base)).await?;
    browser.click("#mdbook-search-toggle").await?;
    browser
        .until("document.activeElement?.id === 'mdbook-searchbar'")
        .await?;
    browser.type_text(words).await?;
    browser
        .until("document.querySelectorAll('#mdbook-searchresults li').length > 0")
        .await
        .map_err(|error| wrong(format!("searching for {words}: {error}")))?;
    let links: Vec<String> = browser
        .script(
            "return [...document.querySelectorAll('#mdbook-searchresults a')].map(it => it.href);",
        )
        .await?;
    if !links.iter().take(5).any(|link| link.contains(expected)) {
        return Err(wrong(format!(
            "searching for {words}: {expected} is not among the first of {links:?}"
        )));
    }
    // A result leads to a page that holds the words.
    browser.click("#mdbook-searchresults a").await?;
    browser
        .until("document.readyState === 'complete' && location.search.includes('highlight')")
        .await
}

async fn searches(stage: &Stage) -> Outcome {
    search(stage, "introduction.html", "prefetch", "work-queues.html").await?;
    search(stage, "introduction.html", "correlation_id", "rpc.html").await?;
    search(
        stage,
        "zh-CN/introduction.html",
        "预取",
        "zh-CN/work-queues.html",
    )
    .await?;
    search(
        stage,
        "zh-CN/introduction.html",
        "直接回复",
        "zh-CN/rpc.html",
    )
    .await?;
    search(stage, "zh-CN/introduction.html", "prefetch", "zh-CN/").await?;
    // What is nowhere is not found.
    stage
        .browser
        .goto(&format!("{}/zh-CN/introduction.html", stage.base))
        .await?;
    stage.browser.click("#mdbook-search-toggle").await?;
    stage.browser.type_text("犀牛麒麟").await?;
    stage
        .browser
        .until("document.getElementById('mdbook-searchresults-header').innerText.includes('犀牛')")
        .await?;
    let count: usize = stage
        .browser
        .script("return document.querySelectorAll('#mdbook-searchresults li').length;")
        .await?;
    if count == 0 {
        Ok(())
    } else {
        Err(wrong(format!("{count} pages about a rhinoceros")))
    }
}

#[tokio::test]
async fn search_finds_english_and_chinese_words() {
    let stage = Stage::open().await;
    let outcome = searches(&stage).await;
    stage.close("search", outcome).await;
}

/// The heading that the reader is at, and how far it is from the top.
const PLACE: &str = "
    const all = [...document.querySelectorAll('main h2[id], main h3[id]')];
    const at = all.findLast(it => it.getBoundingClientRect().top <= 90) ?? all[0];
    return at.id;
";

async fn switches(stage: &Stage) -> Outcome {
    let browser = &stage.browser;
    browser
        .goto(&format!("{}/work-queues.html", stage.base))
        .await?;
    browser.script::<()>("document.getElementById('durable').scrollIntoView({ behavior: 'instant' }); window.scrollBy({ top: 150, behavior: 'instant' });").await?;
    let before: String = browser.script(PLACE).await?;
    if before != "durable" {
        return Err(wrong(format!("the reader is at {before}")));
    }
    for (folder, language) in [("/zh-CN/", "zh-CN"), ("/", "en")] {
        browser.click(".menu-bar .workbook-language").await?;
        browser
            .until(&format!("document.readyState === 'complete' && document.documentElement.lang === '{language}' && window.scrollY > 0"))
            .await?;
        let url = browser.url().await?;
        if !url.starts_with(&format!("{}{folder}work-queues.html", stage.base)) {
            return Err(wrong(format!("the switch leads to {url}")));
        }
        browser
            .until(&format!("(() => {{ {PLACE} }})() === 'durable'"))
            .await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_language_switch_keeps_the_page_and_the_place() {
    let stage = Stage::open().await;
    let outcome = switches(&stage).await;
    stage.close("switch", outcome).await;
}

async fn card(stage: &Stage) -> Outcome {
    let browser = &stage.browser;
    browser.grant_clipboard().await?;
    for page in ["hello-world.html", "zh-CN/hello-world.html"] {
        browser.goto(&format!("{}/{page}", stage.base)).await?;
        let open = "[...document.querySelectorAll('.workbook-hint')].filter(it => it.checkVisibility() && it.open).length";
        browser.click(".workbook-hints > summary").await?;
        browser.until(&format!("{open} === 0")).await?;
        browser.click(".workbook-hint > summary").await?;
        browser.until(&format!("{open} === 1")).await?;
        browser
            .until("!document.querySelector('.workbook-solution').open")
            .await?;
        browser
            .script::<()>("document.querySelector('.workbook-card pre .clip-button').click();")
            .await?;
        let copied: String = browser
            .script_later("setTimeout(() => navigator.clipboard.readText().then(done, error => done('no clipboard: ' + error)), 50);")
            .await?;
        if copied.trim() != "cargo test -p hello-world" {
            return Err(wrong(format!("what is copied is {copied:?}")));
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_hint_unfolds_and_a_command_is_copied() {
    let stage = Stage::open().await;
    let outcome = card(&stage).await;
    stage.close("card", outcome).await;
}

async fn offline(stage: &Stage) -> Outcome {
    let browser = &stage.browser;
    let page = format!("file://{}/zh-CN/topics.html", stage.out.display());
    browser.goto(&page).await?;
    browser
        .script::<()>("document.querySelector('.menu-bar .workbook-language').click();")
        .await?;
    browser
        .until("document.readyState === 'complete' && document.documentElement.lang === 'en'")
        .await?;
    browser.click("#mdbook-search-toggle").await?;
    browser.type_text("wildcards").await?;
    browser
        .until("document.querySelectorAll('#mdbook-searchresults li').length > 0")
        .await?;
    let errors = browser.errors().await?;
    if errors.is_empty() {
        Ok(())
    } else {
        Err(wrong(format!("{errors:?}")))
    }
}

#[tokio::test]
async fn a_copy_without_a_server_can_be_read_and_searched() {
    let stage = Stage::open().await;
    let outcome = offline(&stage).await;
    stage.close("offline", outcome).await;
}
