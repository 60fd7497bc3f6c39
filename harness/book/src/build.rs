//! Building the book: every language, below one root.

use std::{
    panic::resume_unwind,
    path::{Path, PathBuf},
    str::FromStr,
    thread,
    time::Instant,
};

use mdbook_driver::{
    MDBook,
    builtin_preprocessors::{IndexPreprocessor, LinkPreprocessor},
    config::Config,
};

use crate::{error::BookError, interface, preprocess::Workbook, search, tongue, tongue::Tongue};

/// What to build, and where to.
#[derive(Clone, Debug)]
pub struct Build {
    /// The repository's top folder; the book is in its folder `book`.
    pub root: PathBuf,
    /// The folder for the pages.
    pub out: PathBuf,
    /// The name of the socket over which pages hear that they have changed, where they are served.
    pub live_reload: Option<String>,
}

impl Build {
    /// Builds into the folder that mdBook itself would take, `book/book`.
    pub fn of(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            out: root.join("book").join("book"),
            live_reload: None,
        }
    }

    /// Builds all languages, side by side, and returns how long it took, in seconds.
    pub fn run(&self) -> Result<f64, BookError> {
        let started = Instant::now();
        let others: Vec<_> = tongue::ALL
            .into_iter()
            .filter(|it| !it.folder.is_empty())
            .collect();
        thread::scope(|scope| {
            let others: Vec<_> = others
                .iter()
                .map(|tongue| scope.spawn(|| self.one(*tongue, &self.beside(*tongue))))
                .collect();
            let first = self.one(tongue::ENGLISH, &self.out);
            others
                .into_iter()
                .map(|it| it.join().unwrap_or_else(|panic| resume_unwind(panic)))
                .fold(first, Result::and)
        })?;
        for tongue in others {
            let folder = self.out.join(tongue.folder);
            if folder.exists() {
                fs_err::remove_dir_all(&folder)?;
            }
            fs_err::rename(self.beside(tongue), folder)?;
        }
        Ok(started.elapsed().as_secs_f64())
    }

    /// Where a translation is built: in the end it is below the sources' language, whose folder mdBook empties.
    fn beside(&self, tongue: Tongue) -> PathBuf {
        let mut name = self.out.as_os_str().to_owned();
        name.push(".");
        name.push(tongue.folder);
        name.into()
    }

    /// Builds the pages of one language.
    fn one(&self, tongue: Tongue, out: &Path) -> Result<(), BookError> {
        let book = self.root.join("book");
        let mut config = config(&book, tongue)?;
        config.build.build_dir = std::path::absolute(out)?;
        let mut set = |key: &str, value: &str| {
            config
                .set(key, value)
                .map_err(|error| BookError::mdbook(&error))
        };
        if let Some(endpoint) = &self.live_reload {
            set("output.html.live-reload-endpoint", endpoint)?;
        }
        set(
            "book.title",
            tongue.pick("The RabbitMQ Workbook", "RabbitMQ 练习册"),
        )?;
        // A page that is not there may have been looked for in any folder: what its own page needs is found from the top.
        let (site, missing) = match tongue.folder {
            "" => ("/".to_owned(), "404.md".to_owned()),
            folder => (format!("/{folder}/"), format!("404.{folder}.md")),
        };
        set("output.html.site-url", &site)?;
        set("output.html.input-404", &missing)?;
        let mut md =
            MDBook::load_with_config(&book, config).map_err(|error| BookError::mdbook(&error))?;
        md.with_preprocessor(Workbook { languages: true })
            .with_preprocessor(LinkPreprocessor::new())
            .with_preprocessor(IndexPreprocessor::new());
        md.build().map_err(|error| BookError::mdbook(&error))?;
        if !tongue.folder.is_empty() {
            // A server looks for the page under this name.
            let named = out.join(missing).with_extension("html");
            fs_err::rename(named, out.join("404.html"))?;
        }
        search::reindex(out, tongue)?;
        interface::translate(out, tongue)
    }
}

/// The configuration of the book for one language, with none of its preprocessors: they are called as libraries.
pub(crate) fn config(book: &Path, tongue: Tongue) -> Result<Config, BookError> {
    let path = book.join("book.toml");
    let text = fs_err::read_to_string(&path)?;
    let wrong = |error: &dyn std::fmt::Display| BookError::format(&path, error.to_string());
    let mut table = text.parse::<toml::Table>().map_err(|error| wrong(&error))?;
    table.remove("preprocessor");
    let mut config = Config::from_str(&table.to_string()).map_err(|error| wrong(&error))?;
    config.build.use_default_preprocessors = false;
    config.book.language = Some(tongue.tag.to_owned());
    Ok(config)
}
