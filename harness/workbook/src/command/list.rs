//! `cargo workbook list`

use serde_json::json;
use workbook_course::Language;
use workbook_report::{Verdict, kept};

use super::Context;
use crate::{error::Exit, output};

/// Shows the exercises, their points and what was reached last time.
pub(super) fn list(context: &Context, json: bool) -> Exit {
    let mut rows = Vec::new();
    for (index, chapter) in context.workspace.course.chapters.iter().enumerate() {
        let last = kept::last(&context.workspace.root, chapter);
        let passed = last.iter().filter(|report| report.verdict == Verdict::Pass);
        let worth = passed.filter_map(|report| chapter.check(&report.name));
        let points = (!last.is_empty()).then(|| worth.map(|check| check.points).sum::<u32>());
        let solved = kept::is_solved(&context.workspace.root, chapter);
        let state = match (points, solved) {
            (None, _) => ("not checked yet", "尚未检查"),
            (_, true) => ("solved", "已完成"),
            _ => ("in work", "进行中"),
        };
        if json {
            rows.push(json!({
                "number": index + 1,
                "slug": chapter.slug,
                "title": chapter.title,
                "programs": chapter.programs,
                "minutes": chapter.minutes,
                "checks": chapter.checks.len(),
                "max_points": chapter.points(),
                "points": points,
                "state": state.0,
            }));
        } else {
            output::line(&format!(
                "{:>2}  {:<24} {:>3}/{:<3} {} {}",
                index + 1,
                chapter.slug,
                points.map_or("-".to_owned(), |points| points.to_string()),
                chapter.points(),
                match context.language {
                    Language::English => format!("{:<16}", state.0),
                    // Each of these takes two columns.
                    Language::Chinese => format!("{:<1$}", state.1, 16 - state.1.chars().count()),
                },
                chapter.title.get(context.language),
            ));
        }
    }
    if json {
        output::line(&serde_json::Value::from(rows).to_string());
    }
    Exit::Ok
}
