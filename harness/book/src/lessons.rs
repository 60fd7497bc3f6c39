//! `<!-- workbook:lessons -->`: the chapters with the time that they take and what is new in them, from the catalogue.

use std::fmt::Write as _;

use crate::page::Page;

/// The table.
pub(crate) fn lessons(page: &Page<'_>) -> String {
    let tongue = page.tongue;
    let [chapter, minutes, new] = [
        tongue.pick("chapter", "章"),
        tongue.pick("minutes", "分钟"),
        tongue.pick("what is new", "新内容"),
    ];
    let mut table = format!("| {chapter} | {minutes} | {new} |\n| --- | ---: | --- |\n");
    for it in &page.workspace.course.chapters {
        let (title, new) = (
            it.title.get(tongue.language),
            it.teaches.get(tongue.language),
        );
        let (slug, minutes) = (&it.slug, it.minutes);
        let _ = writeln!(table, "| [{title}]({slug}.md) | {minutes} | {new} |");
    }
    table
}
