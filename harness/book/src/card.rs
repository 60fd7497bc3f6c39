//! `<!-- workbook:card hello-world -->`: the card of an exercise, from the catalogue and the solution.

use std::fmt::Write as _;

use workbook_course::{Chapter, Edition};

use crate::{error::BookError, markup, page::Page};

/// The card: files, commands, what is checked, hints, and the solution behind a warning.
pub(crate) fn card(page: &Page<'_>, slug: &str) -> Result<String, BookError> {
    let (number, chapter, solution) = page.chapter(slug)?;
    let tongue = page.tongue;
    let title = chapter.title.get(tongue.language);
    let mut card = String::new();
    let mut say = |text: String| {
        card.push_str(&text);
        card.push_str("\n\n");
    };
    say("<section class=\"workbook-card\">".to_owned());
    say(match tongue.folder {
        "" => format!("## The card of exercise {number}: {title} {{#card}}"),
        _ => format!("## 练习卡 {number}：{title} {{#card}}"),
    });
    say(match tongue.folder {
        "" => format!(
            "{} points · {} checks · about {} minutes",
            chapter.points(),
            chapter.checks.len(),
            chapter.minutes
        ),
        _ => format!(
            "{} 分 · {} 项检查 · 大约 {} 分钟",
            chapter.points(),
            chapter.checks.len(),
            chapter.minutes
        ),
    });
    say(tongue
        .pick("**Files to complete**", "**要补全的文件**")
        .to_owned());
    say(files(page, number, chapter));
    say(tongue.pick("**Commands**", "**命令**").to_owned());
    say(commands(page, chapter));
    say(tongue
        .pick("**What is checked**", "**检查内容**")
        .to_owned());
    say(checks(page, chapter)?);
    say(hints(page, chapter));
    for program in &chapter.programs {
        let path = solution
            .join("src")
            .join("bin")
            .join(format!("{program}.rs"));
        say(solved(page, program, &fs_err::read_to_string(path)?));
    }
    say("</section>".to_owned());
    Ok(card)
}

fn files(page: &Page<'_>, number: usize, chapter: &Chapter) -> String {
    let folder = page.workspace.folder(number, chapter, Edition::Exercise);
    let folder = folder
        .strip_prefix(&page.workspace.root)
        .unwrap_or(&folder)
        .display();
    let lines: Vec<String> = chapter
        .programs
        .iter()
        .map(|program| format!("- `{folder}/src/bin/{program}.rs`"))
        .collect();
    lines.join("\n")
}

/// One block for each command, so that each can be copied by itself.
fn commands(page: &Page<'_>, chapter: &Chapter) -> String {
    let slug = &chapter.slug;
    let block = |command: String| format!("```bash\n{command}\n```\n");
    let mut lines = vec![
        page.tongue
            .pick(
                "Run the checks, as Rust tests or with points:",
                "运行检查，可以作为 Rust 测试，也可以计分：",
            )
            .to_owned(),
        block(format!("cargo test -p {slug}")),
        block(format!("cargo workbook check {slug}")),
        page.tongue
            .pick(
                "See the last conversation with the broker, and the next hint:",
                "查看上一次与代理的对话，以及下一条提示：",
            )
            .to_owned(),
        block(format!("cargo workbook tape {slug}")),
        block(format!("cargo workbook hint {slug}")),
    ];
    lines.push(
        page.tongue
            .pick("See our solution pass:", "看我们的解答通过检查：")
            .to_owned(),
    );
    lines.push(block(format!("cargo workbook check {slug} --solution")));
    lines.join("\n")
}

fn checks(page: &Page<'_>, chapter: &Chapter) -> Result<String, BookError> {
    let (statement, points, taught) = (
        page.tongue.pick("Check", "检查"),
        page.tongue.pick("Points", "分数"),
        page.tongue.pick("Taught in", "相关内容"),
    );
    let mut table = format!("| {statement} | {points} | {taught} |\n| --- | ---: | --- |\n");
    for check in &chapter.checks {
        let link = markup::source_link(&check.chapter).ok_or_else(|| {
            page.wrong(format!(
                "course.toml: {}: `{}` is no page",
                check.name, check.chapter
            ))
        })?;
        let read = page.tongue.pick("read", "阅读");
        let _ = writeln!(
            table,
            "| {} | {} | [{read}]({link}) |",
            markup::cell(check.title.get(page.tongue.language)),
            check.points
        );
    }
    Ok(table)
}

/// A hint for each check; each unfolds by itself.
fn hints(page: &Page<'_>, chapter: &Chapter) -> String {
    let label = page
        .tongue
        .pick("Hints, one for each check", "提示，每项检查一条");
    let mut folded = format!("<details class=\"workbook-hints\">\n<summary>{label}</summary>\n\n");
    for check in &chapter.checks {
        let title = markup::inline(check.title.get(page.tongue.language));
        let hint = check.hint.get(page.tongue.language);
        let _ = write!(
            folded,
            "<details class=\"workbook-hint\">\n<summary>{title}</summary>\n\n{hint}\n\n</details>\n\n"
        );
    }
    folded.push_str("</details>");
    folded
}

fn solved(page: &Page<'_>, program: &str, source: &str) -> String {
    let (label, warning) = (
        page.tongue.pick("The solution of", "解答："),
        page.tongue.pick(
            "This is the whole program. Unfold it after you have tried: what you find out by yourself stays with you.",
            "这是完整的程序。请先自己动手，再展开阅读：自己想明白的，才会留下来。",
        ),
    );
    let code: String = source
        .lines()
        .filter(|line| !line.contains("// ANCHOR"))
        .fold(String::new(), |code, line| code + line + "\n");
    format!(
        "<details class=\"workbook-solution\">\n<summary>{label} <code>{program}</code></summary>\n\n> [!WARNING]\n> {warning}\n\n```rust\n{code}```\n\n</details>"
    )
}
