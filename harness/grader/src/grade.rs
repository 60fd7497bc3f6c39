//! Grading a class: every exercise of every submission is built and run, several at a time, and stored as it ends.

mod job;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::sync::{OnceCell, Semaphore};
use workbook_broker::Broker;
use workbook_course::{Chapter, Edition, Workspace};
use workbook_report::{Verdict, request::Request};
use workbook_runner::{
    build::{self, BuildError},
    leases::Leases,
};
use workbook_sandbox::Room;

use crate::{
    compile::{self, Built},
    depot::Depot,
    model::{Conditions, Exercise, Results, SCHEMA, Submission},
    report,
    store::{Store, StoreError},
    submission::{self, Entry, Files, Refusal},
};

/// How long one check of a stranger's programs may take, before it is their fault. A correct program's longest takes some 15 s.
const STRANGERS_LIMIT: Duration = Duration::from_mins(2);

/// How many virtual hosts each check is lent: two cases of a property run at the same time, and some look first, in a
/// world of its own, at how a program declares its queue.
const LEASES: usize = 3;

/// What to grade, and how.
#[derive(Clone, Debug)]
pub struct Class {
    /// The checkout that the checks are taken from.
    pub workspace: Workspace,
    /// A folder of submissions, or one submission.
    pub path: PathBuf,
    /// The exercises, by slug; none: all that any of the submissions holds.
    pub exercises: Vec<String>,
    /// How many submissions are compiled at the same time.
    pub jobs: usize,
    /// Grade again what is graded already.
    pub again: bool,
    /// Whether programs in other languages are run.
    pub any_language: bool,
    /// Folders of this machine that programs in other languages need: their `bin` comes first on the path.
    pub tools: Vec<PathBuf>,
    /// How sandboxes are made; `None`: programs are run as we are.
    pub room: Option<Room>,
    /// The broker, for the virtual hosts that the checks share.
    pub broker: Broker,
    /// What every check is told: which broker, and which language, which is that of the reports as well.
    pub request: Request,
}

/// What is told while a class is graded; as JSON, a line each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum GradeEvent {
    /// Everything is ready.
    Started {
        /// How many submissions there are.
        submissions: usize,
        /// How many exercises of them there are to grade.
        total: usize,
        /// The exercises, by slug.
        exercises: Vec<String>,
        /// What lies beside the submissions and is nobody's.
        passed_over: Vec<String>,
        /// What they are graded with.
        #[serde(rename = "evidence")]
        conditions: Conditions,
    },
    /// An exercise of a submission is graded, and its result is stored.
    Graded {
        /// The submission's name.
        submission: String,
        /// The exercise's slug.
        exercise: String,
        /// What it came to.
        verdict: Verdict,
        /// The points; `null`: it could not be graded.
        points: Option<u32>,
        /// The points that it could give.
        max_points: u32,
        /// Whether the result was there already.
        reused: bool,
    },
    /// Everything is graded and written.
    Finished {
        /// How many submissions came to each verdict.
        verdicts: BTreeMap<&'static str, usize>,
    },
}

/// Why nothing was graded.
#[derive(Debug, thiserror::Error)]
pub enum GradeError {
    /// The submissions cannot be listed.
    #[error("cannot read {}", path.display())]
    Path {
        /// Where they should be.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// There is no such exercise.
    #[error("there is no exercise `{slug}`; the exercises are {known}")]
    NoExercise {
        /// What was asked for.
        slug: String,
        /// Those that there are.
        known: String,
    },
    /// There is nothing to grade.
    #[error("{} holds no submission", .0.display())]
    Empty(PathBuf),
    /// The checks do not compile: that is our own fault.
    #[error("the checks cannot be built")]
    Checks(#[from] BuildError),
    /// The results cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What all jobs share.
struct Shop {
    class: Class,
    depot: Depot,
    store: Store,
    conditions: Conditions,
    /// The check binaries, by slug.
    checks: BTreeMap<String, PathBuf>,
    /// What is compiled once for each exercise, by slug.
    prefabs: BTreeMap<String, PathBuf>,
    /// Who may compile.
    builders: Semaphore,
    /// A place for each check that runs.
    places: Arc<Semaphore>,
    /// Virtual hosts for the checks.
    leases: Arc<Leases>,
    /// The programs of each set of sources, by hash: identical submissions are built once.
    built: Mutex<HashMap<String, Shared>>,
}

/// Programs that several submissions may have.
#[derive(Default)]
struct Shared {
    /// How many of them are still to be graded. After the last one the programs are removed: they take 10 MB.
    users: usize,
    cell: Arc<OnceCell<Compiled>>,
}

/// What compiling came to: the learner's words where it is the learner's fault.
type Compiled = Result<Arc<Built>, String>;

/// One submission, as far as it is known before it is graded.
struct Planned {
    entry: Entry,
    /// The hash of each exercise's sources, by slug; or why they cannot be used.
    sources: Result<BTreeMap<String, Result<String, String>>, String>,
    ignored: Vec<String>,
}

impl Planned {
    /// Why nothing of it can be graded; `None`: something can.
    fn refused(&self) -> Option<String> {
        let mut reasons = match &self.sources {
            Ok(sources) => sources.values().map(|it| it.as_ref().err()),
            Err(reason) => return Some(reason.clone()),
        };
        let first = reasons.next()??;
        // Where there are several, each exercise says its own.
        reasons.next().is_none().then(|| first.clone())
    }
}

/// Grades a class into a folder; returns the results as [`Submission::shorten`] leaves them. All that is told is in the
/// files.
///
/// `conditions` lacks only what is learned here: the seed, the toolchain and the hash of the checks.
pub async fn grade(
    class: Class,
    depot: Depot,
    store: Store,
    conditions: Conditions,
    mut tell: impl FnMut(&GradeEvent),
    say: impl Fn(&str),
) -> Result<Results, GradeError> {
    let (planned, passed_over) = plan(&class, &store)?;
    let chapters = chapters(&class, &planned)?;
    say("building the checks");
    let packages: Vec<String> = (chapters.iter())
        .map(|chapter| Edition::Solution.package(&chapter.slug))
        .collect();
    let checks = build::all_checks(&class.workspace.root, &packages).await?;
    let checks: BTreeMap<String, PathBuf> = (chapters.iter())
        .filter_map(|chapter| {
            let binary = checks.get(&Edition::Solution.package(&chapter.slug))?;
            Some((chapter.slug.clone(), binary.clone()))
        })
        .collect();
    let mut prefabs = BTreeMap::new();
    for (place, chapter) in class.workspace.course.chapters.iter().enumerate() {
        if chapters.iter().any(|it| it.slug == chapter.slug) {
            let folder = class
                .workspace
                .folder(place + 1, chapter, Edition::Solution);
            let solution = solution(&folder, chapter);
            match compile::prefab(&depot, class.room.as_ref(), chapter, &solution).await {
                Ok(prefab) => {
                    prefabs.insert(chapter.slug.clone(), prefab);
                }
                // Every submission is compiled all the same, and slower.
                Err(error) => say(&format!(
                    "the solution of {} cannot be compiled once for all, so every submission takes longer: {error}",
                    chapter.slug
                )),
            }
        }
    }
    let conditions = Conditions {
        toolchain: depot.version.clone(),
        checks: hash_of(&class.workspace, &checks)?,
        ..conditions
    };
    tell(&GradeEvent::Started {
        submissions: planned.len(),
        total: planned.len() * chapters.len(),
        exercises: chapters.iter().map(|it| it.slug.clone()).collect(),
        passed_over: passed_over.clone(),
        conditions: conditions.clone(),
    });

    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = class.jobs.max(1);
    let shop = Arc::new(Shop {
        builders: Semaphore::new(jobs),
        // Checks mostly wait, so more of them run than there are cores; a program that hangs holds a place for a while.
        places: Arc::new(Semaphore::new(3 * jobs.max(cores))),
        leases: Arc::new(Leases::on(class.broker.clone(), LEASES)),
        built: Mutex::new(users(&planned, &chapters)),
        class,
        depot,
        store,
        conditions,
        checks,
        prefabs,
    });
    let results = grade_all(&shop, planned, &chapters, &mut tell).await;
    shop.leases.release().await;
    let results = Results {
        passed_over,
        ..results?
    };
    report::write_class(&shop.store, &results, shop.class.request.language)?;
    let verdicts = Verdict::ALL.map(|verdict| (verdict.word(), results.count(verdict)));
    tell(&GradeEvent::Finished {
        verdicts: verdicts.into(),
    });
    Ok(results)
}

/// How many submissions have each set of sources.
fn users(planned: &[Planned], chapters: &[Chapter]) -> HashMap<String, Shared> {
    let mut built: HashMap<String, Shared> = HashMap::new();
    for sources in planned.iter().filter_map(|it| it.sources.as_ref().ok()) {
        for sha256 in chapters
            .iter()
            .filter_map(|it| sources.get(&it.slug)?.as_ref().ok())
        {
            built.entry(sha256.clone()).or_default().users += 1;
        }
    }
    built
}

/// The programs of a chapter's solution.
fn solution(folder: &Path, chapter: &Chapter) -> Files {
    let programs = chapter.programs.iter().filter_map(|program| {
        let path = format!("src/bin/{program}.rs");
        let source = std::fs::read(folder.join(&path)).ok()?;
        Some((path, source))
    });
    programs.collect()
}

/// Reads every entry once, for what is in it; returns what is nobody's, too.
fn plan(class: &Class, store: &Store) -> Result<(Vec<Planned>, Vec<String>), GradeError> {
    let unreadable = |source| GradeError::Path {
        path: class.path.clone(),
        source,
    };
    let entries = submission::entries(&class.path, &class.workspace.course).map_err(unreadable)?;
    let out = std::fs::canonicalize(store.root()).unwrap_or_else(|_| store.root().to_owned());
    let told = |refusal: Refusal| refusal.text(class.request.language);
    let planned: Vec<Planned> = (entries.submissions.into_iter())
        .filter(|entry| entry.path != out)
        .map(|entry| {
            let handed = entry.read(&class.workspace.course, class.any_language);
            let (sources, ignored) = match handed {
                Ok(handed) => {
                    let sources = handed.exercises.into_iter().map(|(slug, sources)| {
                        let sources = sources.map(|it| submission::hash(&slug, it.files()));
                        (slug, sources.map_err(told))
                    });
                    (Ok(sources.collect()), handed.ignored)
                }
                Err(refusal) => (Err(told(refusal)), Vec::new()),
            };
            Planned {
                entry,
                sources,
                ignored,
            }
        })
        .collect();
    if planned.is_empty() {
        return Err(GradeError::Empty(class.path.clone()));
    }
    Ok((planned, entries.passed_over))
}

/// The exercises that are graded, in the order of the course.
fn chapters(class: &Class, planned: &[Planned]) -> Result<Vec<Chapter>, GradeError> {
    let course = &class.workspace.course;
    let known = || {
        let slugs: Vec<&str> = course.chapters.iter().map(|it| it.slug.as_str()).collect();
        slugs.join(", ")
    };
    if let Some(slug) = (class.exercises.iter()).find(|slug| course.chapter(slug).is_none()) {
        return Err(GradeError::NoExercise {
            slug: slug.clone(),
            known: known(),
        });
    }
    let found: BTreeSet<&String> = (planned.iter())
        .filter_map(|it| it.sources.as_ref().ok())
        .flat_map(BTreeMap::keys)
        .collect();
    let wanted = |chapter: &&Chapter| match class.exercises.is_empty() {
        true => found.contains(&chapter.slug),
        false => class.exercises.contains(&chapter.slug),
    };
    Ok(course.chapters.iter().filter(wanted).cloned().collect())
}

/// A hash of the checks that are run, and of the catalogue with their points.
fn hash_of(
    workspace: &Workspace,
    checks: &BTreeMap<String, PathBuf>,
) -> Result<String, GradeError> {
    let mut hash = Sha256::new();
    let catalogue = workspace.root.join("exercises").join("course.toml");
    for path in checks.values().chain([&catalogue]) {
        let mut file = std::fs::File::open(path).map_err(|source| GradeError::Path {
            path: path.clone(),
            source,
        })?;
        io::copy(&mut file, &mut HashWriter(&mut hash)).map_err(|source| GradeError::Path {
            path: path.clone(),
            source,
        })?;
    }
    Ok(submission::hex(&hash.finalize()))
}

struct HashWriter<'a>(&'a mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Grades everything; returns the results in the order of the entries.
async fn grade_all(
    shop: &Arc<Shop>,
    planned: Vec<Planned>,
    chapters: &[Chapter],
    tell: &mut impl FnMut(&GradeEvent),
) -> Result<Results, GradeError> {
    let mut submissions: Vec<(Submission, usize)> = planned
        .iter()
        .map(|it| (empty(it), chapters.len()))
        .collect();
    let planned: Vec<Arc<Planned>> = planned.into_iter().map(Arc::new).collect();
    let places =
        (0..planned.len()).flat_map(|number| (0..chapters.len()).map(move |place| (number, place)));
    // As many are on their way as keep the builders and the places for checks busy.
    let under_way = 2 * shop.class.jobs.max(1) + 2;
    let mut jobs = stream::iter(places)
        .map(|(number, place)| {
            let job = job::Job {
                shop: Arc::clone(shop),
                planned: Arc::clone(&planned[number]),
                chapter: chapters[place].clone(),
            };
            let task = tokio::spawn(async move { job.done().await });
            async move { (number, place, task.await) }
        })
        .buffer_unordered(under_way);
    for (submission, _) in &mut submissions {
        submission.exercises = chapters.iter().map(unknown).collect();
    }
    if chapters.is_empty() {
        for (submission, _) in &mut submissions {
            shop.write(submission)?;
        }
    }
    while let Some((number, place, done)) = jobs.next().await {
        // A panic is a bug of ours, and is told where panics are told; what it was about is not graded.
        let (exercise, reused) = done.unwrap_or_else(|_| (unknown(&chapters[place]), false));
        let (submission, left) = &mut submissions[number];
        tell(&GradeEvent::Graded {
            submission: submission.name.clone(),
            exercise: exercise.slug.clone(),
            verdict: exercise.verdict,
            points: exercise.points,
            max_points: exercise.max_points,
            reused,
        });
        submission.exercises[place] = exercise;
        *left -= 1;
        if *left == 0 {
            shop.write(submission)?;
        }
    }
    let submissions = submissions.into_iter().map(|(mut submission, _)| {
        submission.sum_up();
        submission
    });
    Ok(Results {
        schema: SCHEMA.to_owned(),
        conditions: shop.conditions.clone(),
        submissions: submissions.collect(),
        passed_over: Vec::new(),
    })
}

/// A submission of which no exercise is graded yet.
fn empty(planned: &Planned) -> Submission {
    let mut hash = Sha256::new();
    let mut any = false;
    for (slug, sources) in planned.sources.iter().flatten() {
        if let Ok(sources) = sources {
            any = true;
            hash.update(slug);
            hash.update(sources);
        }
    }
    Submission {
        name: planned.entry.name.clone(),
        folder: planned.entry.folder.clone(),
        handed_in: planned.entry.changed(),
        sha256: if any {
            submission::hex(&hash.finalize())
        } else {
            String::new()
        },
        verdict: Verdict::Ungradable,
        points: None,
        max_points: 0,
        message: planned.refused(),
        ignored: planned.ignored.iter().take(50).cloned().collect(),
        exercises: Vec::new(),
    }
}

/// An exercise of which nothing is known: where its job died, that is our fault.
fn unknown(chapter: &Chapter) -> Exercise {
    Exercise {
        slug: chapter.slug.clone(),
        title: chapter.title.clone(),
        sha256: String::new(),
        verdict: Verdict::Infra,
        points: None,
        max_points: chapter.points(),
        message: Some("the grader itself failed".to_owned()),
        causes: Vec::new(),
        checks: Vec::new(),
    }
}

impl Shop {
    /// The place of the programs of some sources.
    fn cell(&self, sha256: &str) -> Arc<OnceCell<Compiled>> {
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&built.entry(sha256.to_owned()).or_default().cell)
    }

    /// A submission with these sources is graded.
    fn finished(&self, sha256: &str) {
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shared) = built.get_mut(sha256) {
            shared.users = shared.users.saturating_sub(1);
            if shared.users == 0 {
                built.remove(sha256);
            }
        }
    }

    /// Writes all that is told of a submission whose exercises are graded, and keeps the essence.
    fn write(&self, submission: &mut Submission) -> Result<(), StoreError> {
        submission.sum_up();
        let language = self.class.request.language;
        report::write_submission(&self.store, &self.conditions, submission, language)?;
        submission.shorten();
        Ok(())
    }

    /// The result's key: all that it depends on.
    fn key(&self, slug: &str, sha256: &str) -> String {
        let conditions = &self.conditions;
        let tag = self.class.request.language.tag();
        let parts = [
            slug,
            sha256,
            &conditions.seed.to_string(),
            &conditions.broker.kind,
            &conditions.broker.version,
            &conditions.toolchain,
            &conditions.checks,
            &conditions.sandbox,
            tag,
        ];
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        submission::hex(&hash.finalize())
    }
}

/// The names of tapes and pictures that a check left in a folder, within the folder of the class.
fn tape_and_picture(folder: &Path, within: &str) -> (Option<String>, Option<String>) {
    let mut names: Vec<String> = (std::fs::read_dir(folder).into_iter().flatten().flatten())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    let first = |ending: &str| {
        let found = names.iter().find(|name| name.ends_with(ending));
        found.map(|name| format!("{within}/{name}"))
    };
    (first(".jsonl"), first("picture.svg"))
}
