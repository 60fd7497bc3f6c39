//! Running the checks of a chapter, several at a time.

use std::{
    io,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    sync::Arc,
    thread::available_parallelism,
    time::Duration,
};

use futures_util::{StreamExt, stream};
use tempfile::TempDir;
use tokio::{process::Command, sync::Semaphore, time::timeout};
use workbook_broker::Lease;
use workbook_course::{Chapter, Check};
use workbook_report::{
    Failure, Verdict, log, report::CheckReport, request::Request, seed::DERIVATION,
    sentences::failure_in,
};

use crate::{
    event::{BrokerInfo, CheckResult, RunEvent, Score},
    leases::Leases,
};

/// How long one check may take before it is given up as our own fault: far
/// beyond what the sum of its own deadlines can reach.
const CHECK_LIMIT: Duration = Duration::from_mins(5);

/// What to run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The chapter.
    pub chapter: Chapter,
    /// The compiled checks.
    pub binary: PathBuf,
    /// What all of them are told; the seed and what differs from check to check is added.
    pub request: Request,
    /// The seed of every random choice.
    pub seed: u64,
    /// How many checks run at the same time; `None`: twice the cores, as checks mostly wait.
    pub jobs: Option<usize>,
    /// The broker, for whoever is told.
    pub broker: BrokerInfo,
    /// A folder for the tapes and pictures of each check.
    pub keep: Option<PathBuf>,
    /// What bounds it where many plans run side by side.
    pub bounds: Bounds,
}

/// How a plan shares a machine with others, whose programs nobody trusts.
#[derive(Clone, Debug, Default)]
pub struct Bounds {
    /// A place for each check that may run at the same time, over all plans.
    pub places: Option<Arc<Semaphore>>,
    /// How long one check may take before it is the program's own fault. No check of a program that answers takes a
    /// tenth of it; without it a check that does not end is ours.
    pub limit: Option<Duration>,
    /// Virtual hosts for the checks of all plans; without them each makes its own.
    pub leases: Option<Arc<Leases>>,
}

/// Why no check could be run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No place for the reports.
    #[error("cannot make a folder for the reports")]
    Reports(#[source] io::Error),
    /// A check cannot be told what to do.
    #[error("cannot write a request as JSON")]
    Request(#[source] serde_json::Error),
}

/// Runs all checks of a chapter and tells each as it ends.
pub async fn run(
    plan: &Plan,
    mut tell: impl FnMut(&RunEvent),
) -> Result<(Score, Vec<CheckResult>), RunError> {
    let folder = TempDir::new().map_err(RunError::Reports)?;
    let jobs = plan
        .jobs
        .unwrap_or_else(|| 2 * available_parallelism().map_or(1, usize::from));

    tell(&RunEvent::Started {
        exercise: plan.chapter.slug.clone(),
        checks: plan.chapter.checks.len(),
        seed: plan.seed,
        seed_derivation: DERIVATION.to_owned(),
        broker: plan.broker.clone(),
    });
    let mut running = stream::iter(plan.chapter.checks.clone().into_iter().enumerate())
        .map(|(index, check)| {
            let folder = folder.path();
            async move { (index, one(plan, &check, folder).await) }
        })
        .buffer_unordered(jobs.max(1));
    let mut results = Vec::new();
    while let Some((index, result)) = running.next().await {
        let result = result?;
        tell(&RunEvent::Check(Box::new(result.clone())));
        results.push((index, result));
    }
    results.sort_by_key(|(index, _)| *index);
    let results: Vec<CheckResult> = results.into_iter().map(|(_, result)| result).collect();
    let score = Score::of(&plan.chapter.slug, &results);
    tell(&RunEvent::Finished(score.clone()));
    Ok((score, results))
}

/// Runs one check in a process of its own.
#[tracing::instrument(level = "debug", name = "check", skip_all, fields(name = check.name))]
async fn one(plan: &Plan, check: &Check, folder: &Path) -> Result<CheckResult, RunError> {
    let places = plan.bounds.places.as_deref();
    let _place = match places {
        // It is never closed.
        Some(places) => places.acquire().await.ok(),
        None => None,
    };
    let lent = match &plan.bounds.leases {
        Some(leases) => leases.lend().await,
        None => Vec::new(),
    };
    let path = folder.join(format!("{}.json", check.name));
    let request = Request {
        seed: Some(plan.seed),
        report: Some(path.clone()),
        tapes: plan.keep.as_ref().map(|keep| keep.join(&check.name)),
        leases: lent.iter().map(Lease::lend).collect(),
        ..plan.request.clone()
    };
    let child = Command::new(&plan.binary)
        .args([check.name.as_str(), "--exact", "--nocapture"])
        .envs(request.to_env().map_err(RunError::Request)?)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // What it is doing is for whoever looks on, and for no report.
        .stderr(if log::is_wanted() {
            Stdio::inherit()
        } else {
            Stdio::piped()
        })
        .kill_on_drop(true)
        .spawn();
    let child = async { child?.wait_with_output().await };
    let limit = plan.bounds.limit.unwrap_or(CHECK_LIMIT);
    let unreported = |verdict, observed: &str| unreported(check, plan, verdict, observed);
    let report = match timeout(limit, child).await {
        Ok(Ok(output)) => read(&path)
            .unwrap_or_else(|error| unreported(Verdict::Infra, &last_words(&output, &error))),
        Ok(Err(error)) => {
            let observed = format!("{}: {error}", plan.binary.display());
            unreported(Verdict::Infra, &observed)
        }
        Err(_) => {
            let verdict = match plan.bounds.limit {
                Some(_) => Verdict::Error,
                None => Verdict::Infra,
            };
            let observed = format!("it did not end within {} s", limit.as_secs());
            unreported(verdict, &observed)
        }
    };
    if let Some(leases) = &plan.bounds.leases {
        leases.take_back(lent, &report.given_back).await;
    }
    Ok(CheckResult {
        title: check.title.clone(),
        points: if report.verdict == Verdict::Pass {
            check.points
        } else {
            0
        },
        max_points: check.points,
        chapter: check.chapter.clone(),
        report,
    })
}

fn read(path: &Path) -> io::Result<CheckReport> {
    let json = std::fs::read(path)?;
    Ok(serde_json::from_slice(&json)?)
}

/// What a check said that left no report.
fn last_words(output: &Output, error: &io::Error) -> String {
    let words = [&output.stdout, &output.stderr]
        .map(|stream| String::from_utf8_lossy(stream).into_owned())
        .concat();
    let lines: Vec<&str> = words.lines().collect();
    let last = &lines[lines.len().saturating_sub(20)..];
    format!(
        "it left no report ({error}) and ended with {}:\n{}",
        output.status,
        last.join("\n")
    )
}

/// The report of a check that left none. Where no program held it up ([`Verdict::Error`]), that is our own fault, and
/// never worth 0 points.
fn unreported(check: &Check, plan: &Plan, verdict: Verdict, observed: &str) -> CheckReport {
    let expected = match verdict {
        Verdict::Error => "the programs let the check come to its end",
        _ => "the check itself runs to its end",
    };
    let failure = Failure {
        verdict,
        ..Failure::new(expected, observed)
    };
    CheckReport {
        name: check.name.clone(),
        verdict,
        failure: Some(failure_in(failure, plan.request.language)),
        cases: 0,
        case: None,
        findings: Vec::new(),
        picture: String::new(),
        programs: Vec::new(),
        hint: None,
        seed: plan.seed,
        given_back: Vec::new(),
        duration_ms: 0,
    }
}
