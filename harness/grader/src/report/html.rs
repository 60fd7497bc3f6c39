//! Pages for people: one for each submission, and one for the class. They ask nothing of any network.

use std::{collections::BTreeMap, fmt::Write as _};

use askama::Template;
use workbook_course::{Language, Text};
use workbook_report::Verdict;

use super::safe::{html, plain};
use crate::model::{Check, Conditions, Exercise, Results, Submission};

const STYLE: &str = include_str!("../../templates/style.css");

/// How many bars the histogram has.
const BARS: usize = 20;
/// How many checks and findings are listed as the commonest.
const COMMONEST: usize = 10;

/// The fixed words of the pages.
#[derive(Clone, Copy)]
struct Words {
    tag: &'static str,
    class: &'static str,
    submissions: &'static str,
    name: &'static str,
    verdict: &'static str,
    points: &'static str,
    checks: &'static str,
    hint: &'static str,
    picture: &'static str,
    tape: &'static str,
    conditions: &'static str,
    sandbox: &'static str,
    check_version: &'static str,
    sources: &'static str,
    ignored: &'static str,
    passed_over: &'static str,
    failed: &'static str,
    findings: &'static str,
    read: &'static str,
    seed: &'static str,
}

const ENGLISH: Words = Words {
    tag: "en",
    class: "The class",
    submissions: "Submissions",
    name: "Name",
    verdict: "Verdict",
    points: "Points",
    checks: "Checks",
    hint: "Hint",
    picture: "Sequence diagram",
    tape: "The tape: every frame, a line of JSON each",
    conditions: "Graded with",
    sandbox: "Sandbox",
    check_version: "Checks",
    sources: "Sources",
    ignored: "Files that were not used",
    passed_over: "Passed over, as nobody's work",
    failed: "Checks that failed most often",
    findings: "Commonest findings",
    read: "Read",
    seed: "Seed",
};

const CHINESE: Words = Words {
    tag: "zh",
    class: "全班",
    submissions: "作业",
    name: "姓名",
    verdict: "结论",
    points: "得分",
    checks: "检查",
    hint: "提示",
    picture: "时序图",
    tape: "录带：全部帧，每行一个 JSON",
    conditions: "评分依据",
    sandbox: "沙箱",
    check_version: "检查版本",
    sources: "源代码",
    ignored: "没有用到的文件",
    passed_over: "已略过（不是任何人的作业）",
    failed: "最常未通过的检查",
    findings: "最常见的发现",
    read: "阅读",
    seed: "种子",
};

fn words(language: Language) -> Words {
    match language {
        Language::English => ENGLISH,
        Language::Chinese => CHINESE,
    }
}

fn text(text: &Text, language: Language) -> &str {
    match language {
        Language::English => &text.en,
        Language::Chinese => &text.zh,
    }
}

fn shown(points: Option<u32>) -> String {
    points.map_or_else(|| "–".to_owned(), |points| points.to_string())
}

#[derive(Template)]
#[template(path = "submission.html")]
struct SubmissionPage<'a> {
    words: Words,
    style: &'static str,
    verdict: &'static str,
    name: String,
    message: Option<String>,
    submission: &'a Submission,
    exercises: Vec<ExercisePart>,
    conditions: &'a Conditions,
    ignored: Vec<String>,
}

struct ExercisePart {
    title: String,
    class: &'static str,
    verdict: &'static str,
    points: String,
    max_points: u32,
    message: Option<String>,
    causes: Vec<CausePart>,
    checks: Vec<CheckPart>,
}

struct CausePart {
    title: String,
    explanation: String,
    frames: String,
    chapter: String,
    checks: Vec<String>,
}

struct CheckPart {
    name: String,
    title: String,
    class: &'static str,
    verdict: &'static str,
    points: String,
    max_points: u32,
    message: Option<String>,
    findings: Vec<FindingPart>,
    hint: Option<String>,
    output: String,
    picture: Option<String>,
    tape: Option<String>,
}

struct FindingPart {
    id: String,
    program: String,
    title: String,
    explanation: String,
}

/// The page of one submission.
pub(super) fn submission(
    submission: &Submission,
    conditions: &Conditions,
    language: Language,
) -> String {
    let page = SubmissionPage {
        words: words(language),
        style: STYLE,
        verdict: submission.verdict.word_in(language),
        name: plain(&submission.name),
        message: submission.message.as_deref().map(plain),
        submission,
        exercises: (submission.exercises.iter())
            .map(|exercise| exercise_part(submission, exercise, language))
            .collect(),
        conditions,
        ignored: submission.ignored.iter().map(|it| plain(it)).collect(),
    };
    // The template writes to memory.
    page.render().unwrap_or_default()
}

fn exercise_part(submission: &Submission, exercise: &Exercise, language: Language) -> ExercisePart {
    let message = exercise.message.as_ref();
    ExercisePart {
        title: text(&exercise.title, language).to_owned(),
        class: exercise.verdict.word(),
        verdict: exercise.verdict.word_in(language),
        points: shown(exercise.points),
        max_points: exercise.max_points,
        // What holds for all of the submission is said once.
        message: message
            .filter(|message| submission.message.as_ref() != Some(*message))
            .map(|message| plain(message)),
        causes: (exercise.causes.iter())
            .map(|cause| CausePart {
                title: html(&cause.title),
                explanation: html(&cause.explanation),
                frames: plain(&cause.frames),
                chapter: plain(&cause.chapter),
                checks: cause.checks.clone(),
            })
            .collect(),
        checks: (exercise.checks.iter())
            .map(|check| check_part(&submission.folder, check, language))
            .collect(),
    }
}

fn check_part(folder: &str, check: &Check, language: Language) -> CheckPart {
    let here = |path: &String| {
        path.strip_prefix(&format!("{folder}/"))
            .unwrap_or(path)
            .to_owned()
    };
    let mut output = String::new();
    for program in &check.programs {
        for line in &program.stdout {
            let _ = writeln!(output, "[{}] {line}", program.name);
        }
        for line in &program.stderr {
            let _ = writeln!(output, "[{}] (stderr) {line}", program.name);
        }
        if let Some(ended) = &program.ended {
            let _ = writeln!(output, "[{}] {ended}", program.name);
        }
    }
    CheckPart {
        name: check.name.clone(),
        title: html(&check.title),
        class: check.verdict.word(),
        verdict: check.verdict.word_in(language),
        points: shown(check.points),
        max_points: check.max_points,
        message: check.message.as_deref().map(plain),
        findings: (check.explanations.iter())
            .map(|finding| FindingPart {
                id: finding.id.clone(),
                program: plain(&finding.program),
                title: html(&finding.title),
                explanation: html(&finding.explanation),
            })
            .collect(),
        hint: check.hint.as_deref().map(html),
        output: plain(&output),
        picture: check.picture.as_ref().map(here),
        tape: check.tape.as_ref().map(here),
    }
}

#[derive(Template)]
#[template(path = "class.html")]
struct ClassPage<'a> {
    words: Words,
    style: &'static str,
    counts: Vec<(&'static str, &'static str, usize)>,
    histogram: Vec<Column>,
    slugs: Vec<String>,
    rows: Vec<ClassRow>,
    failed: Vec<(String, usize)>,
    findings: Vec<(String, usize)>,
    passed_over: Vec<String>,
    conditions: &'a Conditions,
}

struct Column {
    height: usize,
    label: String,
}

struct ClassRow {
    name: String,
    link: String,
    class: &'static str,
    verdict: &'static str,
    points: String,
    value: i64,
    cells: Vec<(String, i64)>,
}

/// The page of the class.
pub(super) fn class(results: &Results, language: Language) -> String {
    let mut failed: BTreeMap<String, usize> = BTreeMap::new();
    let mut findings: BTreeMap<String, usize> = BTreeMap::new();
    for submission in &results.submissions {
        let mut told = std::collections::BTreeSet::new();
        for (exercise, check) in submission.checks() {
            if matches!(check.verdict, Verdict::Fail | Verdict::Error) {
                let name = format!("{}: {}", text(&exercise.title, language), check.title);
                let name = html(&name);
                *failed.entry(name).or_default() += 1;
                told.extend(check.explanations.iter().map(|it| html(&it.title)));
            }
        }
        // A finding counts once for each submission.
        for title in told {
            *findings.entry(title).or_default() += 1;
        }
    }
    let value = |points: Option<u32>| points.map_or(-1, i64::from);
    let first = results.submissions.first();
    let page = ClassPage {
        words: words(language),
        style: STYLE,
        counts: (Verdict::ALL.into_iter())
            .map(|it| (it.word(), it.word_in(language), results.count(it)))
            .filter(|(_, _, count)| *count > 0)
            .collect(),
        histogram: histogram(results),
        slugs: (first.iter().flat_map(|it| &it.exercises))
            .map(|it| it.slug.clone())
            .collect(),
        rows: (results.submissions.iter())
            .map(|submission| ClassRow {
                name: plain(&submission.name),
                link: format!("{}/report.html", submission.folder),
                class: submission.verdict.word(),
                verdict: submission.verdict.word_in(language),
                points: format!("{}/{}", shown(submission.points), submission.max_points),
                value: value(submission.points),
                cells: (submission.exercises.iter())
                    .map(|it| (shown(it.points), value(it.points)))
                    .collect(),
            })
            .collect(),
        failed: commonest(failed),
        findings: commonest(findings),
        passed_over: results.passed_over.iter().map(|it| plain(it)).collect(),
        conditions: &results.conditions,
    };
    page.render().unwrap_or_default()
}

fn commonest(counts: BTreeMap<String, usize>) -> Vec<(String, usize)> {
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts.truncate(COMMONEST);
    counts
}

/// How many submissions reached which share of the points.
fn histogram(results: &Results) -> Vec<Column> {
    let mut counts = [0_usize; BARS];
    for submission in &results.submissions {
        let (Some(points), 1..) = (submission.points, submission.max_points) else {
            continue;
        };
        let place = points as usize * BARS / submission.max_points as usize;
        counts[place.min(BARS - 1)] += 1;
    }
    let most = counts.iter().copied().max().unwrap_or_default().max(1);
    let share = 100 / BARS;
    (counts.iter().enumerate())
        .map(|(index, count)| Column {
            height: count * 100 / most,
            label: format!("{}–{} %: {count}", index * share, (index + 1) * share),
        })
        .collect()
}
