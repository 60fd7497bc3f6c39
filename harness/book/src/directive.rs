//! Directives: comments on a line of their own, `<!-- workbook:card hello-world -->`, that become a part of the page.

use crate::{
    card, error::BookError, findings, glossary, lessons, original, page::Page, runs::Run, shot,
    topology, verdicts,
};

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
        ["lessons"] => Ok(lessons::lessons(page)),
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
