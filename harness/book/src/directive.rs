//! Directives: comments on a line of their own, `<!-- workbook:card hello-world -->`, that become a part of the page.

use workbook_course::{Chapter, Side, Workspace};

use crate::{
    card, error::BookError, findings, glossary, original, runs::Run, shot, tongue::Tongue,
    topology, verdicts,
};

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
        let solution = self.workspace.folder(number, chapter, Side::Solution);
        Ok((number, chapter, solution))
    }

    pub(crate) fn wrong(&self, what: impl Into<String>) -> BookError {
        BookError::page(self.file, what)
    }
}

/// The page with its directives replaced.
pub(crate) fn expand(page: &Page<'_>, markdown: &str) -> Result<String, BookError> {
    let mut whole = String::with_capacity(markdown.len());
    for line in markdown.lines() {
        match directive(line) {
            Some(words) => whole.push_str(&replace(page, &words)?),
            None => whole.push_str(line),
        }
        whole.push('\n');
    }
    Ok(whole)
}

/// The words of a directive.
fn directive(line: &str) -> Option<Vec<&str>> {
    let inner = line.trim().strip_prefix("<!-- workbook:")?;
    Some(inner.strip_suffix("-->")?.split_whitespace().collect())
}

fn replace(page: &Page<'_>, words: &[&str]) -> Result<String, BookError> {
    match words {
        ["card", slug] => card::card(page, slug),
        ["verdicts", slug] => verdicts::verdicts(page, slug),
        ["findings"] => findings::findings(page),
        ["glossary"] => glossary::glossary(page),
        ["original", number] => original::original(page, number),
        ["screenshot", name] => shot::screenshot(page, name),
        ["topology", slug] => topology::svg(&Run::read(&page.workspace.root, slug)?, page.tongue),
        ["sequence", slug] => Ok(format!(
            "<figure class=\"workbook-sequence\">\n{}</figure>\n",
            Run::read(&page.workspace.root, slug)?.svg(page.tongue.language)
        )),
        _ => Err(page.wrong(format!(
            "there is no directive `workbook:{}`",
            words.join(" ")
        ))),
    }
}
