//! `cargo workbook check EXERCISE`

use std::{collections::HashSet, env, path::Path};

use workbook_broker::{Broker, Choice};
use workbook_grader::{
    CheckResult, Event, Plan, Score, Side,
    build::{self, Diagnostics},
    event::BrokerInfo,
    run::{Bounds, run},
};
use workbook_lab::{
    Verdict,
    course::{Chapter, Language},
    exercise::Programs,
};

use super::Context;
use crate::{
    cli,
    error::{Error, Exit},
    output,
};

pub(super) async fn check(context: &Context, arguments: cli::Check) -> Result<Exit, Error> {
    let chapter = find_chapter(context, &arguments.exercise)?.clone();
    let programs = replaced(&chapter, &arguments.programs)?;
    let side = if arguments.solution {
        Side::Solution
    } else {
        Side::Exercise
    };

    let options = context.broker_options()?;
    // Nothing else is asked of a machine before the sources are known to compile.
    let package = side.package(&chapter.slug);
    output::progress(&format!("building {package} and its checks"));
    let binary = build::checks(&context.workspace.root, &package, Diagnostics::Show).await?;
    let broker = Broker::find_or_start(&options).await?;

    let mut environment = vec![("WORKBOOK_LANG".to_owned(), tag(context.language).to_owned())];
    let choice = match &options.choice {
        // The address may hold a password, and `Display` leaves that out.
        Choice::Address(_) => context
            .global
            .broker
            .clone()
            .or_else(|| env::var("WORKBOOK_BROKER").ok()),
        Choice::Auto => Some(broker.kind().to_string()),
        choice => Some(choice.to_string()),
    };
    environment.extend(choice.map(|choice| ("WORKBOOK_BROKER".to_owned(), choice)));
    let keep = context.tapes(&chapter.slug);
    forget(&keep)?;
    let plan = Plan {
        chapter,
        binary,
        programs,
        seed: arguments
            .seed
            .unwrap_or_else(|| rand::random_range(0..1_000_000)),
        jobs: arguments.jobs,
        broker: BrokerInfo {
            kind: broker.kind().to_string(),
            version: broker.version().to_owned(),
        },
        keep: Some(keep),
        environment,
        bounds: Bounds::default(),
    };
    let (score, results) = run(&plan, |event| {
        if arguments.json {
            json(event);
        } else {
            tell(context.language, event);
        }
    })
    .await?;
    if side == Side::Exercise && arguments.programs.is_empty() {
        super::list::remember(context, &score, &results)?;
    }
    if !arguments.json {
        explain(
            context.language,
            &plan,
            &score,
            &results,
            arguments.solution,
        );
    }
    Ok(match score.verdict {
        Verdict::Pass => Exit::Ok,
        Verdict::Infra => Exit::Ours,
        Verdict::Fail | Verdict::Error | Verdict::Ungradable => Exit::Failed,
    })
}

/// Removes the tapes of an earlier run.
fn forget(folder: &Path) -> Result<(), Error> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// The chapter of that slug, or an error that names those which there are.
pub(super) fn find_chapter<'a>(context: &'a Context, slug: &str) -> Result<&'a Chapter, Error> {
    let course = &context.workspace.course;
    course
        .chapter(slug)
        .map(|(_, chapter)| chapter)
        .ok_or_else(|| {
            let slugs: Vec<&str> = course
                .chapters
                .iter()
                .map(|chapter| chapter.slug.as_str())
                .collect();
            Error::new(Exit::Usage, format!("there is no exercise `{slug}`"))
                .hint(format!("the exercises are: {}", slugs.join(", ")))
        })
}

/// What `--program NAME=COMMAND` says, held against the chapter's programs.
fn replaced(chapter: &Chapter, given: &[String]) -> Result<Programs, Error> {
    let mut programs = Programs {
        directory: env::current_dir()?,
        ..Programs::default()
    };
    for text in given {
        let known = || chapter.programs.join(", ");
        let (name, command) = text.split_once('=').ok_or_else(|| {
            Error::new(Exit::Usage, format!("`--program {text}` has no `=`")).hint(format!(
                "write --program {}='command and arguments'",
                chapter.programs[0]
            ))
        })?;
        if !chapter.programs.iter().any(|program| program == name) {
            return Err(Error::new(
                Exit::Usage,
                format!("`{}` has no program `{name}`", chapter.slug),
            )
            .hint(format!("its programs are: {}", known())));
        }
        let words = shell_words::split(command).map_err(|error| {
            Error::new(
                Exit::Usage,
                format!("the command of `{name}` cannot be read: {error}"),
            )
        })?;
        let Some(first) = words.first() else {
            return Err(Error::new(
                Exit::Usage,
                format!("the command of `{name}` is empty"),
            ));
        };
        if !can_be_found(first) {
            return Err(Error::new(
                Exit::Usage,
                format!("the command of `{name}` does not exist: {first}"),
            ));
        }
        programs
            .commands
            .insert(name.to_owned(), command.to_owned());
    }
    Ok(programs)
}

/// Whether a command is a file, or the name of one on the search path.
fn can_be_found(command: &str) -> bool {
    if command.contains('/') {
        return Path::new(command).is_file();
    }
    env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(command).is_file()))
}

pub(super) fn tag(language: Language) -> &'static str {
    match language {
        Language::English => "en",
        Language::Chinese => "zh",
    }
}

fn json(event: &Event) {
    match serde_json::to_string(event) {
        Ok(line) => output::line(&line),
        Err(error) => output::error(&Error::from_source(Exit::Ours, &error)),
    }
}

/// A line for each event, as it comes.
fn tell(language: Language, event: &Event) {
    match event {
        Event::Started {
            exercise,
            checks,
            seed,
            broker,
        } => {
            let text = match language {
                Language::English => format!(
                    "{exercise}: {checks} checks, RabbitMQ {} ({}), seed {seed}",
                    broker.version, broker.kind
                ),
                Language::Chinese => format!(
                    "{exercise}：{checks} 项检查，RabbitMQ {}（{}），种子 {seed}",
                    broker.version, broker.kind
                ),
            };
            output::line(&text);
        }
        Event::Check(result) => {
            let report = &result.report;
            output::line(&format!(
                "  {} {:<52} {:>2}/{:<2} {:>6.2} s",
                output::verdict(report.verdict),
                report.name,
                result.points,
                result.max_points,
                f64::from(u32::try_from(report.duration_ms).unwrap_or(u32::MAX)) / 1000.0,
            ));
        }
        Event::Finished(_) => {}
    }
}

/// The failures in full, and the points.
fn explain(
    language: Language,
    plan: &Plan,
    score: &Score,
    results: &[CheckResult],
    solution: bool,
) {
    let mut told: HashSet<&[String]> = HashSet::new();
    for result in results
        .iter()
        .filter(|result| result.report.verdict != Verdict::Pass)
    {
        output::line("");
        output::line(&format!(
            "{} {}",
            output::verdict(result.report.verdict),
            result.report.name
        ));
        output::line(&format!("  {}", result.title.get(language)));
        // A program that is not written yet fails everything for one reason: once in full is enough.
        let advice = result
            .report
            .failure
            .as_ref()
            .map_or(&[][..], |failure| &failure.advice);
        if advice.is_empty() || told.insert(advice) {
            output::line(result.report.text().trim_end());
        } else {
            output::line(&match language {
                Language::English => format!("  as above: {}", advice.join("; ")),
                Language::Chinese => format!("  同上：{}", advice.join("；")),
            });
        }
    }
    output::line("");
    let Score {
        points,
        max_points,
        passed,
        failed,
        not_judged,
        ..
    } = score;
    output::line(&match language {
        Language::English => format!(
            "{points} of {max_points} points: {passed} checks passed, {failed} failed, {not_judged} not judged"
        ),
        Language::Chinese => format!(
            "得分 {points}/{max_points}：通过 {passed} 项，未通过 {failed} 项，未评判 {not_judged} 项"
        ),
    });
    if score.verdict != Verdict::Pass {
        let side = if solution { " --solution" } else { "" };
        let again = format!(
            "cargo workbook check {}{side} --seed {}",
            score.exercise, plan.seed
        );
        output::line(&match language {
            Language::English => format!("the same random choices again: {again}"),
            Language::Chinese => format!("用相同的随机选择重试：{again}"),
        });
    }
}
