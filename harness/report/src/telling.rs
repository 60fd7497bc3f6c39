//! How the outcome of a run is told on a terminal: one cause, one screen.
//!
//! Failures are told by [cause](crate::cause). What matters most comes last, where the eye is: the first group in full,
//! within [`SCREEN`] lines; above it the others, in short. `verbose` tells all of them in full, with every report.

use std::{collections::BTreeSet, io::IsTerminal, path::Path};

use unicode_width::UnicodeWidthStr;
use workbook_course::{Chapter, Language, reading};
use workbook_diagnosis::{finding::Severity, picture};

use crate::{
    cause::{Cause, Group, groups},
    failure::Verdict,
    kept,
    report::CheckReport,
};

/// The most lines that the first group takes.
pub const SCREEN: usize = 24;
/// The columns of a terminal that does not say how wide it is.
pub const COLUMNS: usize = 80;

/// How many lines of what a program printed are shown with a cause that no tape proves.
const PRINTED: usize = 4;
/// How many lines of frames are shown with a cause.
const FRAMES: usize = 8;
/// For how many lines about checks there is room at least.
const CHECKS: usize = 5;
/// How many checks the groups above the first one name.
const OTHERS: usize = 3;

/// What is told, and how.
#[derive(Clone, Copy, Debug)]
pub struct Telling<'a> {
    /// The language.
    pub language: Language,
    /// How many columns a line may take.
    pub width: usize,
    /// The checkout.
    pub root: &'a Path,
    /// The chapter's number, from 1.
    pub number: usize,
    /// The chapter.
    pub chapter: &'a Chapter,
    /// Whether it is about our solution, not about the learner's programs.
    pub solution: bool,
    /// Tell everything.
    pub verbose: bool,
}

/// How many columns the terminal has that standard error goes to.
pub fn columns() -> usize {
    let error = std::io::stderr();
    let size = error
        .is_terminal()
        .then(|| rustix::termios::tcgetwinsize(&error).ok())
        .flatten();
    size.map_or(COLUMNS, |size| usize::from(size.ws_col))
        .clamp(60, 100)
}

impl Telling<'_> {
    /// What came of some of the chapter's checks, in the order of the course.
    pub fn text(&self, reports: &[CheckReport]) -> String {
        let groups = groups(reports);
        let mut lines = vec![self.points(reports)];
        if self.verbose {
            for report in reports.iter().filter(|report| report.failure.is_some()) {
                lines.push(String::new());
                lines.push(format!(
                    "{} {}",
                    report.verdict.word_in(self.language),
                    report.name
                ));
                lines.push(report.text_in(self.language).trim_end().to_owned());
            }
        }
        let Some((first, others)) = groups.split_first() else {
            lines.extend(self.next(reports));
            return lines.join("\n") + "\n";
        };
        // With a `todo!()` in the way there is nothing to look for.
        let simple = first.cause == Cause::Unwritten && others.is_empty();
        for group in others.iter().rev() {
            lines.push(String::new());
            lines.extend(match self.verbose {
                true => self.group(group, usize::MAX),
                false => self.short(group),
            });
        }
        if !simple {
            lines.push(String::new());
        }
        let room = if self.verbose { usize::MAX } else { SCREEN };
        lines.extend(self.group(first, room));
        if !simple && first.cause != Cause::Ours {
            lines.push(String::new());
            lines.push(self.stuck());
        }
        lines.join("\n") + "\n"
    }

    fn say(&self, english: String, chinese: String) -> String {
        match self.language {
            Language::English => english,
            Language::Chinese => chinese,
        }
    }

    /// The first line: how much of it holds.
    fn points(&self, reports: &[CheckReport]) -> String {
        let chapter = self.chapter;
        let worth = |report: &CheckReport| chapter.check(&report.name).map_or(0, |it| it.points);
        let passed = |report: &&CheckReport| report.verdict == Verdict::Pass;
        let points: u32 = reports.iter().filter(passed).map(worth).sum();
        let max: u32 = reports.iter().map(worth).sum();
        let (all, ran) = (chapter.checks.len(), reports.len());
        let count = reports.iter().filter(passed).count();
        let ours = reports
            .iter()
            .filter(|it| it.verdict == Verdict::Infra)
            .count();
        let slug = &chapter.slug;
        let mut text = self.say(
            format!("{slug}: {points} of {max} points, {count} of {ran} checks pass"),
            format!("{slug}：得分 {points}/{max}，{ran} 项检查通过 {count} 项"),
        );
        if ours > 0 {
            text += &self.say(
                format!(", {ours} not judged"),
                format!("，未评判 {ours} 项"),
            );
        }
        if ran < all {
            text += &self.say(
                format!(" ({} were not run)", all - ran),
                format!("（另有 {} 项没有运行）", all - ran),
            );
        }
        if let Some(report) = reports.iter().find(|it| it.failure.is_some()) {
            text += &self.say(
                format!("; seed {}", report.seed),
                format!("；种子 {}", report.seed),
            );
        }
        text
    }

    /// What to do when all of it holds.
    fn next(&self, reports: &[CheckReport]) -> Vec<String> {
        if self.solution || reports.len() < self.chapter.checks.len() {
            return Vec::new();
        }
        let root = self.root;
        let solution = format!("solutions/{:02}-{}/src/bin", self.number, self.chapter.slug);
        let solution = reading::shown(root, &root.join(solution));
        let mut lines = vec![self.say(
            format!("compare with the solution: {solution}"),
            format!("与参考解答对比：{solution}"),
        )];
        let course = workbook_course::Course::read(&root.join("exercises").join("course.toml"));
        let chapters = course.map(|course| course.chapters).unwrap_or_default();
        // What comes after it, and then what was passed over.
        let (before, after) = chapters.split_at(self.number.min(chapters.len()));
        let mut open = after
            .iter()
            .chain(before)
            .filter(|chapter| chapter.slug != self.chapter.slug && !kept::is_solved(root, chapter));
        lines.push(match open.next() {
            Some(next) => {
                let page = reading::place(root, self.language, &format!("{}.html", next.slug));
                let title = next.title.get(self.language);
                self.say(
                    format!(
                        "next: {title}: {page}, then cargo workbook check {}",
                        next.slug
                    ),
                    format!(
                        "下一步：{title}：{page}，然后 cargo workbook check {}",
                        next.slug
                    ),
                )
            }
            None => self.say(
                "all exercises are solved".to_owned(),
                "所有练习都已完成".to_owned(),
            ),
        });
        lines
    }

    fn stuck(&self) -> String {
        let slug = &self.chapter.slug;
        if self.solution {
            return self.say(
                format!("every frame: cargo workbook tape {slug}"),
                format!("全部帧：cargo workbook tape {slug}"),
            );
        }
        self.say(
            format!("stuck? cargo workbook hint {slug}    every frame: cargo workbook tape {slug}"),
            format!("卡住了？cargo workbook hint {slug}    全部帧：cargo workbook tape {slug}"),
        )
    }

    /// A group in full, in so many lines.
    pub fn group(&self, group: &Group<'_>, room: usize) -> Vec<String> {
        let mut lines = match &group.cause {
            Cause::Unwritten => return self.unwritten(group),
            Cause::Finding(_) => self.finding(group, room),
            Cause::Sentence { .. } | Cause::Ours => self.sentence(group),
        };
        let left = room.saturating_sub(lines.len()).max(2);
        lines.extend(self.checks(group, left));
        lines
    }

    /// Programs that nobody has written yet: what they fail says no more.
    fn unwritten(&self, group: &Group<'_>) -> Vec<String> {
        let files = group.programs().into_iter().map(|name| {
            let folder = format!("exercises/{:02}-{}", self.number, self.chapter.slug);
            let path = self.root.join(folder).join(format!("src/bin/{name}.rs"));
            reading::shown(self.root, &path)
        });
        let files: Vec<String> = files.collect();
        let section = format!("{}.html#the-exercise", self.chapter.slug);
        let page = reading::place(self.root, self.language, &section);
        let title = group.told(self.language).title;
        vec![
            self.say(format!("{title}:"), format!("{title}：")),
            self.say(
                format!("  {}; read: {page}", files.join(", ")),
                format!("  {}；阅读：{page}", files.join("、")),
            ),
        ]
    }

    fn finding(&self, group: &Group<'_>, room: usize) -> Vec<String> {
        let told = group.told(self.language);
        let mut lines = self.wrapped("", &told.title);
        lines.extend(self.wrapped("  ", &told.explanation));
        // The line about where to read, and those about the checks, come after them.
        let taken = lines.len() + 1 + group.reports.len().min(CHECKS);
        lines.extend(frames(&told.frames, room.saturating_sub(taken)));
        lines.push(self.read(&told.chapter));
        lines
    }

    /// A cause that no tape proves: what was expected, what was observed, and what the program printed.
    fn sentence(&self, group: &Group<'_>) -> Vec<String> {
        let report = group.reports[0];
        let Some(failure) = &report.failure else {
            return Vec::new();
        };
        let mut lines = self.wrapped("", &failure.expected);
        let mut observed = failure.observed.lines();
        let but = self.say("but ".to_owned(), "但是：".to_owned());
        let first = observed.next().unwrap_or_default();
        lines.extend(self.wrapped("  ", &format!("{but}{first}")));
        let more = observed
            .take(FRAMES)
            .flat_map(|line| self.wrapped("  ", line));
        lines.extend(more);
        if let Some(case) = &report.case {
            let case = self.say(format!("for the case {case}"), format!("用例：{case}"));
            lines.push(format!("  {}", picture::cut(&case, self.width - 2)));
        }
        if group.cause == Cause::Ours {
            return lines;
        }
        lines.extend(self.printed(group));
        let mut also = BTreeSet::new();
        let advice = report
            .findings
            .iter()
            .filter(|it| it.severity == Severity::Advice);
        for finding in advice.filter(|it| also.insert(it.id)) {
            let (program, title) = (&finding.program, &finding.title);
            let text = self.say(
                format!("also: `{program}` {title}"),
                format!("另外，`{program}`：{title}"),
            );
            lines.extend(self.wrapped("  ", &text));
        }
        for advice in &failure.advice {
            let text = self.say(format!("try: {advice}"), format!("建议：{advice}"));
            lines.extend(self.wrapped("  ", &text));
        }
        if let Some(check) = self.chapter.check(&report.name) {
            lines.push(self.read(&check.chapter));
        }
        lines
    }

    /// The last that the program said which it is about, or else all of them.
    fn printed(&self, group: &Group<'_>) -> Vec<String> {
        let about = group.programs();
        let programs = group.reports[0]
            .programs
            .iter()
            .filter(|program| about.is_empty() || about.contains(program.bare_name()));
        let mut lines = Vec::new();
        for program in programs {
            let name = &program.name;
            let out = program.stdout.iter().map(|line| format!("[{name}] {line}"));
            let err = program
                .stderr
                .iter()
                .map(|line| format!("[{name}] (stderr) {line}"));
            lines.extend(out.chain(err));
            lines.extend(
                program
                    .ended
                    .iter()
                    .map(|ended| format!("[{name}] {ended}")),
            );
        }
        let left_out = lines.len().saturating_sub(PRINTED);
        let shown = lines.iter().skip(left_out);
        shown
            .map(|line| format!("  {}", picture::cut(line, self.width - 2)))
            .collect()
    }

    fn read(&self, section: &str) -> String {
        let place = reading::place(self.root, self.language, section);
        self.say(format!("  read: {place}"), format!("  阅读：{place}"))
    }

    /// A line for each check that a group fails.
    fn checks(&self, group: &Group<'_>, room: usize) -> Vec<String> {
        let all = group.reports.len();
        let shown = if all > room { room - 1 } else { all };
        let names = group.reports.iter().take(shown).map(|it| it.name.width());
        let column = names.max().unwrap_or_default();
        let mut lines: Vec<String> = (group.reports.iter().take(shown))
            .map(|report| {
                let failure = report.failure.as_ref();
                let observed = failure.and_then(|failure| failure.observed.lines().next());
                let (name, observed) = (&report.name, observed.unwrap_or_default());
                let sign = if report.verdict == Verdict::Infra {
                    "?"
                } else {
                    "✗"
                };
                picture::cut(&format!("  {sign} {name:<column$}  {observed}"), self.width)
            })
            .collect();
        if shown < all {
            let more = all - shown;
            lines.push(self.say(
                format!("  ✗ … and {more} more checks (--verbose names them)"),
                format!("  ✗ … 还有 {more} 项检查（--verbose 会全部列出）"),
            ));
        }
        lines
    }

    /// A group in a few lines.
    fn short(&self, group: &Group<'_>) -> Vec<String> {
        let title = group.told(self.language).title;
        let title = match &group.cause {
            Cause::Unwritten => return self.unwritten(group),
            Cause::Finding(_) => title,
            // It is what was wanted, and would read like what was seen.
            Cause::Sentence { .. } | Cause::Ours => self.say(
                format!("does not hold: {title}"),
                format!("不成立：{title}"),
            ),
        };
        let mut lines = vec![picture::cut(&title, self.width)];
        lines.extend(self.checks(group, OTHERS));
        lines
    }

    fn wrapped(&self, indent: &str, text: &str) -> Vec<String> {
        let options = textwrap::Options::new(self.width)
            .initial_indent(indent)
            .subsequent_indent(indent);
        let lines = textwrap::wrap(text, options);
        lines
            .into_iter()
            .map(|line| line.trim_end().to_owned())
            .collect()
    }
}

/// The frames that prove it: all, or the last ones.
fn frames(frames: &str, room: usize) -> Vec<String> {
    let lines: Vec<&str> = frames.lines().collect();
    let left_out = lines.len().saturating_sub(room.min(FRAMES));
    lines[left_out..]
        .iter()
        .map(|line| (*line).to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::tests::{failed, with};
    use workbook_course::Course;
    use workbook_diagnosis::finding::FindingId;

    const BOTH: [Language; 2] = [Language::English, Language::Chinese];

    /// What is told of some reports of chapter 1.
    fn told(language: Language, reports: &[CheckReport]) -> Vec<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let course = Course::read(&root.join("exercises/course.toml")).expect("the course");
        let telling = Telling {
            language,
            width: COLUMNS,
            root: &root,
            number: 1,
            chapter: &course.chapters[0],
            solution: false,
            verbose: false,
        };
        let text = telling.text(reports);
        text.lines().map(str::to_owned).collect()
    }

    /// A cause that takes much to explain and to prove, and fails more checks than there is room for.
    fn much() -> Vec<CheckReport> {
        let reports = (1..=30).map(|number| {
            let name = format!("check_{number}");
            let report = failed(&name, "`send` ends", "it did not");
            let mut report = with(report, &[FindingId::DiscardedPublish]);
            report.findings[0].title = "publishes too early".to_owned();
            report.findings[0].chapter = "hello-world.html#sending".to_owned();
            report.findings[0].explanation = "It was discarded in silence. ".repeat(20);
            report.findings[0].frames = "  9 ├─ basic.publish ─▶│ ◀\n".repeat(20);
            report
        });
        reports.collect()
    }

    #[test]
    fn the_first_cause_comes_last_and_on_one_screen() {
        let mut reports = much();
        reports.push(failed("other", "`send` prints `x`", "it did not print it"));
        for language in BOTH {
            let lines = told(language, &reports);
            let at = |what: &str| {
                let found = lines.iter().position(|line| line.contains(what));
                found.unwrap_or_else(|| panic!("{what}: {lines:#?}"))
            };
            let (other, first) = (at("`send` prints `x`"), at("publishes too early"));
            assert!(other < first, "{lines:#?}");
            let wanted = match language {
                Language::English => "does not hold: ",
                Language::Chinese => "不成立：",
            };
            assert!(lines[other].starts_with(wanted), "{lines:#?}");
            // An empty line and what to do next follow it.
            let screen = lines.len() - first - 2;
            assert!(screen <= SCREEN, "{screen}: {lines:#?}");
            assert!(lines[first..].iter().any(|line| line.contains('◀')));
            let read = at(match language {
                Language::English => "  read: ",
                Language::Chinese => "  阅读：",
            });
            assert!(at("✗ check_1 ") > read, "{lines:#?}");
            assert!(lines[lines.len() - 1].contains("cargo workbook hint hello-world"));
        }
    }

    #[test]
    fn programs_that_nobody_has_written_are_told_in_three_lines() {
        let reports = ["one", "two"].map(|name| {
            let mut report = failed(name, "`send` ends", "it did not");
            report.programs[0].stderr = vec!["not yet implemented: connect".to_owned()];
            report
        });
        for language in BOTH {
            let lines = told(language, &reports);
            assert_eq!(lines.len(), 3, "{lines:#?}");
            assert!(lines[1].contains("todo!()"), "{lines:#?}");
            assert!(lines[2].contains("src/bin/send.rs"), "{lines:#?}");
        }
    }
}
