//! Running one check: find the broker, open a lab, run the body, tell what came of it.

mod by_hand;

use std::{
    fmt,
    rc::Rc,
    time::{Duration, Instant},
};

use futures_util::future::LocalBoxFuture;
use tokio::sync::OnceCell;
use workbook_broker::{Broker, Options};
use workbook_course::ChapterGiven;
use workbook_report::{
    failure::{Checked, Failure, Verdict},
    kept, log,
    report::{CheckReport, ProgramReport},
    request::{REQUEST, Request},
    seed, sentences,
};

use crate::{
    evidence::{self, Evidence},
    exercise::Exercise,
    lab::{Bench, Lab, Leases, Record},
    process,
    wait::DEADLINE,
};

/// What the `#[test]` of a check returns: a report, where it did not hold.
pub type Outcome = Result<(), FailedCheck>;

/// A failure that shows itself in a line where the test runner prints it: what it stands on is told once for all of
/// them, when the last one has run.
pub struct FailedCheck(Box<CheckReport>);

impl fmt::Debug for FailedCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failure = self.0.failure.as_ref();
        let observed = failure.map_or("", |failure| &failure.observed);
        let first = observed.lines().next().unwrap_or_default();
        write!(f, "{}: {first}", self.0.name)
    }
}

/// What came of a body in its lab.
#[derive(Debug)]
pub(crate) struct Tried {
    pub(crate) result: Checked,
    /// What is known of its labs.
    pub(crate) records: Vec<Record>,
    /// How many cases of a property were tried.
    pub(crate) cases: u32,
    /// The case of a property that failed.
    pub(crate) case: Option<String>,
    /// The virtual hosts that were lent to it and are as good as fresh, by name.
    pub(crate) given_back: Vec<String>,
}

impl Default for Tried {
    fn default() -> Self {
        Self {
            result: Ok(()),
            records: Vec::new(),
            cases: 0,
            case: None,
            given_back: Vec::new(),
        }
    }
}

impl From<Failure> for Tried {
    fn from(failure: Failure) -> Self {
        Self {
            result: Err(failure),
            ..Self::default()
        }
    }
}

impl Bench {
    /// Runs a body in a fresh lab.
    pub(crate) async fn try_in_lab(
        &self,
        deadline: Duration,
        body: impl AsyncFnOnce(&Lab) -> Checked,
    ) -> Tried {
        let lab = match self.lab(deadline).await {
            Ok(lab) => lab,
            Err(failure) => return failure.into(),
        };
        let result = lab.allow_for_sandboxes(body(&lab).await);
        ended(lab, result).await
    }

    /// A fresh lab.
    fn lab(&self, deadline: Duration) -> LocalBoxFuture<'_, Result<Lab, Failure>> {
        Box::pin(Lab::open(self, deadline))
    }
}

/// Closes a lab, when this has come of the body in it.
fn ended(lab: Lab, result: Checked) -> LocalBoxFuture<'static, Tried> {
    Box::pin(async move {
        let records = lab.records();
        let closed = lab.close(result.is_ok()).await;
        Tried {
            result: result.and(closed),
            records,
            ..Tried::default()
        }
    })
}

/// How a check is tried.
type Body<'b> = Box<dyn for<'a> FnOnce(&'a Bench) -> LocalBoxFuture<'a, Tried> + 'b>;

/// Runs a check; `body` says how it is tried.
///
/// `path` is the path of a function inside the test, which tells the check's name.
///
/// What is generic is compiled again for each check of each exercise; so what does not depend on the body is behind a
/// [`Box`], and compiled once.
pub(crate) fn run(exercise: Exercise, path: &str, body: Body<'_>) -> Outcome {
    let started = Instant::now();
    log::start();
    let name = path.rsplit("::").nth(1).unwrap_or(path).to_owned();
    let request = Request::from_env();
    let readable = request.as_ref().map(drop);
    let readable =
        readable.map_err(|error| Failure::infra(format!("{REQUEST} can be read"), error));
    let request = Rc::new(request.unwrap_or_default());
    if !request.is_by_hand() {
        process::die_with_whoever_asks();
    }
    let run_seed = request.seed.unwrap_or_else(seed_of_process);
    let language = request.language;
    let course = exercise.course();
    let chapter = course
        .as_ref()
        .and_then(|course| course.chapter(exercise.slug()));
    let given = chapter
        .map(|(_, chapter)| chapter.given.clone())
        .unwrap_or_default();
    let check = chapter.and_then(|(_, chapter)| chapter.check(&name));

    let seed = seed::of_check(run_seed, &name);
    let runtime = readable.and_then(|()| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.map_err(|error| Failure::infra("the check has a runtime", &error))
    });
    let tried = match runtime {
        Err(failure) => failure.into(),
        Ok(runtime) => runtime.block_on(on_the_broker(exercise, &request, given, seed, body)),
    };
    let by_hand = request.is_by_hand();
    let own = chapter.filter(|_| by_hand && exercise.is_own());
    let folder = request.tapes.clone().or_else(|| {
        let (_, chapter) = own?;
        Some(kept::tapes(&exercise.root()?, &chapter.slug).join(&name))
    });
    let kept = match &folder {
        Some(folder) => evidence::keep(&tried.records, folder, language),
        None => Ok(()),
    };
    let result = tried.result.and_then(|()| {
        kept.map_err(|error| Failure::infra("the tapes are written to a file", &error))
    });
    // Who passes and asks for no report needs no evidence.
    let wanted = result.is_err() || !by_hand;
    let evidence = if wanted {
        evidence::gather(&tried.records, exercise.slug(), language)
    } else {
        Evidence::default()
    };
    let report = CheckReport {
        hint: check.map(|check| check.hint.get(language).to_owned()),
        verdict: result
            .as_ref()
            .err()
            .map_or(Verdict::Pass, |failure| failure.verdict),
        failure: result
            .err()
            .map(|failure| sentences::failure_in(failure, language)),
        cases: tried.cases,
        case: tried.case.map(|it| sentences::case_in(&it, language)),
        findings: evidence.findings,
        picture: evidence.picture,
        programs: tried
            .records
            .into_iter()
            .flat_map(|record| record.reports)
            .map(|program| ProgramReport {
                ended: program
                    .ended
                    .map(|it| sentences::in_language(&it, language)),
                ..program
            })
            .collect(),
        seed: run_seed,
        given_back: tried.given_back,
        duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        name,
    };
    if by_hand && let Some((number, chapter)) = chapter {
        by_hand::ended(exercise, number, chapter, language, &report);
    }
    write(report, &request)
}

/// Tries a body in labs on the broker of this process.
#[tracing::instrument(level = "debug", name = "labs", skip_all, fields(exercise = exercise.slug(), %seed))]
async fn on_the_broker(
    exercise: Exercise,
    request: &Rc<Request>,
    given: ChapterGiven,
    seed: u64,
    body: Body<'_>,
) -> Tried {
    let broker = match broker().await {
        Ok(broker) => broker,
        Err(failure) => return failure.into(),
    };
    let bench = Bench {
        exercise,
        request: request.clone(),
        given,
        seed,
        leases: Leases::with_lent(&broker, &request.leases),
    };
    let mut tried = body(&bench).await;
    match bench.leases.release().await {
        Ok(given_back) => tried.given_back = given_back,
        Err(failure) => tried.result = tried.result.and(Err(failure)),
    }
    tried
}

/// Hands the report to whoever asked for it.
fn write(mut report: CheckReport, request: &Request) -> Outcome {
    if let Some(path) = &request.report
        && let Err(error) = report.write(path)
    {
        let failure = Failure::infra(
            format!("the report is written to {}", path.display()),
            &error,
        );
        report.verdict = failure.verdict;
        report.failure = Some(sentences::failure_in(failure, request.language));
    }
    if report.failure.is_some() {
        Err(FailedCheck(Box::new(report)))
    } else {
        Ok(())
    }
}

/// A new seed for each process.
fn seed_of_process() -> u64 {
    static SEED: std::sync::OnceLock<u64> = std::sync::OnceLock::new();
    // Short enough to be typed again.
    *SEED.get_or_init(|| rand::random_range(0..1_000_000))
}

/// The broker of this process: found or started once, and what killed checks left behind swept once.
async fn broker() -> Result<Broker, Failure> {
    static BROKER: OnceCell<Result<Broker, Failure>> = OnceCell::const_new();
    let find = async || {
        process::sweep();
        let ours = |error| Failure::infra("there is a RabbitMQ to talk to", &error);
        let options = Options::from_env().map_err(ours)?;
        Broker::find_or_start(&options).await.map_err(ours)
    };
    BROKER.get_or_init(find).await.clone()
}

/// For [`lab!`](crate::lab!): a check that is tried once, in one lab.
#[doc(hidden)]
pub fn once(
    exercise: Exercise,
    path: &str,
    body: impl AsyncFnOnce(&Lab) -> Checked + 'static,
) -> Outcome {
    run(
        exercise,
        path,
        Box::new(|bench| Box::pin(bench.try_in_lab(DEADLINE, body))),
    )
}
