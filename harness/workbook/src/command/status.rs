//! `cargo workbook` without a command: where you are, and what comes next.

use workbook_course::Language;
use workbook_report::kept;

use super::{Context, list};
use crate::{error::Exit, output};

pub(super) fn status(context: &Context) -> Exit {
    list::list(context, false);
    let root = &context.workspace.root;
    let next = context
        .workspace
        .course
        .chapters
        .iter()
        .find(|chapter| !kept::is_solved(root, chapter));
    output::line("");
    output::line(&match (next, context.language) {
        (Some(chapter), Language::English) => {
            format!("next: cargo workbook check {}", chapter.slug)
        }
        (Some(chapter), Language::Chinese) => {
            format!("下一步：cargo workbook check {}", chapter.slug)
        }
        (None, Language::English) => "all exercises are solved".to_owned(),
        (None, Language::Chinese) => "所有练习都已完成".to_owned(),
    });
    Exit::Ok
}
