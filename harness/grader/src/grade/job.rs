//! One exercise of one submission.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use workbook_course::{Chapter, Language};
use workbook_diagnosis::finding::Severity;
use workbook_report::{
    Verdict,
    cause::{Cause as Why, groups},
    request::{Programs, Request},
};
use workbook_runner::{
    CheckResult,
    run::{Bounds, Plan, run},
};
use workbook_sandbox::{Bind, Room};

use super::{Compiled, Planned, STRANGERS_LIMIT, Shop, tape_and_picture, unknown};
use crate::{
    compile::{self, Built, CompileError},
    model::{Cause, Check, Exercise, Explanation, Program},
    submission::{self, Files, Handed, Sources},
};

/// What to do.
pub(super) struct Job {
    pub(super) shop: Arc<Shop>,
    pub(super) planned: Arc<Planned>,
    pub(super) chapter: Chapter,
}

/// Why an exercise was not graded. It is our fault.
struct Infra(String);

impl Infra {
    fn of(error: &dyn std::error::Error) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            text.push_str(": ");
            text.push_str(&inner.to_string());
            cause = inner.source();
        }
        Self(text)
    }
}

impl Job {
    /// The result, and whether it was there already.
    pub(super) async fn done(&self) -> (Exercise, bool) {
        let slug = &self.chapter.slug;
        let known = match &self.planned.sources {
            Ok(sources) => match sources.get(slug) {
                Some(Ok(sha256)) => Ok(sha256.clone()),
                Some(Err(reason)) => Err(reason.clone()),
                None => Err(match self.shop.class.request.language {
                    Language::English => "nothing of it was handed in".to_owned(),
                    Language::Chinese => "没有提交这个练习".to_owned(),
                }),
            },
            Err(reason) => Err(reason.clone()),
        };
        let sha256 = match known {
            Ok(sha256) => sha256,
            Err(reason) => return (self.verdict(Verdict::Ungradable, reason), false),
        };
        let result = self.result(&sha256).await;
        self.shop.finished(&sha256);
        result
    }

    /// The result of sources that can be used, and whether it was there already.
    #[tracing::instrument(level = "debug", name = "submission", skip_all, fields(submission = self.planned.entry.folder, exercise = self.chapter.slug))]
    async fn result(&self, sha256: &str) -> (Exercise, bool) {
        let slug = &self.chapter.slug;
        let folder = &self.planned.entry.folder;
        let key = self.shop.key(slug, sha256);
        if !self.shop.class.again
            && let Some(exercise) = self.shop.store.find(folder, slug, &key)
        {
            return (exercise, true);
        }
        let mut exercise = match self.grade(sha256).await {
            Ok(exercise) => exercise,
            Err(Infra(why)) => self.verdict(Verdict::Infra, why),
        };
        sha256.clone_into(&mut exercise.sha256);
        if let Err(error) = self.shop.store.keep(folder, slug, &key, &exercise) {
            exercise.verdict = Verdict::Infra;
            exercise.points = None;
            exercise.message = Some(Infra::of(&error).0);
        }
        (exercise, false)
    }

    /// An exercise of which nothing was checked.
    fn verdict(&self, verdict: Verdict, message: String) -> Exercise {
        Exercise {
            verdict,
            points: (verdict != Verdict::Infra).then_some(0),
            message: Some(message),
            ..unknown(&self.chapter)
        }
    }

    async fn grade(&self, sha256: &str) -> Result<Exercise, Infra> {
        let shop = &self.shop;
        let folder = &self.planned.entry.folder;
        let part = shop.store.part(folder, &self.chapter.slug);
        let part = part.map_err(|error| Infra::of(&error))?;
        let handed = self.read().await?;
        let sources = match handed.exercises.get(&self.chapter.slug) {
            Some(Ok(sources))
                if submission::hash(&self.chapter.slug, sources.files()) == sha256 =>
            {
                sources
            }
            _ => {
                return Err(Infra(
                    "the submission changed while it was graded".to_owned(),
                ));
            }
        };
        let (room, programs, _held) = match sources {
            Sources::Rust(files) => {
                let cell = shop.cell(sha256);
                let compiled = cell.get_or_try_init(|| self.compile(files)).await?;
                match compiled {
                    Ok(built) => self.compiled(built),
                    Err(said) => {
                        let crates = compile::crates(&shop.depot, &self.chapter);
                        let said = with_advice(said, &crates, shop.class.request.language);
                        return Ok(self.verdict(Verdict::Error, said));
                    }
                }
            }
            Sources::Any { files, commands } => self.interpreted(files, commands)?,
        };

        let binary = shop.checks.get(&self.chapter.slug);
        let mut plan = Plan {
            chapter: self.chapter.clone(),
            binary: binary.cloned().unwrap_or_default(),
            request: Request {
                programs,
                room,
                ..shop.class.request.clone()
            },
            seed: shop.conditions.seed,
            // The places for checks are what bounds them.
            jobs: Some(self.chapter.checks.len().max(1)),
            broker: shop.conditions.broker.clone(),
            keep: Some(part.clone()),
            bounds: Bounds {
                places: Some(Arc::clone(&shop.places)),
                limit: Some(STRANGERS_LIMIT),
                leases: Some(Arc::clone(&shop.leases)),
            },
        };
        let (_, mut results) = run(&plan, |_| {})
            .await
            .map_err(|error| Infra::of(&error))?;
        self.again(&mut plan, &mut results).await?;
        Ok(self.sum_up(&part, &results))
    }

    /// What could not be judged is tried once more.
    async fn again(&self, plan: &mut Plan, results: &mut [CheckResult]) -> Result<(), Infra> {
        let not_judged = |it: &CheckResult| it.report.verdict == Verdict::Infra;
        let names: Vec<&str> = (results.iter())
            .filter(|it| not_judged(it))
            .map(|it| it.report.name.as_str())
            .collect();
        if names.is_empty() {
            return Ok(());
        }
        // Where it was the broker's fault, what the broker made before may be the cause.
        plan.bounds.leases = None;
        plan.chapter
            .checks
            .retain(|check| names.contains(&check.name.as_str()));
        let (_, second) = run(plan, |_| {}).await.map_err(|error| Infra::of(&error))?;
        for result in second {
            if let Some(first) =
                (results.iter_mut()).find(|it| it.report.name == result.report.name)
            {
                *first = result;
            }
        }
        Ok(())
    }

    /// Reads the submission again: of a class of hundreds, nothing is held in memory.
    async fn read(&self) -> Result<Handed, Infra> {
        let planned = Arc::clone(&self.planned);
        let class = &self.shop.class;
        let (course, any) = (class.workspace.course.clone(), class.any_language);
        let read = tokio::task::spawn_blocking(move || planned.entry.read(&course, any));
        let language = class.request.language;
        read.await
            .map_err(|error| Infra::of(&error))?
            .map_err(|refusal| Infra(refusal.text(language)))
    }

    async fn compile(&self, files: &Files) -> Result<Compiled, Infra> {
        let shop = &self.shop;
        let _turn = shop.builders.acquire().await.ok();
        let room = shop.class.room.as_ref();
        let prefab = shop.prefabs.get(&self.chapter.slug);
        let prefab = prefab.map(std::path::PathBuf::as_path);
        match compile::compile(&shop.depot, room, &self.chapter, files, prefab).await {
            Ok(built) => Ok(Ok(Arc::new(built))),
            Err(CompileError::Theirs(said)) => Ok(Err(said)),
            Err(error) => Err(Infra::of(&error)),
        }
    }

    fn compiled(&self, built: &Arc<Built>) -> (Option<Room>, Programs, Held) {
        let folder = built.programs.path();
        let class = &self.shop.class;
        let room = class.room.as_ref().map(|room| {
            let mut room = room.clone();
            room.binds.push(Bind::read(folder, "/submission"));
            room
        });
        let place = room
            .as_ref()
            .map_or_else(|| folder.to_owned(), |_| "/submission".into());
        let commands = self.chapter.programs.iter().map(|program| {
            let path = place.join(program).display().to_string();
            (program.clone(), vec![path])
        });
        let programs = Programs {
            commands: commands.collect(),
            directory: std::env::temp_dir(),
        };
        (room, programs, Held::Built(Arc::clone(built)))
    }

    fn interpreted(
        &self,
        files: &Files,
        commands: &BTreeMap<String, Vec<String>>,
    ) -> Result<(Option<Room>, Programs, Held), Infra> {
        let class = &self.shop.class;
        let folder = self.shop.depot.folder("files-", 0o755);
        let folder = folder.map_err(|error| Infra::of(&error))?;
        compile::lay_out(files, folder.path()).map_err(|error| Infra::of(&error))?;
        let room = class.room.as_ref().map(|room| {
            let mut room = room.clone();
            room.binds.push(Bind::read(folder.path(), "/submission"));
            room.directory = "/submission".into();
            let mut path = String::new();
            for tool in &class.tools {
                room.binds.push(Bind::read(tool, tool));
                let _ = write!(path, "{}/bin:", tool.display());
            }
            if let Some(known) = room.environment.get_mut("PATH") {
                *known = path + known;
            }
            room
        });
        let programs = Programs {
            commands: commands.clone(),
            directory: folder.path().to_owned(),
        };
        Ok((room, programs, Held::Files { _folder: folder }))
    }

    fn sum_up(&self, part: &std::path::Path, results: &[CheckResult]) -> Exercise {
        let within = format!("{}/{}", self.planned.entry.folder, self.chapter.slug);
        let checks: Vec<Check> = (results.iter())
            .map(|result| {
                let name = &result.report.name;
                let (tape, picture) =
                    tape_and_picture(&part.join(name), &format!("{within}/{name}"));
                self.check(result, tape, picture)
            })
            .collect();
        let verdict = (checks.iter().map(|it| it.verdict).max()).unwrap_or(Verdict::Pass);
        Exercise {
            verdict,
            points: checks.iter().map(|it| it.points).sum(),
            message: None,
            causes: self.causes(results),
            checks,
            ..unknown(&self.chapter)
        }
    }

    fn causes(&self, results: &[CheckResult]) -> Vec<Cause> {
        let language = self.shop.class.request.language;
        let groups = groups(results.iter().map(|result| &result.report));
        let causes = groups.iter().map(|group| {
            let told = group.told(language);
            let names = group.reports.iter().map(|report| report.name.clone());
            let names: Vec<String> = names.collect();
            let first = self.chapter.check(&names[0]);
            Cause {
                finding: match &group.cause {
                    Why::Finding(id) => Some(id.to_string()),
                    _ => None,
                },
                title: told.title,
                explanation: told.explanation,
                frames: told.frames,
                chapter: match (told.chapter.is_empty(), first) {
                    (true, Some(check)) => check.chapter.clone(),
                    _ => told.chapter,
                },
                checks: names,
            }
        });
        causes.collect()
    }

    fn check(&self, result: &CheckResult, tape: Option<String>, picture: Option<String>) -> Check {
        let report = &result.report;
        let verdict = report.verdict;
        let message = report.failure.as_ref().map(|failure| {
            let [expected, observed, case, advice] = match self.shop.class.request.language {
                Language::English => ["expected: ", "observed: ", "for case: ", "try: "],
                Language::Chinese => ["预期：", "实际：", "用例：", "建议："],
            };
            let mut text = format!(
                "{expected}{}\n{observed}{}",
                failure.expected, failure.observed
            );
            if let Some(tried) = &report.case {
                let _ = write!(text, "\n{case}{tried}");
            }
            for what in &failure.advice {
                let _ = write!(text, "\n{advice}{what}");
            }
            text
        });
        let explanations = report.findings.iter().map(|finding| Explanation {
            id: finding.id.to_string(),
            severity: match finding.severity {
                Severity::Error => "error",
                Severity::Advice => "advice",
            }
            .to_owned(),
            program: finding.program.clone(),
            title: finding.title.clone(),
            explanation: finding.explanation.clone(),
            chapter: finding.chapter.clone(),
            evidence: finding.evidence.clone(),
        });
        let programs = report.programs.iter().map(|program| Program {
            name: program.name.clone(),
            stdout: program.stdout.clone(),
            stderr: program.stderr.clone(),
            ended: program.ended.clone(),
        });
        Check {
            name: report.name.clone(),
            title: result
                .title
                .get(self.shop.class.request.language)
                .to_owned(),
            verdict,
            points: (verdict != Verdict::Infra).then_some(result.points),
            max_points: result.max_points,
            message,
            findings: report.findings.iter().map(|it| it.id.to_string()).collect(),
            explanations: explanations.collect(),
            hint: report.hint.clone().filter(|_| verdict != Verdict::Pass),
            chapter: result.chapter.clone(),
            duration_ms: report.duration_ms,
            seed: report.seed,
            programs: programs.collect(),
            tape,
            picture,
        }
    }
}

/// The compiler's words, and before them, where a crate is missing, what it cannot know: which there are.
fn with_advice(said: &str, crates: &[String], language: Language) -> String {
    // A name that is not found, in a path or in an import, and `extern crate`.
    let missing = ["error[E0432]", "error[E0433]", "error[E0463]"];
    if !missing.iter().any(|code| said.contains(code)) {
        return said.to_owned();
    }
    let crates = |between| crates.join(between);
    match language {
        Language::English => format!(
            "a Cargo.toml of your own is not used; a program may use these crates: {}\n{said}",
            crates(", ")
        ),
        Language::Chinese => format!(
            "自己的 Cargo.toml 不会被采用；可以用的 crate 有：{}\n{said}",
            crates("、")
        ),
    }
}

/// What must stay while the programs are run.
enum Held {
    Built(#[expect(dead_code, reason = "it is held, not looked at")] Arc<Built>),
    Files { _folder: tempfile::TempDir },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_misses_a_crate_is_told_which_there_are_and_nobody_else_is() {
        let crates = ["lapin".to_owned(), "tokio".to_owned()];
        let missing = "error[E0433]: cannot find module or crate `anyhow` in this scope";
        assert_eq!(
            with_advice(missing, &crates, Language::Chinese),
            format!("自己的 Cargo.toml 不会被采用；可以用的 crate 有：lapin、tokio\n{missing}")
        );
        let other = "error: expected `;`, found `}`";
        assert_eq!(with_advice(other, &crates, Language::English), other);
    }
}
