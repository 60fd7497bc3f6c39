//! `cargo workbook check EXERCISE`

mod programs;
mod progress;
mod watch;

use std::sync::Arc;

use workbook_broker::{Broker, Choice};
use workbook_course::{Edition, Language};
use workbook_report::{
    Verdict, kept,
    request::Request,
    telling::{Telling, columns},
};
use workbook_runner::{
    Plan,
    build::{self, Diagnostics},
    event::BrokerInfo,
    leases::Leases,
    run::{Bounds, run},
};

use self::progress::Progress;
use super::{Context, find};
use crate::{
    cli,
    error::{Error, Exit},
    output,
};

pub(super) async fn check(context: &Context, arguments: cli::Check) -> Result<Exit, Error> {
    let once = async || once(context, &arguments).await;
    if !arguments.watch {
        return once().await;
    }
    let (number, chapter) = find::chapter(context, &arguments.exercise)?;
    let side = side(&arguments);
    let sources = context.workspace.folder(number, chapter, side).join("src");
    let commands = programs::replaced(context, chapter, &arguments.programs)?.commands;
    let watched = match commands.is_empty() {
        true => vec![sources],
        false => programs::files(commands.values()),
    };
    watch::again_and_again(context.language, &watched, once).await
}

fn side(arguments: &cli::Check) -> Edition {
    if arguments.solution {
        Edition::Solution
    } else {
        Edition::Exercise
    }
}

async fn once(context: &Context, arguments: &cli::Check) -> Result<Exit, Error> {
    let (number, chapter) = find::chapter(context, &arguments.exercise)?;
    let mut chosen = chapter.clone();
    for typed in &arguments.only {
        find::check(context, chapter, typed)?;
    }
    if !arguments.only.is_empty() {
        chosen.checks.retain(|it| arguments.only.contains(&it.name));
    }
    let programs = programs::replaced(context, chapter, &arguments.programs)?;
    let side = side(arguments);
    programs::are_there(context, number, chapter, side, &programs)?;

    let options = context.broker_options()?;
    // Somebody else's broker is where it is, or it is not: whether it compiles is the longer question.
    let known = match &options.choice {
        Choice::Address(_) => Some(Broker::find_or_start(&options).await?),
        _ => None,
    };
    let package = side.package(&chapter.slug);
    output::progress(&match context.language {
        Language::English => format!("building {package} and its checks"),
        Language::Chinese => format!("正在编译 {package} 和它的检查"),
    });
    let binary = build::checks(&context.workspace.root, &package, Diagnostics::Show).await?;
    let broker = match known {
        Some(broker) => broker,
        // Nothing else is asked of a machine before the sources are known to compile.
        None => Broker::find_or_start(&options).await?,
    };

    let root = &context.workspace.root;
    // Most checks have one lab at a time.
    let leases = Arc::new(Leases::on(broker.clone(), 1));
    let plan = Plan {
        chapter: chosen,
        binary,
        request: Request {
            programs,
            ..context.request(&options.choice, &broker)
        },
        seed: arguments
            .seed
            .unwrap_or_else(|| rand::random_range(0..1_000_000)),
        jobs: arguments.jobs,
        broker: BrokerInfo {
            kind: broker.kind().to_string(),
            version: broker.version().to_owned(),
        },
        keep: Some(kept::tapes(root, &chapter.slug)),
        bounds: Bounds {
            leases: Some(leases.clone()),
            ..Bounds::default()
        },
    };
    let mut progress = Progress::new(context.language, arguments.json, arguments.verbose);
    let (score, results) = run(&plan, |event| progress.tell(event)).await?;
    leases.release().await;
    let reports: Vec<_> = results.into_iter().map(|result| result.report).collect();
    if side == Edition::Exercise {
        for report in &reports {
            kept::keep(root, &chapter.slug, report)?;
        }
    }
    if !arguments.json {
        let telling = Telling {
            language: context.language,
            width: columns(),
            root,
            number,
            chapter,
            solution: arguments.solution,
            verbose: arguments.verbose,
        };
        output::telling(&telling.text(&reports));
    }
    Ok(match score.verdict {
        Verdict::Pass => Exit::Ok,
        Verdict::Infra => Exit::Ours,
        Verdict::Fail | Verdict::Error | Verdict::Ungradable => Exit::Failed,
    })
}
