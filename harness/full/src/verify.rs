//! `cargo workbook verify`: everything that must hold in this repository, a line each.
//!
//! While it looks at the sources, it makes ready what the tests need. A step of either that fails ends its own
//! side, and then the whole, before any test is run. A step that cannot be done
//! here is skipped loudly; with `WORKBOOK_NO_SKIP=1`, as in CI, that is a failure too.
//! The tests come last, so that the last lines are the test runner's own.
//!
//! They are run on every broker that is here: all of them on the first, and on the others those that talk to the broker,
//! without the mistakes, which take a third of that time. `WORKBOOK_BROKER=local cargo nextest run --package
//! workbook-grader --test mistakes` tries those, too.

use std::{
    env, panic,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Instant,
};

use tokio::{runtime::Handle, task};
use workbook::{Context, Error, Exit, command::image_options, output};
use workbook_broker::{Broker, Choice, Consent, Kind, image};
use workbook_course::lint::lint;
use workbook_runner::build;

use crate::book;

/// The variable that turns every skip into a failure.
const NO_SKIP: &str = "WORKBOOK_NO_SKIP";
/// The variable that tells the tests which Python has pika.
const PYTHON: &str = "WORKBOOK_PYTHON";

/// The package that asks Docker. Nothing else needs half of what it needs, so it is built by itself: together with the
/// others it would have them take other builds of what they share.
const DOCKER: &str = "workbook-docker";
/// All other packages.
const ALL: &str = "--workspace --exclude workbook-docker";

/// The packages whose tests talk to the broker that is being verified, besides the solutions.
const WITH_A_BROKER: [&str; 3] = ["amqp-tap", "workbook-lab", "workbook-grader"];

/// What is tested on the first broker only: to an attack, and to how things are built, it makes no difference which one it
/// is; to a mistake seldom.
const ON_ONE_BROKER: &str = "binary(attacks) | binary(builds) | binary(mistakes)";

/// How a step went.
enum Step {
    Done(String),
    Skipped(String),
}

type Outcome = Result<Step, Error>;

pub(crate) fn verify(context: &Context) -> Result<Exit, Error> {
    let verify = Verify {
        context,
        root: &context.workspace.root,
    };
    // Downloads and brokers take their time while the compiler takes the processor.
    let brokers = task::block_in_place(|| {
        thread::scope(|scope| {
            let runtime = Handle::current();
            let tools = scope.spawn(move || runtime.block_on(verify.tools()));
            verify.sources()?;
            tools
                .join()
                .unwrap_or_else(|panic| panic::resume_unwind(panic))
        })
    })?;
    for (index, broker) in brokers.iter().enumerate() {
        verify.tests(broker, index == 0)?;
    }
    Ok(Exit::Ok)
}

#[derive(Clone, Copy)]
struct Verify<'a> {
    context: &'a Context,
    root: &'a Path,
}

impl Verify<'_> {
    /// What can be told of the sources without a broker.
    fn sources(self) -> Result<(), Error> {
        let format = ["fmt", "--all", "--check"];
        step(
            "format",
            self.cargo("format", &format, &[], "cargo fmt --all"),
        )?;
        let all = format!("clippy {ALL} --all-targets -- -D warnings");
        let docker = format!("clippy --package {DOCKER} -- -D warnings");
        for (name, line) in [("clippy", all), ("clippy docker", docker)] {
            let words: Vec<_> = line.split(' ').collect();
            step(
                name,
                self.cargo("clippy", &words, &[], "mend what clippy says"),
            )?;
        }
        step("build", self.build())?;
        step("course", self.course())?;
        let documentation = format!("doc {ALL} --no-deps");
        let documentation: Vec<_> = documentation.split(' ').collect();
        let strict = [("RUSTDOCFLAGS", "-D warnings")];
        step(
            "docs",
            self.cargo("docs", &documentation, &strict, "mend what rustdoc says"),
        )?;
        step("book", self.book())?;
        let examples = format!("test {ALL} --doc");
        let examples: Vec<_> = examples.split(' ').collect();
        step(
            "doc tests",
            self.cargo("doc-tests", &examples, &[], "mend the examples"),
        )
    }

    /// What the tests need of this machine, and the brokers to run them on.
    async fn tools(self) -> Result<Vec<Broker>, Error> {
        step("browser", self.browser())?;
        step("sandbox", self.sandbox())?;
        step("python", self.python())?;
        let mut brokers = Vec::new();
        for kind in [Kind::Docker, Kind::Local] {
            let found = self.broker(kind).await;
            let told = found.map(|found| match found {
                Ok(broker) => {
                    let (version, address) = (broker.version(), broker.amqp_address());
                    let told = format!("RabbitMQ {version} at {address}");
                    brokers.push(broker);
                    Step::Done(told)
                }
                Err(why) => Step::Skipped(why),
            });
            step(&format!("{kind} broker"), told)?;
        }
        if brokers.is_empty() {
            let none = "there is no broker of any kind to test with";
            return Err(Error::new(Exit::NoBroker, none).hint("cargo workbook doctor"));
        }
        Ok(brokers)
    }

    /// Runs cargo; what it prints goes to a file, and to the terminal when it fails.
    fn cargo(
        &self,
        name: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
        cure: &str,
    ) -> Outcome {
        let mut command = build::command();
        command.args(arguments).envs(environment.iter().copied());
        self.run(name, &mut command, cure).map(|(step, _)| step)
    }

    fn run(&self, name: &str, command: &mut Command, cure: &str) -> Result<(Step, String), Error> {
        let started = Instant::now();
        let output = command
            .current_dir(self.root)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| {
                Error::from_source(Exit::Ours, &error).hint(format!("the command was {command:?}"))
            })?;
        let said = [&output.stdout, &output.stderr]
            .map(|stream| String::from_utf8_lossy(stream).into_owned())
            .concat();
        if !output.status.success() {
            output::line(&said);
            return Err(Error::new(
                Exit::Failed,
                format!("{name}: {command:?} failed ({})", output.status),
            )
            .hint(cure));
        }
        Ok((
            Step::Done(format!("{:.1} s", started.elapsed().as_secs_f64())),
            said,
        ))
    }

    /// Builds everything, and takes no warning: rustc's are clippy's too, cargo's own are seen here only.
    fn build(&self) -> Outcome {
        let mut command = build::command();
        command
            .arg("build")
            .args(ALL.split(' '))
            .arg("--all-targets");
        let (step, said) = self.run("build", &mut command, "mend the compiler's first error")?;
        if said.lines().any(|line| line.starts_with("warning")) {
            output::line(&said);
            return Err(Error::new(Exit::Failed, "the build prints warnings"));
        }
        Ok(step)
    }

    fn course(&self) -> Outcome {
        let findings = lint(&self.context.workspace);
        if findings.is_empty() {
            return Ok(Step::Done(format!(
                "{} chapters",
                self.context.workspace.course.chapters.len()
            )));
        }
        let mut error = Error::new(Exit::Failed, "the course does not agree with itself");
        error.causes.extend(findings);
        Err(error)
    }

    fn book(&self) -> Outcome {
        book::check(self.context).map(Step::Done)
    }

    /// Chromium and its driver, for the tests that look at the book.
    fn browser(&self) -> Outcome {
        let packages = "chromium chromium-driver fonts-noto-cjk";
        self.installed("browser", &["chromedriver", "chromium"], packages)
    }

    /// bubblewrap, for the tests that grade programs which nobody trusts.
    fn sandbox(&self) -> Outcome {
        self.installed("sandbox", &["bwrap"], "bubblewrap")
    }

    /// Commands of this machine, each of which tells its version; what is missing is installed where that is allowed.
    fn installed(&self, name: &str, commands: &[&str], packages: &str) -> Outcome {
        let version = |command: &&str| quiet(Command::new(command).arg("--version"));
        if !commands.iter().all(version) {
            let install = format!("apt-get install --yes {packages}");
            if !self.consent() {
                return Ok(Step::Skipped(format!("to have it: {install}")));
            }
            let sudo = sudo();
            let command = format!("{sudo}apt-get update && {sudo}{install}");
            self.run(name, Command::new("sh").args(["-c", &command]), &install)?;
        }
        let last = commands.last().copied().unwrap_or_default();
        let output = Command::new(last).arg("--version").output()?;
        let version = String::from_utf8_lossy(&output.stdout);
        Ok(Step::Done(version.trim().to_owned()))
    }

    /// A Python with pika, for the original tutorial's programs.
    fn python(&self) -> Outcome {
        let folder = self.context.workspace.state().join("python");
        let python = folder.join("bin").join("python3");
        let works = || quiet(Command::new(&python).args(["-c", "import pika"]));
        if works() {
            return Ok(Step::Done(python.display().to_string()));
        }
        if !quiet(Command::new("python3").args(["-c", "import ensurepip, venv"])) {
            let install = "apt-get install --yes python3 python3-venv";
            if !self.consent() {
                return Ok(Step::Skipped(format!("no python3 with venv: {install}")));
            }
            let sudo = sudo();
            let command = format!("{sudo}apt-get update && {sudo}{install}");
            self.run("python", Command::new("sh").args(["-c", &command]), install)?;
        }
        self.run(
            "python",
            Command::new("python3")
                .args(["-m", "venv", "--clear"])
                .arg(&folder),
            "install python3-venv",
        )?;
        self.run(
            "python",
            Command::new(&python).args(["-m", "pip", "install", "--quiet", "pika"]),
            "is the package index reached?",
        )?;
        Ok(Step::Done(python.display().to_string()))
    }

    fn consent(&self) -> bool {
        self.context
            .broker_options()
            .is_ok_and(|options| options.consent == Consent::Yes)
    }

    /// A broker of a kind, or why there is none here.
    async fn broker(&self, kind: Kind) -> Result<Result<Broker, String>, Error> {
        let mut options = self.context.broker_options()?;
        if kind == Kind::Docker {
            if !quiet(Command::new("docker").arg("info")) {
                return Ok(Err("no Docker daemon answers here".to_owned()));
            }
            options.choice = Choice::Docker;
            let first = Broker::find_or_start(&options).await;
            match first {
                Err(error) if error.is_no_broker() && options.consent == Consent::Yes => {
                    output::progress("no image can be pulled here: making one");
                    image::build(image_options(&options)).await?;
                }
                Err(error) if error.is_no_broker() => return Ok(Err(error.to_string())),
                other => return Ok(Ok(other?)),
            }
        } else {
            options.choice = Choice::Local;
        }
        match Broker::find_or_start(&options).await {
            Err(error @ workbook_broker::Error::NoBroker { .. }) => Ok(Err(error.to_string())),
            other => Ok(Ok(other?)),
        }
    }

    /// Runs the tests against a broker: all of them, or those that talk to it.
    fn tests(&self, broker: &Broker, all: bool) -> Result<(), Error> {
        let what = if all { "all tests" } else { "broker tests" };
        output::line(&format!(
            "running  {what} on RabbitMQ {} ({})",
            broker.version(),
            broker.kind()
        ));
        let mut command = build::command();
        let chapters = &self.context.workspace.course.chapters;
        let nextest = quiet(build::command().args(["nextest", "--version"]));
        if nextest {
            command.args(["nextest", "run", "--no-fail-fast"]);
        } else {
            command.args(["test", "--no-fail-fast", "--lib", "--bins", "--tests"]);
        }
        // What is built is the same for both brokers: other packages would have dependencies of other features.
        if all || nextest {
            // The unsolved exercises are red by design; the grader's tests hold that they are.
            command.args(ALL.split(' '));
            for chapter in chapters {
                command.args(["--exclude", &chapter.slug]);
            }
        }
        if all && nextest {
            // The grader's tests run every solution; one of them is run as a learner does, too.
            let first = chapters.first().map_or("", |chapter| chapter.slug.as_str());
            let again = format!("package(/-solution$/) - package({first}-solution)");
            command.args(["-E", &format!("not ({again})")]);
        }
        if !all {
            // The grader's tests run the solutions as well.
            let packages = WITH_A_BROKER.into_iter();
            if nextest {
                let filters: Vec<_> = packages.map(|it| format!("package({it})")).collect();
                let filter = format!("({}) - ({ON_ONE_BROKER})", filters.join(" | "));
                command.args(["-E", &filter]);
            } else {
                command.args(packages.flat_map(|it| ["--package", it]));
            }
        }
        let python = self.context.workspace.state().join("python/bin/python3");
        if python.is_file() {
            command.env(PYTHON, python);
        }
        let status = command
            .current_dir(self.root)
            .env("WORKBOOK_BROKER", broker.kind().to_string())
            .env("AMQP_TAP_TEST_BROKER", broker.amqp_address().to_string())
            .env("INSTA_UPDATE", "no")
            // Half the time: see the grader's tests of the chapters.
            .env("WORKBOOK_KNOWN_MISTAKES_ONLY", "1")
            .stdin(Stdio::null())
            .status()?;
        if status.success() {
            return Ok(());
        }
        Err(Error::new(
            Exit::Failed,
            format!(
                "{what} failed on RabbitMQ {} ({})",
                broker.version(),
                broker.kind()
            ),
        ))
    }
}

/// Tells how a step went, and stops at one that failed.
fn step(name: &str, outcome: Outcome) -> Result<(), Error> {
    match outcome {
        Ok(Step::Done(what)) => {
            output::line(&format!("ok       {name:<14} {what}"));
            Ok(())
        }
        Ok(Step::Skipped(why)) => {
            output::line(&format!("SKIPPED  {name:<14} {why}"));
            if env::var(NO_SKIP).is_ok_and(|value| value == "1") {
                return Err(Error::new(
                    Exit::Failed,
                    format!("`{name}` was skipped, and {NO_SKIP} allows no skip"),
                )
                .hint(why));
            }
            Ok(())
        }
        Err(error) => {
            output::line(&format!("FAILED   {name}"));
            Err(error)
        }
    }
}

/// What comes before a command that only root may run.
fn sudo() -> &'static str {
    if quiet(Command::new("sh").args(["-c", "test $(id -u) = 0"])) {
        ""
    } else {
        "sudo "
    }
}

/// Whether a command succeeds; what it prints is of no interest.
fn quiet(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
