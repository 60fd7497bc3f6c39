//! `cargo workbook book build`: mdBook as a library, so that nothing needs to be installed.

use std::path::Path;

use mdbook_driver::MDBook;

use super::Context;
use crate::{
    error::{Error, Exit},
    output,
};

pub(super) fn build(context: &Context, out: Option<&Path>) -> Result<Exit, Error> {
    let folder = build_into(&context.workspace.root, out)?;
    output::line(&format!(
        "the book is in {}",
        folder.join("index.html").display()
    ));
    Ok(Exit::Ok)
}

/// Builds the book and answers the folder that it is in.
pub(super) fn build_into(root: &Path, out: Option<&Path>) -> Result<std::path::PathBuf, Error> {
    let wrong = |error: &dyn std::fmt::Display| {
        Error::new(Exit::Failed, format!("the book cannot be built: {error:#}"))
    };
    let mut book = MDBook::load(root.join("book")).map_err(|error| wrong(&error))?;
    if let Some(out) = out {
        book.config.build.build_dir = std::path::absolute(out)?;
    }
    book.build().map_err(|error| wrong(&error))?;
    Ok(book.build_dir_for("html"))
}
