//! `<!-- workbook:findings -->`: the index of all findings, each with its evidence and its cure.

use std::fmt::Write as _;

use workbook_course::Edition;
use workbook_diagnosis::finding::{FindingId, Severity};

use crate::{
    error::BookError,
    markup,
    page::Page,
    recorded,
    verdicts::{self, Mistake},
};

/// All findings, in the order in which they are told.
pub(crate) fn findings(page: &Page<'_>) -> Result<String, BookError> {
    let root = &page.workspace.root;
    let mistakes = mistakes_by_finding(page)?;
    let mut shown = recorded::from_tapes(root)?;
    for id in FindingId::ALL {
        let by = mistakes.iter().find(|it| it.0 == id.as_str());
        if let (false, Some((_, mistakes))) = (shown.contains_key(id), by) {
            let mistake = &mistakes[0];
            let program = mistake.name.split('-').next().unwrap_or_default();
            let verdict = format!("{}: {}", mistake.name, mistake.verdict);
            let told = recorded::from_mistake(root, *id, program, &verdict)?;
            shown.insert(*id, told);
        }
    }
    let mut whole = table(page, &shown);
    for id in FindingId::ALL {
        let told = shown.get(id).ok_or_else(|| {
            page.wrong(format!(
                "neither a recording nor a mistake shows the finding `{id}`"
            ))
        })?;
        let told = told.get(page.tongue.language);
        let link = link(page, *id)?;
        let _ = write!(
            whole,
            "## {title} {{#{id}}}\n\n`{id}` · {severity} · [{taught}]({link})\n\n{explanation}\n\n",
            title = heading(&told.title),
            severity = severity(page, *id),
            taught = page
                .tongue
                .pick("the chapter that teaches it", "讲解它的章节"),
            explanation = told.explanation,
        );
        let _ = write!(
            whole,
            "<details>\n<summary>{}</summary>\n\n{}\n\n</details>\n\n",
            page.tongue
                .pick("Evidence: a real run", "证据：一次真实的运行"),
            markup::fence("text", &told.picture)
        );
        if let Some(names) = mistakes
            .iter()
            .find(|it| it.0 == id.as_str())
            .map(|it| &it.1)
        {
            let names: Vec<String> = names
                .iter()
                .map(|name| format!("`{}`", name.name))
                .collect();
            let _ = write!(
                whole,
                "{}{}\n\n",
                page.tongue
                    .pick("Kept mistakes that show it: ", "能看到它的错误程序："),
                names.join(page.tongue.pick(", ", "、"))
            );
        }
    }
    Ok(whole)
}

/// A list to look the findings up in.
fn table(
    page: &Page<'_>,
    shown: &std::collections::BTreeMap<FindingId, recorded::Shown>,
) -> String {
    let mut table = format!(
        "| {} | {} | {} |\n| --- | --- | --- |\n",
        page.tongue.pick("Your program …", "你的程序……"),
        page.tongue.pick("Finding", "发现"),
        page.tongue.pick("Kind", "类别"),
    );
    for id in FindingId::ALL {
        let Some(told) = shown.get(id) else { continue };
        let _ = writeln!(
            table,
            "| {} | [`{id}`](#{id}) | {} |",
            markup::cell(&told.get(page.tongue.language).title),
            severity(page, *id)
        );
    }
    table.push('\n');
    table
}

/// A title as a heading: a capital letter where there is one.
fn heading(title: &str) -> String {
    let mut chars = title.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

fn severity(page: &Page<'_>, id: FindingId) -> &'static str {
    match id.severity() {
        Severity::Error => page.tongue.pick("error", "错误"),
        Severity::Advice => page.tongue.pick("advice", "建议"),
    }
}

fn link(page: &Page<'_>, id: FindingId) -> Result<String, BookError> {
    markup::source_link(id.chapter()).ok_or_else(|| {
        page.wrong(format!(
            "the finding `{id}` leads to `{}`, which is no page",
            id.chapter()
        ))
    })
}

/// The mistakes that each finding names.
fn mistakes_by_finding(page: &Page<'_>) -> Result<Vec<(String, Vec<Mistake>)>, BookError> {
    let mut all: Vec<(String, Vec<Mistake>)> = Vec::new();
    for (index, chapter) in page.workspace.course.chapters.iter().enumerate() {
        let folder = page.workspace.folder(index + 1, chapter, Edition::Solution);
        for mistake in verdicts::mistakes(&folder)? {
            let Some(finding) = mistake.finding.clone() else {
                continue;
            };
            match all.iter_mut().find(|it| it.0 == finding) {
                Some((_, mistakes)) => mistakes.push(mistake),
                None => all.push((finding, vec![mistake])),
            }
        }
    }
    Ok(all)
}
