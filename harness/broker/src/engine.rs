//! Docker, asked through the program `workbook-docker`.
//!
//! It takes testcontainers, and that takes an HTTP/2 stack, TLS and gRPC to compile: minutes, for something that only a
//! start needs. So it is a program of its own, built when it is asked for the first time.

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::{io::AsyncWriteExt as _, sync::OnceCell};
use workbook_course::cargo;

use crate::{IMAGE, Options, command};

/// The package, and its program.
const HELPER: &str = "workbook-docker";
/// The variable that names that program where it is built already.
const HELPER_VARIABLE: &str = "WORKBOOK_DOCKER";
/// A daemon that is there answers at once.
const PING: Duration = Duration::from_secs(5);
/// Compiling it on a slow machine with a cold cache.
const BUILD: Duration = Duration::from_mins(30);

/// What Docker is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asked {
    /// Whether the daemon answers and the image is there.
    HasImage,
    /// To fetch the image.
    Pull,
    /// What is known of the image.
    InspectImage,
    /// To start a container, and wait until the broker in it says that it has started.
    Start(Box<Start>),
    /// Whether a container has ended.
    IsGone {
        /// The container.
        name: String,
    },
    /// The last lines of a container's log.
    Log {
        /// The container.
        name: String,
    },
    /// To run a command in a container.
    Run {
        /// The container.
        name: String,
        /// The command and its arguments.
        words: Vec<String>,
    },
    /// To remove all containers with a label, with their volumes.
    RemoveAll {
        /// The label's name.
        label: String,
        /// Its value.
        value: String,
    },
}

/// A container to start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// Its name, never used before.
    pub name: String,
    /// Its label: name and value.
    pub label: (String, String),
    /// Its environment.
    pub environment: BTreeMap<String, String>,
    /// Ports inside, and where they are found on the loopback.
    pub ports: Vec<(u16, u16)>,
    /// A folder inside that is kept in memory.
    pub in_memory: Option<String>,
    /// How long it may take, in milliseconds.
    pub patience_ms: u64,
}

/// What Docker answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It did what it was asked.
    Done(serde_json::Value),
    /// The daemon does not answer.
    NoDaemon(String),
    /// It refused, or failed.
    Failed(String),
    /// A container was not ready in time.
    TimedOut,
}

/// The image, as Docker knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Its id, `sha256:…`.
    pub id: String,
    /// Its environment, `NAME=VALUE` each.
    pub environment: Vec<String>,
    /// Its size, in bytes.
    pub bytes: u64,
}

impl Answer {
    /// The answer to a question that Docker cannot refuse for a reason that matters.
    pub(crate) fn read<T: DeserializeOwned>(self) -> Result<T, String> {
        match self {
            Self::Done(json) => serde_json::from_value(json).map_err(|error| error.to_string()),
            Self::NoDaemon(reason) => Err(format!("the Docker daemon does not answer: {reason}")),
            Self::Failed(reason) => Err(reason),
            Self::TimedOut => Err("it was not ready in time".to_owned()),
        }
    }
}

/// Asks Docker; a helper that cannot be had is as good as no daemon.
pub(crate) async fn ask(options: &Options, asked: &Asked) -> Answer {
    if let Err(reason) = is_listening() {
        return Answer::NoDaemon(reason);
    }
    match helper(options).await {
        Ok(program) => match answer(program, asked).await {
            Ok(answer) => answer,
            Err(reason) => Answer::Failed(reason),
        },
        Err(reason) => Answer::NoDaemon(reason),
    }
}

/// Whether the daemon answers and the image is here, asked without the helper: nothing is built for that.
pub(crate) async fn is_ready() -> Result<(), String> {
    is_listening().map_err(|reason| format!("the Docker daemon does not answer: {reason}"))?;
    let mut version = Command::new("docker");
    version.args(["version", "--format", "{{.Server.Version}}"]);
    command::run(version, PING)
        .await
        .map_err(|_| "the Docker daemon does not answer".to_owned())?;
    let mut inspect = Command::new("docker");
    inspect.args(["image", "inspect", "--format", "{{.Id}}", IMAGE]);
    let found = command::run(inspect, PING).await;
    found
        .map(drop)
        .map_err(|_| format!("the image {IMAGE} is not here"))
}

/// Where there is no socket, nobody needs to be asked.
fn is_listening() -> Result<(), String> {
    if env::var_os("DOCKER_HOST").is_some_and(|host| !host.is_empty()) {
        return Ok(());
    }
    let below = |variable: &str, path: &str| Some(PathBuf::from(env::var_os(variable)?).join(path));
    let sockets = [
        Some(PathBuf::from("/var/run/docker.sock")),
        below("XDG_RUNTIME_DIR", "docker.sock"),
        below("HOME", ".docker/run/docker.sock"),
        below("HOME", ".docker/desktop/docker.sock"),
    ];
    match sockets.into_iter().flatten().any(|path| path.exists()) {
        true => Ok(()),
        false => Err("there is no /var/run/docker.sock".to_owned()),
    }
}

async fn answer(program: &Path, asked: &Asked) -> Result<Answer, String> {
    let broken = |error: std::io::Error| format!("{}: {error}", program.display());
    let mut child = tokio::process::Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(broken)?;
    let json = serde_json::to_vec(asked).map_err(|error| error.to_string())?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(&json).await.map_err(broken)?;
    }
    let output = child.wait_with_output().await.map_err(broken)?;
    serde_json::from_slice(&output.stdout).map_err(|_| {
        let said = String::from_utf8_lossy(&output.stderr);
        format!(
            "{} ended with {}: {}",
            program.display(),
            output.status,
            said.trim()
        )
    })
}

/// The program that asks Docker. It is built once a process, which is quick where it has been built before.
async fn helper(options: &Options) -> Result<&'static Path, String> {
    static PROGRAM: OnceCell<PathBuf> = OnceCell::const_new();
    let found = PROGRAM.get_or_try_init(async || match env::var_os(HELPER_VARIABLE) {
        Some(path) => Ok(PathBuf::from(path)),
        None => build(options).await,
    });
    found.await.map(PathBuf::as_path)
}

async fn build(options: &Options) -> Result<PathBuf, String> {
    #[derive(Deserialize)]
    struct Artifact {
        executable: Option<PathBuf>,
    }
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    let mut build = cargo::command();
    build.args(["build", "--quiet", "--package", HELPER, "--bins"]);
    build
        .args(["--message-format", "json", "--manifest-path"])
        .arg(manifest);
    let is_new = env::current_exe().is_ok_and(|program| {
        let mut folders = program.ancestors();
        let target = folders.find(|it| it.ends_with("debug"));
        target.is_some_and(|it| !it.join(HELPER).is_file())
    });
    if is_new {
        options.say("building what starts RabbitMQ in Docker, once: about a minute");
    }
    let told = command::run(build, BUILD)
        .await
        .map_err(|error| format!("{HELPER} cannot be built: {error}"))?;
    let executable = |line: &str| {
        let artifact: Artifact = serde_json::from_str(line).ok()?;
        artifact.executable
    };
    told.lines()
        .rev()
        .find_map(executable)
        .ok_or_else(|| format!("cargo built no {HELPER}"))
}
