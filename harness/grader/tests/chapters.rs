//! Every chapter's checks, proved from both sides on a real broker.
//!
//! A solution and every correct variant get full marks; the starter fails every
//! check; every mistake fails, in the way that its snapshot tells; and no check is
//! kept that no mistake fails.

#![allow(clippy::expect_used, reason = "a test stops at what it did not expect")]
#![allow(clippy::print_stderr, reason = "a skip is loud")]

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
    lint,
    run::{Bounds, run},
};
use workbook_lab::{
    Verdict,
    course::{Chapter, Check},
    exercise::Programs,
};

/// So that snapshots hold the same random cases each time.
const SEED: u64 = 1;
/// Mistakes mostly wait in vain, so several run at the same time.
const AT_ONCE: usize = 6;
/// Variants mostly work.
const VARIANTS_AT_ONCE: usize = 3;

fn workspace() -> Workspace {
    Workspace::find(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("the tests run in a checkout")
}

/// A chapter whose checks are compiled, with the programs of one side.
struct Compiled {
    number: usize,
    chapter: Chapter,
    binary: PathBuf,
}

impl Compiled {
    async fn of(workspace: &Workspace, slug: &str, side: Side) -> Self {
        let (number, chapter) = workspace.course.chapter(slug).expect("it is in the course");
        let package = side.package(slug);
        let binary = build::checks(&workspace.root, &package, Diagnostics::Keep)
            .await
            .expect("the checks compile");
        Self {
            number,
            chapter: chapter.clone(),
            binary,
        }
    }

    async fn run(&self, commands: BTreeMap<String, String>) -> Vec<CheckResult> {
        self.run_checks(commands, self.chapter.checks.clone()).await
    }

    /// Runs some of the checks.
    async fn run_checks(
        &self,
        commands: BTreeMap<String, String>,
        checks: Vec<Check>,
    ) -> Vec<CheckResult> {
        let plan = Plan {
            chapter: Chapter {
                checks,
                ..self.chapter.clone()
            },
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
            bounds: Bounds::default(),
        };
        run(&plan, |_| {}).await.expect("the checks can be run").1
    }

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

    /// The commands of the programs in `mistakes/` or `variants/`, by name: all are in one executable.
    async fn commands(&self, workspace: &Workspace, kind: &str) -> BTreeMap<String, String> {
        let slug = &self.chapter.slug;
        let (package, solution) = (format!("{slug}-{kind}"), Side::Solution.package(slug));
        let built = build::programs(&workspace.root, &package, &solution, Diagnostics::Keep)
            .await
            .expect("they compile");
        let executable = built[&package].display();
        let list = std::process::Command::new(&built[&package]).output();
        let list = String::from_utf8(list.expect("it lists its programs").stdout);
        let names: BTreeSet<String> = list.expect("text").lines().map(str::to_owned).collect();
        assert_eq!(
            names,
            self.sources(workspace, kind),
            "name all files in main.rs"
        );
        let command = |name: String| (name.clone(), format!("'{executable}' {name}"));
        names.into_iter().map(command).collect()
    }

    /// The files in `mistakes/` or `variants/`, without their ending.
    fn sources(&self, workspace: &Workspace, kind: &str) -> BTreeSet<String> {
        let folder = workspace.folder(self.number, &self.chapter, Side::Solution);
        lint::programs_in(&folder.join(kind)).into_iter().collect()
    }

    /// The commands of the chapter's programs in Python, if it keeps some.
    fn python(&self, workspace: &Workspace) -> Option<BTreeMap<String, String>> {
        let folder = workspace
            .folder(self.number, &self.chapter, Side::Solution)
            .join("variants/python");
        let scripts = self.chapter.programs.iter().map(|program| {
            let script = folder.join(format!("{program}.py"));
            (program.clone(), script)
        });
        let scripts: Vec<_> = scripts.filter(|(_, script)| script.is_file()).collect();
        if scripts.is_empty() {
            return None;
        }
        let Ok(python) = std::env::var("WORKBOOK_PYTHON") else {
            eprintln!(
                "SKIPPED: WORKBOOK_PYTHON names no Python with pika (`cargo workbook verify` makes one)"
            );
            assert_ne!(
                std::env::var("WORKBOOK_NO_SKIP").as_deref(),
                Ok("1"),
                "no skip is allowed"
            );
            return None;
        };
        let commands = scripts.into_iter().map(|(program, script)| {
            let command = format!("'{python}' '{}'", script.display());
            (program, command)
        });
        Some(commands.collect())
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

/// Whether each mistake is tried against those checks only that its snapshot says it fails.
///
/// `verify` asks for it. That the other checks let a mistake pass was seen when its snapshot was made, and is seen again
/// by whoever runs these tests by hand.
fn known_mistakes_only() -> bool {
    std::env::var("WORKBOOK_KNOWN_MISTAKES_ONLY").is_ok_and(|value| value == "1")
}

/// The snapshot of a mistake's verdict; empty when there is none yet.
fn snapshot(mistakes: &Path, name: &str) -> String {
    std::fs::read_to_string(mistakes.join(format!("snapshots/{name}.snap"))).unwrap_or_default()
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

/// The checks that a mistake is held against, where its own comment names them: `//! Certain: check, check`.
///
/// It is a mistake whose luck depends on how fast the broker is. In these checks it has none; what they say of it may
/// still differ, so its snapshot has no more than their names.
fn certain_checks(source: &Path) -> Option<BTreeSet<String>> {
    let source = std::fs::read_to_string(source).expect("the mistake has a source");
    let named = source
        .lines()
        .find_map(|line| line.strip_prefix("//! Certain: "))?;
    Some(named.split(", ").map(str::to_owned).collect())
}

/// The findings in a few results.
fn findings(results: &[CheckResult]) -> BTreeSet<&str> {
    let found = results.iter().flat_map(|result| &result.report.findings);
    found.map(|finding| finding.id.as_str()).collect()
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

/// The tests of a chapter, each under the chapter's name.
macro_rules! chapters {
    ($($module:ident: $slug:literal),+ $(,)?) => {
        const TESTED: &[&str] = &[$($slug),+];
        $(mod $module {
            #[tokio::test(flavor = "multi_thread")]
            async fn the_solution_gets_full_marks() {
                super::the_solution_gets_full_marks($slug).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn the_starter_fails_every_check_and_says_where_to_write() {
                super::the_starter_fails_every_check_and_says_where_to_write($slug).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn every_variant_gets_full_marks() {
                super::every_variant_gets_full_marks($slug).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn every_mistake_is_caught_for_its_own_reason() {
                super::every_mistake_is_caught_for_its_own_reason($slug).await;
            }
        })+
    };
}

chapters! {
    hello_world: "hello-world",
    work_queues: "work-queues",
    publish_subscribe: "publish-subscribe",
    routing: "routing",
    topics: "topics",
    headers: "headers",
    rpc: "rpc",
    publisher_confirms: "publisher-confirms",
}

#[test]
fn every_chapter_is_tested() {
    let course = workspace().course;
    let chapters: Vec<_> = course.chapters.iter().map(|it| it.slug.as_str()).collect();
    assert_eq!(chapters, TESTED, "name the chapters of course.toml here");
}

/// The solution passes, shows no finding, and says to the broker what the snapshots hold: a reader of a review sees
/// what changed.
async fn the_solution_gets_full_marks(slug: &str) {
    let workspace = workspace();
    let chapter = Compiled::of(&workspace, slug, Side::Solution).await;
    let results = chapter.run(BTreeMap::new()).await;
    assert!(passes(&results), "{}", in_full(&results));
    expect_no_findings(slug, &results);
    let folder = workspace
        .folder(chapter.number, &chapter.chapter, Side::Exercise)
        .join("tests/snapshots");
    let settings = snapshots_in(&folder);
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
    let once = results.iter().filter(|result| result.report.cases == 0);
    let names = once.map(|result| result.report.name.clone()).collect();
    no_stray_snapshots(&folder, &names);
}

/// Snapshots beside what they are of, and not beside this file.
fn snapshots_in(folder: &Path) -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    // Whatever else is built with it decides in which order serde_json keeps them.
    settings.set_sort_maps(true);
    settings
}

/// A snapshot of nothing that there still is would prove nothing.
fn no_stray_snapshots(folder: &Path, names: &BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("there are snapshots") {
        let file = entry.expect("it can be listed").file_name();
        let file = file.to_string_lossy();
        let known = file
            .split('.')
            .next()
            .is_some_and(|name| names.contains(name));
        assert!(
            known,
            "{}/{file} is a snapshot of nothing: delete it",
            folder.display()
        );
    }
}

async fn the_starter_fails_every_check_and_says_where_to_write(slug: &str) {
    let workspace = workspace();
    let chapter = Compiled::of(&workspace, slug, Side::Exercise).await;
    let folder = workspace.folder(chapter.number, &chapter.chapter, Side::Exercise);
    let unsolved = chapter.chapter.programs.iter().all(|program| {
        let source = std::fs::read_to_string(folder.join("src/bin").join(format!("{program}.rs")));
        source.is_ok_and(|source| source.contains("todo!("))
    });
    assert!(
        unsolved,
        "the exercises of this checkout are (partly) solved: cargo workbook verify is for the repository as it is handed out"
    );
    for result in chapter.run(BTreeMap::new()).await {
        let text = result.report.text();
        assert_eq!(result.report.verdict, Verdict::Fail, "{text}");
        assert!(text.contains("stopped at a `todo!()`"), "{text}");
    }
}

/// Correct programs in other styles and, where the chapter keeps some, in Python: with pika, as in the original
/// tutorials.
async fn every_variant_gets_full_marks(slug: &str) {
    let workspace = workspace();
    let chapter = Compiled::of(&workspace, slug, Side::Solution).await;
    // Programs of one variant belong together: send-transient and receive-transient.
    let mut variants: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for (name, command) in chapter.commands(&workspace, "variants").await {
        let program = chapter.program_of(&name);
        let variant = name[program.len() + 1..].to_owned();
        let commands = variants.entry(variant).or_default();
        commands.insert(program.to_owned(), command);
    }
    assert!(
        variants.len() >= 2,
        "a chapter keeps at least 2 variants besides those in Python"
    );
    if let Some(python) = chapter.python(&workspace) {
        variants.insert("python".to_owned(), python);
    }
    let mut judged = stream::iter(variants)
        .map(async |(variant, commands)| (variant, chapter.run(commands).await))
        .buffer_unordered(VARIANTS_AT_ONCE);
    while let Some((variant, results)) = judged.next().await {
        assert!(passes(&results), "{variant}: {}", in_full(&results));
        expect_no_findings(&variant, &results);
    }
}

/// What a program said in a check.
#[derive(Clone, Debug, PartialEq)]
struct Said {
    check: String,
    program: String,
    conversation: serde_json::Value,
}

/// What all programs said in the checks that are tried once.
fn said(results: &[CheckResult]) -> Vec<Said> {
    let once = results.iter().filter(|result| result.report.cases == 0);
    let programs = once.flat_map(|result| {
        let check = &result.report.name;
        result.report.programs.iter().map(move |it| (check, it))
    });
    // How the connection of a killed program ends is the kernel's choice.
    let left = programs.filter(|(_, program)| {
        !program
            .ended
            .as_deref()
            .is_some_and(|ended| ended.contains("signal 9"))
    });
    let said = left.map(|(check, program)| Said {
        check: check.clone(),
        program: program.name.clone(),
        conversation: program.conversation.clone(),
    });
    said.collect()
}

/// What the tutorial's programs in Python say where ours say this: their queue is not durable, and Ctrl-C ends theirs
/// where it stands.
fn as_in_the_tutorial(mut ours: Said) -> Said {
    let Some(said) = ours.conversation.as_object_mut() else {
        return ours;
    };
    for queue in said["queues"].as_array_mut().expect("queues") {
        let queue = queue.as_object_mut().expect("a queue");
        assert_eq!(queue.remove("durable"), Some(true.into()));
    }
    if ours.program == "receive" && said["connections"][0] == "closed" {
        said["connections"][0] = "dropped by the client without connection.close".into();
    }
    ours
}

/// The same checks and programs that mean the same, with three clients: their conversations are equal, but for what the
/// programs in Python do in another way of their own accord.
#[tokio::test(flavor = "multi_thread")]
async fn lapin_amqprs_and_pika_have_the_same_conversations() {
    let workspace = workspace();
    let chapter = Compiled::of(&workspace, "hello-world", Side::Solution).await;
    let lapin = said(&chapter.run(BTreeMap::new()).await);
    assert!(lapin.len() >= 10, "{lapin:#?}");
    let variants = chapter.commands(&workspace, "variants").await;
    let programs = chapter.chapter.programs.iter();
    let amqprs = programs.map(|program| {
        let command = variants[&format!("{program}-amqprs")].clone();
        (program.clone(), command)
    });
    let amqprs = said(&chapter.run(amqprs.collect()).await);
    assert_eq!(lapin, amqprs);
    if let Some(python) = chapter.python(&workspace) {
        let pika = said(&chapter.run(python).await);
        let expected: Vec<Said> = lapin.into_iter().map(as_in_the_tutorial).collect();
        assert_eq!(expected, pika);
    }
}

async fn every_mistake_is_caught_for_its_own_reason(slug: &str) {
    let workspace = workspace();
    let chapter = Compiled::of(&workspace, slug, Side::Solution).await;
    let folder = workspace
        .folder(chapter.number, &chapter.chapter, Side::Solution)
        .join("mistakes");
    let mistakes = chapter.commands(&workspace, "mistakes").await;

    let known_only = known_mistakes_only();
    let checks = match known_only {
        true => BTreeMap::new(),
        false => chapter.checks_by_program().await,
    };
    let outcomes: BTreeMap<String, Vec<CheckResult>> = stream::iter(mistakes)
        .map(async |(name, command)| {
            let program = chapter.program_of(&name);
            let commands = BTreeMap::from([(program.to_owned(), command)]);
            let source = folder.join("src").join(format!("{name}.rs"));
            if let Some(certain) = certain_checks(&source) {
                let mut concerned = chapter.chapter.checks.clone();
                concerned.retain(|check| certain.contains(&check.name));
                return (name, chapter.run_checks(commands, concerned).await);
            }
            if !known_only {
                let concerned = checks[program].clone();
                return (name, chapter.run_checks(commands, concerned).await);
            }
            let known = snapshot(&folder, &name);
            let fails = |check: &Check| known.contains(&format!("\nfail {}\n", check.name));
            let all = chapter.chapter.checks.iter().cloned();
            let (known, others): (Vec<_>, Vec<_>) = all.partition(fails);
            let mut results = chapter.run_checks(commands.clone(), known).await;
            // Some findings are seen where nothing fails.
            let named = named_finding(&source);
            if named.is_some_and(|named| !findings(&results).contains(named.as_str())) {
                results.extend(chapter.run_checks(commands, others).await);
            }
            (name, results)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;

    let mut failed = BTreeSet::new();
    let mut wrong = Vec::new();
    for (name, results) in &outcomes {
        // Our own fault says nothing about the mistake, and belongs in no snapshot.
        let ours = |it: &CheckResult| it.report.verdict == Verdict::Infra;
        if results.iter().any(ours) {
            wrong.push(format!("{name} was not judged"));
            eprintln!("{name}: {}", in_full(results));
        }
    }
    let settings = snapshots_in(&folder.join("snapshots"));
    for (name, results) in &outcomes {
        let failures = results
            .iter()
            .filter(|result| result.report.verdict == Verdict::Fail);
        failed.extend(failures.map(|result| result.report.name.clone()));
        if results.is_empty() {
            wrong.push(format!(
                "{name} has no snapshot that tells which checks it fails"
            ));
        } else if passes(results) {
            wrong.push(format!("{name} passes every check"));
        }
        if let Some(named) = named_finding(&folder.join("src").join(format!("{name}.rs"))) {
            let shown = findings(results);
            if !shown.contains(named.as_str()) {
                wrong.push(format!("{name}: {named} is not among {shown:?}"));
                eprintln!("{name}: {}", in_full(results));
            }
        }
    }
    let checks = chapter.chapter.checks.iter();
    for idle in checks.filter(|check| !failed.contains(&check.name)) {
        wrong.push(format!(
            "no mistake fails {}, so it proves nothing",
            idle.name
        ));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for (name, results) in &outcomes {
        let source = folder.join("src").join(format!("{name}.rs"));
        let told = told(&chapter.chapter, results, certain_checks(&source).is_some());
        if !snapshot(&folder, name).ends_with(&told) {
            // The snapshot shows what is different, and this shows why.
            eprintln!("{name}: {}", in_full(results));
        }
        settings.bind(|| insta::assert_snapshot!(name.as_str(), told));
    }
    let sources = chapter.sources(&workspace, "mistakes");
    no_stray_snapshots(&folder.join("snapshots"), &sources);
}

#[test]
fn the_catalogue_agrees_with_the_repository() {
    assert_eq!(lint::lint(&workspace()), Vec::<String>::new());
}
