//! `<!-- workbook:verdicts hello-world -->`: what the checks say of each mistake, from the snapshots of the grader's tests.

use std::{fmt::Write as _, path::Path};

use crate::{error::BookError, markup, page::Page};

/// A mistake that is kept beside a solution.
#[derive(Clone, Debug)]
pub(crate) struct Mistake {
    /// Its name: `send-no-declare`.
    pub(crate) name: String,
    /// What it does wrong, as its file says in its first line.
    pub(crate) about: String,
    /// The finding that names it, where one does.
    pub(crate) finding: Option<String>,
    /// What the checks say of it.
    pub(crate) verdict: String,
}

/// All mistakes of a solution, by name.
pub(crate) fn mistakes(solution: &Path) -> Result<Vec<Mistake>, BookError> {
    let folder = solution.join("mistakes");
    workbook_course::lint::programs_in(&folder)
        .into_iter()
        .map(|name| {
            let source = fs_err::read_to_string(folder.join("src").join(format!("{name}.rs")))?;
            let path = folder.join("snapshots").join(format!("{name}.snap"));
            let snapshot = fs_err::read_to_string(&path)?;
            let verdict = snapshot
                .splitn(3, "---\n")
                .nth(2)
                .ok_or_else(|| BookError::format(&path, "it is no snapshot"))?;
            let about = source
                .lines()
                .find_map(|line| line.strip_prefix("//! Mistake: "));
            let finding = source
                .lines()
                .find_map(|line| line.strip_prefix("//! Finding: "));
            Ok(Mistake {
                about: about.unwrap_or_default().to_owned(),
                finding: finding.map(|it| it.trim().to_owned()),
                verdict: verdict.trim_end().to_owned(),
                name,
            })
        })
        .collect()
}

/// A folded list of all mistakes of a chapter.
pub(crate) fn verdicts(page: &Page<'_>, slug: &str) -> Result<String, BookError> {
    let (_, _, solution) = page.chapter(slug)?;
    let mistakes = mistakes(&solution)?;
    let count = mistakes.len();
    let label = match page.tongue.folder {
        "" => format!("What the checks say of {count} wrong programs"),
        _ => format!("{count} 个错误程序，检查分别怎么说"),
    };
    let mut folded =
        format!("<details class=\"workbook-verdicts\">\n<summary>{label}</summary>\n\n");
    for mistake in mistakes {
        let name = &mistake.name;
        let _ = write!(
            folded,
            "<details>\n<summary><code>{name}</code></summary>\n\n{}\n\n{}\n\n</details>\n\n",
            finding(page, &mistake),
            markup::fence("text", &mistake.verdict)
        );
    }
    folded.push_str("</details>\n");
    Ok(folded)
}

/// What a mistake does, and a link to the finding that names it.
fn finding(page: &Page<'_>, mistake: &Mistake) -> String {
    // What the mistake's own file says is in English only.
    let about = format!("It {}", mistake.about);
    let about = page.tongue.pick(&about, "");
    let finding = match &mistake.finding {
        Some(id) => format!(
            "{}[`{id}`](when-it-goes-wrong.md#{id})",
            page.tongue.pick("Finding: ", "发现：")
        ),
        None => page
            .tongue
            .pick(
                "The frames show nothing wrong; the checks do.",
                "帧里看不出问题，检查能看出来。",
            )
            .to_owned(),
    };
    format!("{about} {finding}").trim().to_owned()
}
