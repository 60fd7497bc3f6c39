//! A page of the book that is being made.

use workbook_course::{Chapter, Edition, Workspace};

use crate::{error::BookError, tongue::Tongue};

/// The page that a directive is on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page<'a> {
    pub(crate) workspace: &'a Workspace,
    pub(crate) tongue: Tongue,
    /// Its file, relative to the folder of the pages.
    pub(crate) file: &'a str,
}

impl<'a> Page<'a> {
    /// A chapter of the course, its number and the folder of its solution.
    pub(crate) fn chapter(
        &self,
        slug: &str,
    ) -> Result<(usize, &'a Chapter, std::path::PathBuf), BookError> {
        let found = self.workspace.course.chapter(slug);
        let (number, chapter) =
            found.ok_or_else(|| self.wrong(format!("course.toml has no chapter `{slug}`")))?;
        let solution = self.workspace.folder(number, chapter, Edition::Solution);
        Ok((number, chapter, solution))
    }

    pub(crate) fn wrong(&self, what: impl Into<String>) -> BookError {
        BookError::page(self.file, what)
    }
}
