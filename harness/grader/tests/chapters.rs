//! Every chapter's checks, proved from both sides on a real broker.
//!
//! A solution and every correct variant get full marks; the starter fails every
//! check; every mistake fails, in the way that its snapshot tells; and no check is
//! kept that no mistake fails.

#![allow(clippy::expect_used, reason = "a test stops at what it did not expect")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::{Path, PathBuf},
};

use futures_util::{StreamExt, stream};
use workbook_grader::{
    CheckResult, Plan, Side, Workspace,
    build::{self, Diagnostics},
    event::BrokerInfo,
    lint, run,
};
use workbook_lab::{Verdict, course::Chapter, exercise::Programs};

/// So that snapshots hold the same random cases each time.
const SEED: u64 = 1;
/// Mistakes mostly wait in vain, so several run at the same time.
const AT_ONCE: usize = 2;

fn workspace() -> Workspace {
    Workspace::find(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("the tests run in a checkout")
}

/// A chapter whose checks are compiled, with the programs of one side.
struct Compiled {
    number: usize,
    chapter: Chapter,
    binary: PathBuf,
}

async fn compiled(workspace: &Workspace, side: Side) -> Vec<Compiled> {
    let mut compiled = Vec::new();
    for (index, chapter) in workspace.course.chapters.iter().enumerate() {
        let package = side.package(&chapter.slug);
        let binary = build::checks(&workspace.root, &package, Diagnostics::Keep)
            .await
            .expect("the checks compile");
        compiled.push(Compiled {
            number: index + 1,
            chapter: chapter.clone(),
            binary,
        });
    }
    compiled
}

impl Compiled {
    async fn run(&self, commands: BTreeMap<String, String>) -> Vec<CheckResult> {
        let plan = Plan {
            chapter: self.chapter.clone(),
            binary: self.binary.clone(),
            programs: Programs {
                commands,
                directory: std::env::temp_dir(),
            },
            seed: SEED,
            jobs: None,
            broker: BrokerInfo {
                kind: String::new(),
                version: String::new(),
            },
            keep: None,
            environment: vec![("WORKBOOK_LANG".to_owned(), "en".to_owned())],
        };
        run(&plan, |_| {}).await.expect("the checks can be run").1
    }

    /// The executables of `mistakes/` or `variants/`, by name.
    async fn executables(&self, workspace: &Workspace, kind: &str) -> BTreeMap<String, PathBuf> {
        let slug = &self.chapter.slug;
        let (package, solution) = (format!("{slug}-{kind}"), Side::Solution.package(slug));
        let built = build::programs(&workspace.root, &package, &solution, Diagnostics::Keep)
            .await
            .expect("they compile");
        let folder = workspace.folder(self.number, &self.chapter, Side::Solution);
        let kept = lint::rust_files(&folder.join(kind).join("src/bin"));
        built
            .into_iter()
            .filter(|(name, _)| kept.contains(name))
            .collect()
    }

    /// `receive-never-acks` stands for `receive`.
    fn program_of<'a>(&'a self, name: &str) -> &'a str {
        let programs = self.chapter.programs.iter();
        let stem = |program: &&String| {
            name.strip_prefix(program.as_str())
                .is_some_and(|rest| rest.starts_with('-'))
        };
        programs
            .filter(stem)
            .max_by_key(|program| program.len())
            .expect("the linter holds the names")
    }
}

/// What a person should see of the verdicts: nothing in it changes from run to run.
fn told(results: &[CheckResult]) -> String {
    let mut text = String::new();
    let points: u32 = results.iter().map(|result| result.points).sum();
    let max_points: u32 = results.iter().map(|result| result.max_points).sum();
    let _ = writeln!(text, "{points} of {max_points} points");
    for result in results {
        let report = &result.report;
        if let Some(failure) = &report.failure {
            let _ = writeln!(text, "\n{} {}", report.verdict, report.name);
            let _ = writeln!(text, "  expected  {}", failure.expected);
            let _ = writeln!(
                text,
                "  observed  {}",
                failure.observed.replace('\n', "\n            ")
            );
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

/// Everything that is known of the checks that failed, for whoever has to find out why.
fn in_full(results: &[CheckResult]) -> String {
    let failed = results
        .iter()
        .filter(|result| result.report.verdict != Verdict::Pass);
    failed.map(|result| result.report.text()).collect()
}

/// The finding that a mistake's own comment names: `//! Finding: discarded-publish`.
fn named_finding(source: &Path) -> Option<String> {
    let source = std::fs::read_to_string(source).expect("the mistake has a source");
    let named = source
        .lines()
        .find_map(|line| line.strip_prefix("//! Finding: "));
    let named = named.expect("each mistake names its finding");
    (!named.starts_with("none")).then(|| named.to_owned())
}

/// A correct program shows no finding.
fn expect_no_findings(whose: &str, results: &[CheckResult]) {
    for result in results {
        let report = &result.report;
        assert!(
            report.findings.is_empty(),
            "{whose}, {}: {:#?}\n{}",
            report.name,
            report.findings,
            report.picture
        );
    }
}

fn passes(results: &[CheckResult]) -> bool {
    results
        .iter()
        .all(|result| result.report.verdict == Verdict::Pass)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_solution_gets_full_marks() {
    let workspace = workspace();
    for chapter in compiled(&workspace, Side::Solution).await {
        let results = chapter.run(BTreeMap::new()).await;
        assert!(
            passes(&results),
            "{}: {}",
            chapter.chapter.slug,
            in_full(&results)
        );
        expect_no_findings(&chapter.chapter.slug, &results);
    }
}

/// What the solution's programs say to the broker, in normal form; a reader of a review sees what changed.
#[tokio::test(flavor = "multi_thread")]
async fn the_conversations_of_every_solution_are_these() {
    let workspace = workspace();
    for chapter in compiled(&workspace, Side::Solution).await {
        let results = chapter.run(BTreeMap::new()).await;
        let folder = workspace
            .folder(chapter.number, &chapter.chapter, Side::Exercise)
            .join("tests/snapshots");
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(folder);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        for result in results.iter().filter(|result| result.report.cases == 0) {
            // The lab's own words follow from the seed, so they are the same each time.
            let said: Vec<_> = result
                .report
                .programs
                .iter()
                // How the connection of a killed program ends is the kernel's choice.
                .filter(|program| {
                    !program
                        .ended
                        .as_deref()
                        .is_some_and(|ended| ended.contains("signal 9"))
                })
                .map(|program| (&program.name, &program.conversation))
                .collect();
            settings.bind(|| insta::assert_yaml_snapshot!(result.report.name.as_str(), said));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_starter_fails_every_check_and_says_where_to_write() {
    let workspace = workspace();
    for chapter in compiled(&workspace, Side::Exercise).await {
        let unsolved = chapter.chapter.programs.iter().all(|program| {
            let folder = workspace.folder(chapter.number, &chapter.chapter, Side::Exercise);
            let source =
                std::fs::read_to_string(folder.join("src/bin").join(format!("{program}.rs")));
            source.is_ok_and(|source| source.contains("todo!("))
        });
        assert!(
            unsolved,
            "the exercises of this checkout are (partly) solved: cargo workbook verify is for the repository as it is handed out"
        );
        let results = chapter.run(BTreeMap::new()).await;
        for result in &results {
            assert_eq!(
                result.report.verdict,
                Verdict::Fail,
                "{}",
                result.report.text()
            );
            assert!(
                result.report.text().contains("stopped at a `todo!()`"),
                "{}",
                result.report.text()
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_variant_gets_full_marks() {
    let workspace = workspace();
    for chapter in compiled(&workspace, Side::Solution).await {
        // Programs of one variant belong together: send-transient and receive-transient.
        let mut variants: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for (name, path) in chapter.executables(&workspace, "variants").await {
            let program = chapter.program_of(&name);
            let variant = name[program.len() + 1..].to_owned();
            let path = path.display().to_string();
            variants
                .entry(variant)
                .or_default()
                .insert(program.to_owned(), path);
        }
        assert!(
            variants.len() >= 2,
            "{}: a chapter keeps at least 2 variants",
            chapter.chapter.slug
        );
        for (variant, commands) in variants {
            let results = chapter.run(commands).await;
            assert!(passes(&results), "{variant}: {}", in_full(&results));
            expect_no_findings(&variant, &results);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_original_python_programs_get_full_marks() {
    let Ok(python) = std::env::var("WORKBOOK_PYTHON") else {
        eprintln!(
            "SKIPPED: WORKBOOK_PYTHON names no Python with pika (`cargo workbook verify` makes one)"
        );
        assert_ne!(
            std::env::var("WORKBOOK_NO_SKIP").as_deref(),
            Ok("1"),
            "no skip is allowed"
        );
        return;
    };
    let workspace = workspace();
    for chapter in compiled(&workspace, Side::Solution).await {
        let folder = workspace
            .folder(chapter.number, &chapter.chapter, Side::Solution)
            .join("variants/python");
        let command = |program: &String| {
            let script = folder.join(format!("{program}.py"));
            let line = [
                python.as_str(),
                script.to_str().expect("our paths are text"),
            ];
            script.is_file().then(|| {
                (
                    program.clone(),
                    line.map(|word| format!("'{word}'")).join(" "),
                )
            })
        };
        let commands: BTreeMap<String, String> = chapter
            .chapter
            .programs
            .iter()
            .filter_map(command)
            .collect();
        if !commands.is_empty() {
            let results = chapter.run(commands).await;
            assert!(passes(&results), "{}", in_full(&results));
            expect_no_findings("python", &results);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mistake_is_caught_for_its_own_reason() {
    let workspace = workspace();
    for chapter in compiled(&workspace, Side::Solution).await {
        let folder = workspace
            .folder(chapter.number, &chapter.chapter, Side::Solution)
            .join("mistakes");
        let sources: BTreeSet<String> = lint::rust_files(&folder.join("src/bin"))
            .into_iter()
            .collect();
        let mistakes = chapter.executables(&workspace, "mistakes").await;
        assert_eq!(mistakes.keys().cloned().collect::<BTreeSet<_>>(), sources);

        let outcomes: BTreeMap<String, Vec<CheckResult>> = stream::iter(mistakes)
            .map(async |(name, path)| {
                let commands = BTreeMap::from([(
                    chapter.program_of(&name).to_owned(),
                    path.display().to_string(),
                )]);
                (name, chapter.run(commands).await)
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;

        let mut failed = BTreeSet::new();
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(folder.join("snapshots"));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        for (name, results) in &outcomes {
            let failures = results
                .iter()
                .filter(|result| result.report.verdict != Verdict::Pass);
            failed.extend(failures.map(|result| result.report.name.clone()));
            assert!(!passes(results), "{name} passes every check");
            if let Some(named) = named_finding(&folder.join("src/bin").join(format!("{name}.rs"))) {
                let shown: BTreeSet<&str> = results
                    .iter()
                    .flat_map(|result| &result.report.findings)
                    .map(|finding| finding.id.as_str())
                    .collect();
                assert!(
                    shown.contains(named.as_str()),
                    "{name}: {named} is not among {shown:?}"
                );
            }
            let text = told(results);
            settings.bind(|| insta::assert_snapshot!(name.as_str(), text));
        }
        // A snapshot whose mistake is gone would prove nothing.
        for entry in std::fs::read_dir(folder.join("snapshots")).expect("there are snapshots") {
            let file = entry.expect("it can be listed").file_name();
            let file = file.to_string_lossy();
            let known = file
                .split('.')
                .next()
                .is_some_and(|name| outcomes.contains_key(name));
            assert!(known, "{file} is the snapshot of no mistake: delete it");
        }
        let checks: BTreeSet<String> = chapter
            .chapter
            .checks
            .iter()
            .map(|check| check.name.clone())
            .collect();
        let idle: Vec<_> = checks.difference(&failed).collect();
        assert!(
            idle.is_empty(),
            "no mistake fails these checks, so they prove nothing: {idle:?}"
        );
    }
}

#[test]
fn the_catalogue_agrees_with_the_repository() {
    assert_eq!(lint::lint(&workspace()), Vec::<String>::new());
}
