//! What grading says: the native results, of which every report is another form. `results.schema.json` beside `src` tells
//! others of the format.

use serde::{Deserialize, Serialize};
use workbook_course::Text;
use workbook_report::Verdict;
use workbook_runner::event::BrokerInfo;

/// The version of the format.
pub const SCHEMA: &str = "rabbitmq-workbook/results/v1";

/// What grading a class came to: `results.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Results {
    /// The version of this format: `rabbitmq-workbook/results/v1`.
    pub schema: String,
    /// What everything was graded with.
    #[serde(flatten)]
    pub conditions: Conditions,
    /// Every submission, by name.
    pub submissions: Vec<Submission>,
    /// What lies beside the submissions and is nobody's: hidden files, and files that are no archives.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed_over: Vec<String>,
}

/// What a result depends on besides the submission: with the same of it, it comes out the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conditions {
    /// The seed of every random choice; `--seed` repeats it.
    pub seed: u64,
    /// How the seed of each check is derived from it.
    pub seed_derivation: String,
    /// The broker.
    pub broker: BrokerInfo,
    /// The version of the Rust compiler.
    pub toolchain: String,
    /// A hash of the checks, and of all that they are made of.
    pub checks: String,
    /// What the programs were kept in: `bwrap`, `docker` or `none`.
    pub sandbox: String,
}

/// What grading one learner's sources came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// The entry's name without an archive's ending.
    pub name: String,
    /// The folder of its results, within that of the class.
    pub folder: String,
    /// When it was last changed, in UTC: `2026-01-31T23:59:59Z`.
    pub handed_in: String,
    /// A hash of all sources that were used; empty where there are none.
    pub sha256: String,
    /// `infra` where any exercise is, else `pass` where all are, else the least grave of the others.
    pub verdict: Verdict,
    /// The points; `null` where something could not be graded.
    pub points: Option<u32>,
    /// The points of all exercises of the class.
    pub max_points: u32,
    /// Why it is no submission, or what else is to be said of all of it.
    pub message: Option<String>,
    /// Files in it that were not used.
    pub ignored: Vec<String>,
    /// Every exercise of the class.
    pub exercises: Vec<Exercise>,
}

/// What one exercise of a submission came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exercise {
    /// The exercise's slug.
    pub slug: String,
    /// Its title.
    pub title: Text,
    /// A hash of its sources; empty where there are none.
    pub sha256: String,
    /// What it came to.
    pub verdict: Verdict,
    /// The points; `null` where it could not be graded.
    pub points: Option<u32>,
    /// The points of all its checks.
    pub max_points: u32,
    /// Why nothing was checked: what the compiler said, for example.
    pub message: Option<String>,
    /// What the failures stand on, what matters most first. Each check that failed is in one of them.
    #[serde(default)]
    pub causes: Vec<Cause>,
    /// Every check, in the order of the course.
    pub checks: Vec<Check>,
}

/// What failures of one cause stand on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The finding's name; `null`: no tape proves it.
    pub finding: Option<String>,
    /// The cause in one sentence.
    pub title: String,
    /// What happened, why, and what to do; or what was observed.
    pub explanation: String,
    /// The frames that prove it, as text.
    pub frames: String,
    /// The page and anchor that teach it.
    pub chapter: String,
    /// The names of the checks that fail for it. What is told of the cause was seen in the first of them.
    pub checks: Vec<String>,
}

/// What one check came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The check's name.
    pub name: String,
    /// The statement that was checked, in the language of the report.
    pub title: String,
    /// What it came to.
    pub verdict: Verdict,
    /// The points that it gives; `null` where it could not be judged.
    pub points: Option<u32>,
    /// The points that it could give.
    pub max_points: u32,
    /// What was expected and what was observed, in one text; `null` where it passed.
    pub message: Option<String>,
    /// The names of the findings.
    pub findings: Vec<String>,
    /// The findings in full.
    pub explanations: Vec<Explanation>,
    /// What to try.
    pub hint: Option<String>,
    /// The page and anchor that teach it.
    pub chapter: String,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The seed that repeats it.
    pub seed: u64,
    /// What the programs printed.
    pub programs: Vec<Program>,
    /// The tape, within the folder of the class; `null`: there is none.
    pub tape: Option<String>,
    /// The sequence diagram, within the folder of the class; `null`: there is none.
    pub picture: Option<String>,
}

/// What a tape proves to have gone wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// The finding's name.
    pub id: String,
    /// `error` or `advice`.
    pub severity: String,
    /// The program, with its arguments.
    pub program: String,
    /// A short name for it.
    pub title: String,
    /// What happened, why, and what to do.
    pub explanation: String,
    /// The page and anchor that teach it.
    pub chapter: String,
    /// The numbers of the events on the tape that prove it.
    pub evidence: Vec<u64>,
}

/// What a program of a check did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Its name and arguments.
    pub name: String,
    /// The last lines of its standard output.
    pub stdout: Vec<String>,
    /// The last lines of its standard error.
    pub stderr: Vec<String>,
    /// How it ended, in words.
    pub ended: Option<String>,
}

impl Exercise {
    /// What a check fails for.
    pub fn cause_of(&self, check: &Check) -> Option<&Cause> {
        (self.causes.iter()).find(|cause| cause.checks.contains(&check.name))
    }

    /// How many of its checks came to a verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.checks
            .iter()
            .filter(|it| it.verdict == verdict)
            .count()
    }
}

impl Submission {
    /// Sums up the exercises.
    pub fn sum_up(&mut self) {
        let exercises = &self.exercises;
        self.max_points = exercises.iter().map(|it| it.max_points).sum();
        self.points = exercises.iter().map(|it| it.points).sum();
        let any = |verdict| exercises.iter().any(|it| it.verdict == verdict);
        let all = |verdict| exercises.iter().all(|it| it.verdict == verdict);
        self.verdict = if any(Verdict::Infra) {
            Verdict::Infra
        } else if !exercises.is_empty() && all(Verdict::Pass) {
            Verdict::Pass
        } else if any(Verdict::Fail) || any(Verdict::Pass) {
            Verdict::Fail
        } else if any(Verdict::Error) {
            Verdict::Error
        } else {
            Verdict::Ungradable
        };
    }

    /// Leaves out what is told in the submission's own files only. A class of hundreds is held in memory like this.
    pub fn shorten(&mut self) {
        self.ignored = Vec::new();
        for exercise in &mut self.exercises {
            exercise.causes = Vec::new();
            for check in &mut exercise.checks {
                (check.message, check.hint, check.tape, check.picture) = (None, None, None, None);
                check.programs = Vec::new();
                for finding in &mut check.explanations {
                    (finding.explanation, finding.program) = (String::new(), String::new());
                    finding.evidence = Vec::new();
                }
            }
        }
    }

    /// Every check with the exercise that it belongs to.
    pub fn checks(&self) -> impl Iterator<Item = (&Exercise, &Check)> {
        (self.exercises.iter())
            .flat_map(|exercise| exercise.checks.iter().map(move |check| (exercise, check)))
    }
}

impl Results {
    /// How many submissions came to a verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        (self.submissions.iter())
            .filter(|it| it.verdict == verdict)
            .count()
    }
}
