//! `cargo workbook grade PATH --out DIR`

mod progress;

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use workbook::{
    Context, Error, Exit,
    cli::{self, SandboxChoice},
    output,
};
use workbook_broker::Broker;
use workbook_course::Language;
use workbook_grader::{
    depot::Depot,
    grade::{Class, grade as grade_class},
    model::{Conditions, Results},
    sandboxes::{self, NoSandbox},
    store::Store,
};
use workbook_report::{Verdict, seed::DERIVATION, sentences::in_language};
use workbook_runner::{BrokerInfo, build};
use workbook_sandbox::{Kind, Room};

use self::progress::Progress;
use crate::error;

pub(crate) async fn grade(context: &Context, arguments: cli::Grade) -> Result<Exit, Error> {
    let language = context.language;
    let store = Store::open(&arguments.out).map_err(error::store)?;
    let options = context.broker_options()?;
    let say = |text: &str| output::progress(&in_language(text, language));
    let depot = Depot::open(&context.workspace, &say).map_err(error::depot)?;
    let room = room(context, &arguments, &depot).await?;
    let broker = Broker::find_or_start(&options).await?;
    let conditions = Conditions {
        seed: store
            .seed(arguments.seed, rand::random_range(0..1_000_000))
            .map_err(error::store)?,
        seed_derivation: DERIVATION.to_owned(),
        broker: BrokerInfo {
            kind: broker.kind().to_string(),
            version: broker.version().to_owned(),
        },
        toolchain: String::new(),
        checks: String::new(),
        sandbox: room
            .as_ref()
            .map_or_else(|| "none".to_owned(), |room| room.kind.to_string()),
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let class = Class {
        workspace: context.workspace.clone(),
        path: arguments.path.clone(),
        exercises: arguments.exercises.clone(),
        jobs: arguments.jobs.unwrap_or(cores).max(1),
        again: arguments.again,
        any_language: arguments.any_language,
        tools: absolute(&arguments.tools)?,
        room,
        request: context.request(&options.choice, &broker),
        broker,
    };
    let mut progress = Progress::new(language, arguments.json);
    let results = grade_class(
        class,
        depot,
        store,
        conditions,
        |event| progress.tell(event),
        say,
    )
    .await
    .map_err(error::grade)?;
    if !arguments.json {
        sum_up(language, &results, &arguments);
    }
    // Whatever the marks: grading worked, unless something is not graded.
    Ok(match results.count(Verdict::Infra) {
        0 => Exit::Ok,
        _ => Exit::Ours,
    })
}

/// Folders for programs in other languages, where every user of this machine can read them: sandboxes of root run as
/// others.
fn absolute(folders: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let open =
        |path: &Path| std::fs::metadata(path).is_ok_and(|it| it.permissions().mode() & 0o001 != 0);
    let absolute = |folder: &PathBuf| {
        let path = std::fs::canonicalize(folder).map_err(|error| {
            Error::from_source(Exit::Usage, &error)
                .hint(format!("is there a folder {}?", folder.display()))
        })?;
        if let Some(closed) = path.ancestors().find(|path| !open(path)) {
            let closed = format!("{} is not open to the users of sandboxes", closed.display());
            return Err(Error::new(Exit::Usage, closed).hint(format!(
                "copy {} to where everybody can read it, such as /opt",
                path.display()
            )));
        }
        Ok(path)
    };
    folders.iter().map(absolute).collect()
}

/// The sandboxes that were asked for; `None` where none were.
async fn room(
    context: &Context,
    arguments: &cli::Grade,
    depot: &Depot,
) -> Result<Option<Room>, Error> {
    let wanted: &[Kind] = match arguments.sandbox {
        SandboxChoice::Auto => &[Kind::Bwrap, Kind::Docker],
        SandboxChoice::Bwrap => &[Kind::Bwrap],
        SandboxChoice::Docker => &[Kind::Docker],
        SandboxChoice::None => {
            output::warning(match context.language {
                Language::English => {
                    "no sandbox: the programs of every submission run as you, with your files and your network"
                }
                Language::Chinese => {
                    "没有沙箱：每份作业的程序都以你的身份运行，可以访问你的文件和网络"
                }
            });
            return Ok(None);
        }
    };
    let entry = build::tool(&context.workspace.root, "workbook-sandbox", "sandbox-entry").await?;
    let mut why = Vec::new();
    for kind in wanted {
        let mut tried = sandboxes::room(*kind, depot, &entry).await;
        if matches!(tried, Err(NoSandbox::Missing("bwrap"))) {
            match workbook_broker::install_package(&context.broker_options()?, "bubblewrap").await {
                Ok(()) => tried = sandboxes::room(*kind, depot, &entry).await,
                Err(reason) => why.push(reason),
            }
        }
        match tried {
            Ok(room) => return Ok(Some(room)),
            Err(error) => why.push(Error::from_source(Exit::NoBroker, &error).causes.join(": ")),
        }
    }
    let mut error = Error::new(
        Exit::NoBroker,
        "there is no sandbox to run the programs in, and nobody said that they may be trusted",
    );
    error.causes.extend(why);
    Err(error
        .hint("apt-get install bubblewrap (or the same with --yes)")
        .hint("or start a Docker daemon")
        .hint("or --sandbox none, if you trust every submission as you trust yourself"))
}

/// The last lines: how many came to which verdict, and where to look.
fn sum_up(language: Language, results: &Results, arguments: &cli::Grade) {
    let counts: Vec<String> = Verdict::ALL
        .into_iter()
        .filter(|verdict| results.count(*verdict) > 0)
        .map(|it| format!("{} {}", results.count(it), it.word_in(language)))
        .collect();
    let out = arguments.out.display();
    let conditions = &results.conditions;
    output::line("");
    output::line(&match language {
        Language::English => format!(
            "{} submissions: {}; seed {}",
            results.submissions.len(),
            counts.join(", "),
            conditions.seed
        ),
        Language::Chinese => format!(
            "{} 份作业：{}；种子 {}",
            results.submissions.len(),
            counts.join("，"),
            conditions.seed
        ),
    });
    for submission in &results.submissions {
        let own = submission.message.iter();
        let exercises = submission
            .exercises
            .iter()
            .filter_map(|it| it.message.as_ref());
        let mut told: Vec<&str> = Vec::new();
        for message in own.chain(exercises) {
            let first = message.lines().next().unwrap_or_default();
            if !told.contains(&first) {
                output::line(&format!("  {}: {first}", submission.name));
                told.push(first);
            }
        }
    }
    output::line(&format!(
        "  {out}/index.html  {out}/gradebook.csv  {out}/results.json"
    ));
    if results.count(Verdict::Infra) > 0 {
        output::line(match language {
            Language::English => {
                "not all of them could be graded, and that is not their fault: mend what is said above, and type the command again"
            }
            Language::Chinese => {
                "有些作业未能评分，这不是作业的错：请先解决上面的问题，再次运行同一命令"
            }
        });
    }
}
