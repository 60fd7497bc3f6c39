//! What the tests of all chapters have in common.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use libtest_mimic::Trial;
use workbook_course::{Chapter, Check, Edition, Workspace, lint};
use workbook_report::{
    Verdict,
    request::{Programs, Request},
};
use workbook_runner::{
    CheckResult, Plan,
    build::{self, Diagnostics},
    event::BrokerInfo,
    run::{Bounds, run},
};

/// Programs, by name: the executable and its first arguments.
pub(crate) type Commands = BTreeMap<String, Vec<String>>;

/// So that snapshots hold the same random cases each time.
const SEED: u64 = 1;

/// A test of every chapter of the course, each under the chapter's name: `hello_world::the_solution_gets_full_marks`.
pub(crate) fn of_every_chapter(
    name: &str,
    test: impl AsyncFn(&str) + Copy + Send + 'static,
) -> Vec<Trial> {
    let chapters = workspace().course.chapters.into_iter();
    let trial = |chapter: Chapter| {
        let module = chapter.slug.replace('-', "_");
        Trial::test(format!("{module}::{name}"), move || {
            block_on(test(&chapter.slug));
            Ok(())
        })
    };
    chapters.map(trial).collect()
}

/// Awaits a test as `#[tokio::test(flavor = "multi_thread")]` does.
pub(crate) fn block_on(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(test);
}

pub(crate) fn workspace() -> Workspace {
    Workspace::find(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("the tests run in a checkout")
}

/// A chapter whose checks are compiled, with the programs of one side.
pub(crate) struct Compiled {
    pub(crate) number: usize,
    pub(crate) chapter: Chapter,
    binary: PathBuf,
}

impl Compiled {
    pub(crate) async fn of(workspace: &Workspace, slug: &str, side: Edition) -> Self {
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

    pub(crate) async fn run(&self, commands: Commands) -> Vec<CheckResult> {
        self.run_checks(commands, self.chapter.checks.clone()).await
    }

    /// Runs some of the checks.
    pub(crate) async fn run_checks(
        &self,
        commands: Commands,
        checks: Vec<Check>,
    ) -> Vec<CheckResult> {
        let plan = Plan {
            chapter: Chapter {
                checks,
                ..self.chapter.clone()
            },
            binary: self.binary.clone(),
            request: Request {
                programs: Programs {
                    commands,
                    directory: std::env::temp_dir(),
                },
                ..Request::default()
            },
            seed: SEED,
            jobs: None,
            broker: BrokerInfo {
                kind: String::new(),
                version: String::new(),
            },
            keep: None,
            bounds: Bounds::default(),
        };
        run(&plan, |_| {}).await.expect("the checks can be run").1
    }

    /// The commands of the programs in `mistakes/` or `variants/`, by name: all are in one executable.
    pub(crate) async fn commands(&self, workspace: &Workspace, kind: &str) -> Commands {
        let slug = &self.chapter.slug;
        let (package, solution) = (format!("{slug}-{kind}"), Edition::Solution.package(slug));
        let built = build::programs(&workspace.root, &package, &solution, Diagnostics::Keep)
            .await
            .expect("they compile");
        let executable = built[&package].display().to_string();
        let list = std::process::Command::new(&built[&package]).output();
        let list = String::from_utf8(list.expect("it lists its programs").stdout);
        let names: BTreeSet<String> = list.expect("text").lines().map(str::to_owned).collect();
        assert_eq!(
            names,
            self.sources(workspace, kind),
            "name all files in main.rs"
        );
        let command = |name: String| (name.clone(), vec![executable.clone(), name]);
        let mut commands: BTreeMap<_, _> = names.into_iter().map(command).collect();
        let scripts = self.scripts(workspace, kind);
        if !scripts.is_empty()
            && let Some(python) = python()
        {
            let command = |(name, script): (String, PathBuf)| {
                (name, vec![python.clone(), script.display().to_string()])
            };
            commands.extend(scripts.into_iter().map(command));
        }
        commands
    }

    /// The scripts in the folder `python` of `mistakes/` or `variants/`, by name.
    pub(crate) fn scripts(&self, workspace: &Workspace, kind: &str) -> BTreeMap<String, PathBuf> {
        let folder = workspace.folder(self.number, &self.chapter, Edition::Solution);
        let Ok(entries) = std::fs::read_dir(folder.join(kind).join("python")) else {
            return BTreeMap::new();
        };
        let scripts = entries.filter_map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name()?.to_str()?.strip_suffix(".py")?.to_owned();
            Some((name, path))
        });
        scripts.collect()
    }

    /// The files in `mistakes/` or `variants/`, without their ending.
    pub(crate) fn sources(&self, workspace: &Workspace, kind: &str) -> BTreeSet<String> {
        let folder = workspace.folder(self.number, &self.chapter, Edition::Solution);
        lint::programs_in(&folder.join(kind)).into_iter().collect()
    }

    /// `receive-never-acks` stands for `receive`.
    pub(crate) fn program_of<'a>(&'a self, name: &str) -> &'a str {
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

/// Everything that is known of the checks that failed, for whoever has to find out why.
pub(crate) fn in_full(results: &[CheckResult]) -> String {
    let failed = results
        .iter()
        .filter(|result| result.report.verdict != Verdict::Pass);
    failed.map(|result| result.report.text()).collect()
}

pub(crate) fn passes(results: &[CheckResult]) -> bool {
    results
        .iter()
        .all(|result| result.report.verdict == Verdict::Pass)
}

/// Snapshots beside what they are of, and not beside this file.
pub(crate) fn snapshots_in(folder: &Path) -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    // Whatever else is built with it decides in which order serde_json keeps them.
    settings.set_sort_maps(true);
    settings
}

/// A snapshot of nothing that there still is would prove nothing.
pub(crate) fn no_stray_snapshots(folder: &Path, names: &BTreeSet<String>) {
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

/// The Python with pika that `cargo workbook verify` makes; `None`, said loudly: there is none.
#[allow(clippy::print_stderr, reason = "a skip is loud")]
pub(crate) fn python() -> Option<String> {
    let python = std::env::var("WORKBOOK_PYTHON").ok();
    if python.is_none() {
        eprintln!(
            "SKIPPED: WORKBOOK_PYTHON names no Python with pika (`cargo workbook verify` makes one)"
        );
        assert_ne!(
            std::env::var("WORKBOOK_NO_SKIP").as_deref(),
            Ok("1"),
            "no skip is allowed"
        );
    }
    python
}
