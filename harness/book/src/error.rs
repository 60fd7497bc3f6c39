//! Why something about the book cannot be done.

use std::path::PathBuf;

/// Why something about the book cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    /// A file cannot be read or written; the error names it.
    #[error(transparent)]
    File(#[from] std::io::Error),
    /// mdBook cannot do it.
    #[error("mdBook: {0}")]
    MdBook(String),
    /// A page, or what it is made of, is wrong.
    #[error("{page}: {what}")]
    Page {
        /// The page.
        page: String,
        /// What is wrong with it, and what to do.
        what: String,
    },
    /// A file is not what it should be.
    #[error("{}: {what}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The broker, the tap or a program failed while a run was recorded.
    #[error("{what}: {source}")]
    Run {
        /// What was done.
        what: String,
        /// Why it failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The browser cannot do it.
    #[error("browser: {0}")]
    Browser(String),
}

impl BookError {
    /// mdBook's own error, with its causes.
    pub(crate) fn mdbook(error: &mdbook_preprocessor::errors::Error) -> Self {
        Self::MdBook(format!("{error:#}"))
    }

    pub(crate) fn page(page: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Page {
            page: page.into(),
            what: what.into(),
        }
    }

    pub(crate) fn format(path: impl Into<PathBuf>, what: impl Into<String>) -> Self {
        Self::Format {
            path: path.into(),
            what: what.into(),
        }
    }

    pub(crate) fn run(
        what: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Run {
            what: what.into(),
            source: source.into(),
        }
    }
}
