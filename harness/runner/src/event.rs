//! What is told while the checks of a chapter run, and the score in the end.

use serde::{Deserialize, Serialize};
use workbook_course::Text;
use workbook_report::{Verdict, report::CheckReport};

/// One thing that happened; as JSON, a line each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum RunEvent {
    /// The checks of a chapter begin.
    Started {
        /// The chapter's slug.
        exercise: String,
        /// How many checks there are.
        checks: usize,
        /// The seed that repeats this run.
        seed: u64,
        /// How the seed of each check is derived from it.
        seed_derivation: String,
        /// The broker that the checks run against.
        broker: BrokerInfo,
    },
    /// A check ended.
    Check(Box<CheckResult>),
    /// All checks of the chapter ended.
    Finished(Score),
}

/// Which broker the checks run against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokerInfo {
    /// `docker`, `local` or `address`.
    pub kind: String,
    /// RabbitMQ's version.
    pub version: String,
}

/// What a check came to, with its points.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// The statement that was checked.
    pub title: Text,
    /// The points that it gives.
    pub points: u32,
    /// The points that it could give.
    pub max_points: u32,
    /// The page and anchor that teach it.
    pub chapter: String,
    /// The check's own report.
    #[serde(flatten)]
    pub report: CheckReport,
}

/// What a chapter came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    /// The chapter's slug.
    pub exercise: String,
    /// `pass` when every check passed; `infra` when any could not be judged.
    pub verdict: Verdict,
    /// The points of the checks that passed.
    pub points: u32,
    /// The points of all checks.
    pub max_points: u32,
    /// How many checks passed.
    pub passed: usize,
    /// How many checks did not hold.
    pub failed: usize,
    /// How many checks could not be judged.
    pub not_judged: usize,
}

impl Score {
    /// Sums up the checks of a chapter.
    pub fn of(exercise: &str, results: &[CheckResult]) -> Self {
        let count = |wanted: fn(Verdict) -> bool| {
            results
                .iter()
                .filter(|result| wanted(result.report.verdict))
                .count()
        };
        let passed = count(|verdict| verdict == Verdict::Pass);
        let not_judged = count(|verdict| verdict == Verdict::Infra);
        Self {
            exercise: exercise.to_owned(),
            verdict: results
                .iter()
                .map(|result| result.report.verdict)
                .max()
                .unwrap_or(Verdict::Pass),
            points: results.iter().map(|result| result.points).sum(),
            max_points: results.iter().map(|result| result.max_points).sum(),
            passed,
            failed: results.len() - passed - not_judged,
            not_judged,
        }
    }
}
