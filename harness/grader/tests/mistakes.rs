//! Every chapter's checks, seen from the side of what is wrong, on a real broker: every mistake fails, in the way that
//! its snapshot tells; and no check is kept that no mistake fails.

#![allow(clippy::expect_used, reason = "a test stops at what it did not expect")]
#![allow(clippy::print_stderr, reason = "what is different is told in full")]

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use common::{Commands, Compiled, in_full, no_stray_snapshots, passes, snapshots_in, workspace};
use futures_util::{StreamExt, stream};
use libtest_mimic::Arguments;
use workbook_course::{Chapter, Check, Edition, Language, Workspace};
use workbook_report::{
    Verdict,
    cause::{Cause, groups},
    telling::{COLUMNS, SCREEN, Telling},
};
use workbook_runner::CheckResult;

/// Mistakes mostly wait in vain, so several run at the same time.
const AT_ONCE: usize = 6;

fn main() -> ExitCode {
    let trials = common::of_every_chapter(
        "every_mistake_is_caught_for_its_own_reason",
        every_mistake_is_caught_for_its_own_reason,
    );
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

impl Compiled {
    /// The checks that start a program when everything is correct. Before a check has started a program, the program
    /// cannot make it fail; so the others would only be run again.
    async fn checks_by_program(&self) -> BTreeMap<String, Vec<Check>> {
        let mut checks: BTreeMap<String, Vec<Check>> = BTreeMap::new();
        let results = self.run(BTreeMap::new()).await;
        assert!(passes(&results), "{}", in_full(&results));
        for (check, result) in self.chapter.checks.iter().zip(&results) {
            // A name is shown with its arguments.
            let started = result.report.programs.iter();
            let names: BTreeSet<&str> = started
                .filter_map(|program| program.name.split_whitespace().next())
                .collect();
            for name in names {
                let of_program = checks.entry(name.to_owned()).or_default();
                of_program.push(check.clone());
            }
        }
        checks
    }
}

/// What a person should see of the verdicts: nothing in it changes from run to run.
///
/// The checks that were not run are those that the program cannot make fail.
fn told(chapter: &Chapter, results: &[CheckResult], names_only: bool) -> String {
    let mut text = String::new();
    if names_only {
        let failed = results
            .iter()
            .filter(|result| result.report.failure.is_some());
        for CheckResult { report, .. } in failed {
            let _ = writeln!(text, "\n{} {}", report.verdict, report.name);
        }
        return text;
    }
    let max_points = chapter.points();
    let lost: u32 = results.iter().map(|it| it.max_points - it.points).sum();
    let _ = writeln!(text, "{} of {max_points} points", max_points - lost);
    for result in results {
        let report = &result.report;
        if let Some(failure) = &report.failure {
            let _ = writeln!(text, "\n{} {}", report.verdict, report.name);
            let _ = writeln!(text, "  expected  {}", failure.expected);
            let observed = without_ids(&failure.observed);
            let observed = observed.replace('\n', "\n            ");
            let _ = writeln!(text, "  observed  {observed}");
            if let Some(case) = &report.case {
                let _ = writeln!(text, "  for case  {case}");
            }
            for advice in &failure.advice {
                let _ = writeln!(text, "  try       {advice}");
            }
        }
    }
    text
}

/// A text without the process ids with which some mistakes make a name their own: `logs-4711`.
fn without_ids(text: &str) -> String {
    let words = text.split('`').map(|word| match word.rsplit_once('-') {
        Some((name, id)) if id.len() > 1 && id.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("{name}-…")
        }
        _ => word.to_owned(),
    });
    words.collect::<Vec<_>>().join("`")
}

/// Whether each mistake is tried against those checks only that its snapshot says it fails.
///
/// `verify` asks for it. That the other checks let a mistake pass was seen when its snapshot was made, and is seen again
/// by whoever runs these tests by hand. One without a snapshot is tried against all.
fn known_mistakes_only() -> bool {
    std::env::var("WORKBOOK_KNOWN_MISTAKES_ONLY").is_ok_and(|value| value == "1")
}

/// The snapshot of a mistake's verdict; empty when there is none yet.
fn snapshot(mistakes: &Path, name: &str) -> String {
    std::fs::read_to_string(mistakes.join(format!("snapshots/{name}.snap"))).unwrap_or_default()
}

/// What a mistake's own comment says of it, a line for each (in Python it begins with `# `):
///
/// - `//! Finding: discarded-publish`: the finding that is its cause, or `none`, and why no tape can tell;
/// - `//! Told: words`: where it is none, words of what the check expected or observed, which are the cause;
/// - `//! May show: declared-nothing, unused-queue`: what else is true of it, and may be found;
/// - `//! Certain: check, check`: the checks that it is held against. It is a mistake whose luck depends on how fast
///   the broker is. In these checks it has none; what they say of it may still differ, so its snapshot has no more
///   than their names.
struct Said {
    finding: Option<String>,
    told: Option<String>,
    may_show: BTreeSet<String>,
    certain: Option<BTreeSet<String>>,
}

impl Said {
    fn of(source: &Path) -> Self {
        let source = std::fs::read_to_string(source).expect("the mistake has a source");
        let line = |key: &str| {
            let mut lines = source.lines();
            let found = lines.find_map(|line| {
                let said = line.strip_prefix("//! ").or(line.strip_prefix("# "));
                said?.strip_prefix(key)
            });
            found.map(str::to_owned)
        };
        let list = |text: String| text.split(", ").map(str::to_owned).collect();
        let named = line("Finding: ").expect("each mistake names its finding");
        Self {
            finding: (!named.starts_with("none")).then_some(named),
            told: line("Told: "),
            may_show: line("May show: ").map_or_else(BTreeSet::new, list),
            certain: line("Certain: ").map(list),
        }
    }

    /// Why the first group of failures is not told by this cause; `None`: it is.
    fn missed_by(&self, results: &[CheckResult]) -> Option<String> {
        let groups = groups(results.iter().map(|result| &result.report));
        let Some(first) = groups.first() else {
            return Some("it has no group of failures".to_owned());
        };
        let says = |words: &str| {
            let failures = first.reports.iter().filter_map(|it| it.failure.as_ref());
            let mut told = failures.flat_map(|it| [&it.expected, &it.observed]);
            told.any(|text| text.contains(words))
        };
        let held = match (&first.cause, &self.finding, &self.told) {
            (Cause::Finding(id), Some(named), _) => id.as_str() == named,
            (Cause::Sentence { .. }, None, Some(words)) => says(words),
            _ => false,
        };
        (!held).then(|| format!("its first group stands on {:?}", first.cause))
    }

    /// All that is wrong with how a mistake is told, whose first group takes so many lines.
    fn complaints(&self, results: &[CheckResult], lines: [usize; 2]) -> Vec<String> {
        let mut complaints = Vec::new();
        if passes(results) {
            complaints.push("it passes every check".to_owned());
        }
        complaints.extend(self.missed_by(results));
        let untrue = self.untrue(results);
        if !untrue.is_empty() {
            complaints.push(format!("{untrue:?} may be false of it"));
        }
        if lines.iter().any(|lines| *lines > SCREEN) {
            complaints.push(format!("its first group takes {lines:?} lines"));
        }
        complaints
    }

    /// The findings that are shown although nothing says that they are true of it.
    fn untrue<'r>(&self, results: &'r [CheckResult]) -> BTreeSet<&'r str> {
        let shown = findings(results).into_iter();
        shown
            .filter(|it| self.finding.as_deref() != Some(it) && !self.may_show.contains(*it))
            .collect()
    }
}

/// How many lines a terminal shows of the failures, and of the first group of them.
fn lines(
    workspace: &Workspace,
    chapter: &Compiled,
    results: &[CheckResult],
    language: Language,
) -> (usize, usize) {
    let telling = Telling {
        language,
        width: COLUMNS,
        root: &workspace.root,
        number: chapter.number,
        chapter: &chapter.chapter,
        solution: false,
        verbose: false,
    };
    let reports: Vec<_> = results.iter().map(|it| it.report.clone()).collect();
    let first = groups(&reports).first().map(|it| telling.group(it, SCREEN));
    let all = telling.text(&reports).lines().count();
    (all, first.map_or(0, |lines| lines.len()))
}

/// The findings in a few results.
fn findings(results: &[CheckResult]) -> BTreeSet<&str> {
    let found = results.iter().flat_map(|result| &result.report.findings);
    found.map(|finding| finding.id.as_str()).collect()
}

/// What comes of each mistake, by name.
async fn tried(
    chapter: &Compiled,
    folder: &Path,
    mistakes: Commands,
    source: impl Fn(&str) -> PathBuf,
) -> BTreeMap<String, Vec<CheckResult>> {
    let unknown = |name: &String| snapshot(folder, name).is_empty();
    let known_only = known_mistakes_only();
    let checks = match known_only && !mistakes.keys().any(unknown) {
        true => BTreeMap::new(),
        false => chapter.checks_by_program().await,
    };
    stream::iter(mistakes)
        .map(async |(name, command)| {
            let program = chapter.program_of(&name);
            let commands = BTreeMap::from([(program.to_owned(), command)]);
            let said = Said::of(&source(&name));
            if let Some(certain) = said.certain {
                let mut concerned = chapter.chapter.checks.clone();
                concerned.retain(|check| certain.contains(&check.name));
                return (name, chapter.run_checks(commands, concerned).await);
            }
            if !known_only || unknown(&name) {
                let concerned = checks[program].clone();
                return (name, chapter.run_checks(commands, concerned).await);
            }
            let known = snapshot(folder, &name);
            let fails = |check: &Check| known.contains(&format!("\nfail {}\n", check.name));
            let all = chapter.chapter.checks.iter().cloned();
            let (known, others): (Vec<_>, Vec<_>) = all.partition(fails);
            let mut results = chapter.run_checks(commands.clone(), known).await;
            // Some findings are seen where nothing fails.
            if said
                .finding
                .is_some_and(|named| !findings(&results).contains(named.as_str()))
            {
                results.extend(chapter.run_checks(commands, others).await);
            }
            (name, results)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await
}

async fn every_mistake_is_caught_for_its_own_reason(slug: &str) {
    let workspace = workspace();
    let chapter = Compiled::of(&workspace, slug, Edition::Solution).await;
    let folder = workspace
        .folder(chapter.number, &chapter.chapter, Edition::Solution)
        .join("mistakes");
    let mistakes = chapter.commands(&workspace, "mistakes").await;

    let scripts = chapter.scripts(&workspace, "mistakes");
    let source = |name: &str| match scripts.get(name) {
        Some(script) => script.clone(),
        None => folder.join("src").join(format!("{name}.rs")),
    };
    let outcomes = tried(&chapter, &folder, mistakes, source).await;

    // Our own fault says nothing about a mistake, and belongs in no snapshot.
    let ours = |it: &CheckResult| it.report.verdict == Verdict::Infra;
    let unjudged = outcomes.iter().filter(|(_, it)| it.iter().any(ours));
    let unjudged: Vec<_> = unjudged.map(|(name, it)| (name, in_full(it))).collect();
    assert!(unjudged.is_empty(), "not judged: {unjudged:#?}");

    let mut failed = BTreeSet::new();
    let mut wrong = Vec::new();
    let mut told_first = 0;
    let mut lengths = Vec::new();
    let settings = snapshots_in(&folder.join("snapshots"));
    for (name, results) in &outcomes {
        let failures = results
            .iter()
            .filter(|result| result.report.verdict == Verdict::Fail);
        failed.extend(failures.map(|result| result.report.name.clone()));
        let said = Said::of(&source(name));
        told_first += usize::from(said.missed_by(results).is_none());
        let shown = [Language::English, Language::Chinese]
            .map(|language| lines(&workspace, &chapter, results, language));
        lengths.extend(shown.map(|(all, _)| all));
        let complaints = said.complaints(results, shown.map(|(_, first)| first));
        if !complaints.is_empty() {
            eprintln!("{name}: {}", in_full(results));
        }
        wrong.extend(complaints.into_iter().map(|it| format!("{name}: {it}")));
    }
    lengths.sort_unstable();
    eprintln!(
        "{slug}: {told_first} of {} mistakes are told by their cause first; lines: {lengths:?}",
        outcomes.len()
    );
    if lengths[lengths.len() / 2] > SCREEN {
        wrong.push("half of the failures take more than a screen".to_owned());
    }
    let checks = chapter.chapter.checks.iter();
    for idle in checks.filter(|check| !failed.contains(&check.name)) {
        wrong.push(format!(
            "no mistake fails {}, so it proves nothing",
            idle.name
        ));
    }
    // A snapshot that differs says more about what is wrong, and comes first.
    eprintln!("{slug}: {wrong:#?}");
    for (name, results) in &outcomes {
        let certain = Said::of(&source(name)).certain.is_some();
        let told = told(&chapter.chapter, results, certain);
        if !snapshot(&folder, name).ends_with(&told) {
            // The snapshot shows what is different, and this shows why.
            eprintln!("{name}: {}", in_full(results));
        }
        settings.bind(|| insta::assert_snapshot!(name.as_str(), told));
    }
    let mut sources = chapter.sources(&workspace, "mistakes");
    sources.extend(scripts.into_keys());
    no_stray_snapshots(&folder.join("snapshots"), &sources);
    assert!(wrong.is_empty(), "{wrong:#?}");
}
