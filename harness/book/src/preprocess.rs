//! The preprocessor: translation, then the parts that are made from the course, the crates and the runs.
//!
//! It comes before mdBook's own `links`, so that what it writes may include files, and included code is not translated.

use std::path::Path;

use mdbook_driver::book::{Book, BookItem, Chapter};
use mdbook_preprocessor::{Preprocessor, PreprocessorContext, errors::Error};
use workbook_course::Workspace;

use crate::{
    directive,
    error::BookError,
    page::Page,
    tongue::{self, Tongue},
    translate::{self, Freshness},
};

/// Our preprocessor.
#[derive(Clone, Copy, Debug, Default)]
pub struct Workbook {
    /// Whether the pages of the other languages are built, too, so that each page can lead to its twin.
    pub languages: bool,
}

impl Preprocessor for Workbook {
    fn name(&self) -> &'static str {
        "workbook"
    }

    fn run(&self, context: &PreprocessorContext, mut book: Book) -> Result<Book, Error> {
        self.change(context, &mut book)?;
        Ok(book)
    }
}

/// The preprocessor as mdBook's command: a book as JSON comes in, and the changed one goes out.
pub fn as_command(input: impl std::io::Read) -> Result<String, BookError> {
    let (context, book) =
        mdbook_preprocessor::parse_input(input).map_err(|error| BookError::mdbook(&error))?;
    let changed = Workbook::default()
        .run(&context, book)
        .map_err(|error| BookError::mdbook(&error))?;
    serde_json::to_string(&changed).map_err(|error| BookError::MdBook(error.to_string()))
}

impl Workbook {
    fn change(self, context: &PreprocessorContext, book: &mut Book) -> Result<(), BookError> {
        let workspace = Workspace::find(&context.root)
            .map_err(|error| BookError::format(&context.root, error.to_string()))?;
        let tongue = Tongue::of(context.config.book.language.as_deref());
        let pages = context.root.join(&context.config.book.src);
        let fresh = if tongue == tongue::ENGLISH {
            Vec::new()
        } else {
            let catalog = translate::read(&context.root, tongue)?;
            let sources = translate::sources(&pages)?;
            translate::translate(&catalog, book)?;
            translate::freshness(&sources, &catalog)
        };
        let mut outcome = Ok(());
        book.for_each_mut(|item| {
            if let (BookItem::Chapter(chapter), true) = (item, outcome.is_ok()) {
                outcome = self.page(&workspace, tongue, &fresh, chapter);
            }
        });
        outcome
    }

    fn page(
        self,
        workspace: &Workspace,
        tongue: Tongue,
        fresh: &[(String, Freshness)],
        chapter: &mut Chapter,
    ) -> Result<(), BookError> {
        let Some(path) = chapter.path.clone() else {
            return Ok(());
        };
        let file = path.display().to_string();
        let page = Page {
            workspace,
            tongue,
            file: &file,
        };
        let body = directive::expand(&page, &chapter.content)?;
        let mut whole = String::new();
        if self.languages {
            whole.push_str(&switch(tongue, &path));
        }
        if let Some((_, fresh)) = fresh.iter().find(|it| it.0 == file) {
            whole.push_str(&banner(fresh, &path));
        }
        whole.push_str(&body);
        chapter.content = whole;
        Ok(())
    }
}

/// Links to the same page in the other languages. A script moves them into the menu, and keeps the reader's place.
fn switch(here: Tongue, path: &Path) -> String {
    let page = path.with_extension("html");
    let up = "../".repeat(path.components().count() - 1 + usize::from(!here.folder.is_empty()));
    let links: Vec<String> = tongue::ALL
        .into_iter()
        .filter(|tongue| *tongue != here)
        .map(|tongue| {
            let folder = match tongue.folder {
                "" => String::new(),
                folder => format!("{folder}/"),
            };
            format!(
                r#"<a class="workbook-language" lang="{tag}" hreflang="{tag}" rel="alternate" href="{up}{folder}{page}">{name}</a>"#,
                tag = tongue.tag,
                page = page.display(),
                name = tongue.name,
            )
        })
        .collect();
    let label = here.pick("Languages", "语言");
    format!(
        "<nav class=\"workbook-languages\" aria-label=\"{label}\">{}</nav>\n\n",
        links.join(" ")
    )
}

/// What a page says whose translation is older than its source.
fn banner(fresh: &Freshness, path: &Path) -> String {
    if fresh.stale.is_empty() {
        return String::new();
    }
    format!(
        "<div class=\"workbook-stale\" role=\"note\">本页的译文落后于英文原文：{texts} 段中有 {stale} 段还没有翻译或已经过时，以英文显示。<a href=\"../{page}\" hreflang=\"en\">阅读英文原文</a></div>\n\n",
        texts = fresh.texts,
        stale = fresh.stale.len(),
        page = path.with_extension("html").display(),
    )
}
