//! A `rabbitmq-server` of this machine, run as a node of our own.
//!
//! It shares nothing with a broker that the system may run: its name, cookie, data, plugins and ports
//! are its own, and all four ports (AMQP, management, distribution, epmd) are open on the loopback only.
//! When we are root it runs as the package's user `rabbitmq`. It leads a session of its own, with a file
//! for its output, so it outlives the process and the terminal that started it.

mod epmd;
pub(crate) mod processes;
mod settings;

use std::fs::File;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::ports::{self, Chooser};
use crate::record::{Node, Ports, Ready, Record, Runtime};
use crate::start::{Failure, last_lines, until_ready};
use crate::state::{let_through, random_hex, state};
use crate::{Error, Kind, Options, command, programs};

pub(crate) use settings::{ERLANG_ARGUMENTS, LOGGED, TIME_ZONE};

/// The script that starts a node, when there is one.
///
/// Distributions put a wrapper into `/usr/sbin` that changes to the user `rabbitmq` by itself and lets
/// nobody but root use it; the script behind it is for everybody.
pub(crate) fn server(options: &Options) -> Option<PathBuf> {
    const WRAPPER: &str = "/usr/sbin/rabbitmq-server";
    const BEHIND: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";
    let found = programs::find("rabbitmq-server", options)?;
    let is_wrapper = found == Path::new(WRAPPER);
    Some(if is_wrapper && Path::new(BEHIND).exists() {
        BEHIND.into()
    } else {
        found
    })
}

/// Decides everything about a new node, and starts nothing yet.
pub(crate) fn plan(
    options: &Options,
    program: PathBuf,
    preferred_ports: bool,
) -> Result<Record, Error> {
    let id = random_hex(4);
    let data = data_folder(options)?.join(format!("broker-{id}"));
    let mut chooser = Chooser::default();
    let (amqp, management) = if preferred_ports {
        (
            chooser.prefer(ports::AMQP)?,
            chooser.prefer(ports::MANAGEMENT)?,
        )
    } else {
        (chooser.any()?, chooser.any()?)
    };
    let ports = Ports {
        amqp,
        management,
        distribution: chooser.any()?,
        epmd: chooser.any()?,
    };
    Ok(Record::new(
        Kind::Local,
        id,
        Runtime::Node(Node {
            program,
            data,
            ports,
        }),
    ))
}

/// Makes a planned node's files. The caller has written the record.
pub(crate) fn prepare(record: &Record, node: &Node) -> Result<(), Error> {
    let user = node_user();
    let folder = |path: &Path| {
        std::fs::DirBuilder::new()
            .recursive(false)
            .mode(0o700)
            .create(path)
            .and_then(|()| give(path, user))
            .map_err(|source| state(path, "cannot be made", source))
    };
    folder(&node.data)?;
    folder(&node.data.join(settings::HOME))?;
    for (name, contents) in settings::files(record, node, &random_hex(16)) {
        let path = node.data.join(name);
        fs_err::write(&path, contents)
            .and_then(|()| {
                // Erlang takes a cookie only from a file that nobody else can read.
                fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o400))
            })
            .and_then(|()| give(&path, user))
            .map_err(|source| state(&path, "cannot be written", source))?;
    }
    Ok(())
}

/// Starts a prepared node and waits until it is ready.
pub(crate) async fn start(
    options: &Options,
    record: &Record,
    node: &Node,
) -> Result<Ready, Failure> {
    let deadline = Instant::now() + options.start_timeout;
    let mut child = launch(options, record, node).map_err(Failure::Other)?;
    let amqp = ([127, 0, 0, 1], node.ports.amqp).into();
    let waited = until_ready(
        deadline,
        amqp,
        node.ports.management,
        &record.login(),
        || {
            let ended = child.try_wait().ok().flatten();
            std::future::ready(
                ended.map(|status| format!("`{}`: {status}", node.program.display())),
            )
        },
    )
    .await;
    // Somebody must wait for the child when it ends one day, or it stays in the process list.
    std::thread::spawn(move || child.wait());
    match waited {
        Ok(ready) => Ok(ready),
        Err(stopped) => {
            let log = last_words(record, node);
            Err(stopped.into_failure(Kind::Local, options.start_timeout, log))
        }
    }
}

/// Runs `rabbitmqctl` against a node.
pub(crate) async fn control(
    record: &Record,
    node: &Node,
    words: &[&str],
    limit: Duration,
) -> Result<(), Error> {
    // It lies beside the server's script.
    let mut command = Command::new(node.program.with_file_name("rabbitmqctl"));
    command
        .args(words)
        .env_clear()
        .envs(settings::variables(record, node))
        .current_dir(&node.data);
    if let Some(user) = node_user() {
        command.uid(user.uid).gid(user.gid);
    }
    command::run(command, limit).await.map(drop)
}

/// Ends a node and removes its data and its epmd.
pub(crate) async fn stop(options: &Options, id: &str, node: &Node) -> Result<(), Error> {
    halt(options, id, node.ports.epmd).await?;
    remove_data(&node.data)
}

/// Ends a node and its epmd, and leaves its data for another start.
pub(crate) async fn halt(options: &Options, id: &str, epmd: u16) -> Result<(), Error> {
    let ended = processes::stop(options.state.id(), id).await;
    let unmapped = epmd::stop(epmd).await;
    if ended && unmapped {
        return Ok(());
    }
    Err(state(
        options.state.path(),
        if ended {
            "the node's epmd does not end"
        } else {
            "the node's processes do not end"
        },
        std::io::ErrorKind::TimedOut.into(),
    ))
}

/// Ends nodes of this state that no record tells of: their starter was killed at the wrong moment or
/// their record was deleted. `keep` names those that are known.
pub(crate) async fn stop_strays(options: &Options, keep: &[String]) -> Result<Vec<String>, Error> {
    let mut stopped: Vec<String> = Vec::new();
    for process in processes::of_state(options.state.id()) {
        if keep.contains(&process.node) || stopped.contains(&process.node) {
            continue;
        }
        match process.epmd {
            Some(port) => halt(options, &process.node, port).await?,
            None => {
                processes::stop(options.state.id(), &process.node).await;
            }
        }
        if let Some(data) = process.data {
            remove_data(&data)?;
        }
        stopped.push(process.node);
    }
    Ok(stopped)
}

/// True while the node can write: its data may have been removed with the target folder.
pub(crate) fn has_data(node: &Node) -> bool {
    node.data.join(settings::CONFIGURATION).exists()
}

fn remove_data(data: &Path) -> Result<(), Error> {
    match fs_err::remove_dir_all(data) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(state(data, "cannot be removed", error))
        }
        _ => {
            // The folder around it goes too when it was the last; `remove_dir` takes only empty ones.
            if let Some(parent) = data.parent().filter(|parent| parent.ends_with(DATA_FOLDER)) {
                let _ = fs_err::remove_dir(parent);
            }
            Ok(())
        }
    }
}

fn launch(options: &Options, record: &Record, node: &Node) -> Result<Child, Error> {
    let log_path = node.data.join(settings::LOG);
    let failed = |source| state(&node.program, "cannot be started", source);
    let log = File::options()
        .create(true)
        .append(true)
        .open(&log_path)
        .map_err(failed)?;
    let errors = log.try_clone().map_err(failed)?;
    // `setsid` is a part of every Linux system. Without it a process group of its own must do, which
    // keeps a Ctrl-C of the terminal away.
    let setsid = programs::find(
        "setsid",
        &Options {
            path: None,
            ..options.clone()
        },
    );
    let mut command = match &setsid {
        Some(setsid) => {
            let mut command = Command::new(setsid);
            command.arg(&node.program);
            command
        }
        None => {
            let mut command = Command::new(&node.program);
            command.process_group(0);
            command
        }
    };
    command
        .args([processes::NODE_FLAG, options.state.id(), &record.id])
        .args([processes::EPMD_FLAG, &node.ports.epmd.to_string()])
        .arg(processes::DATA_FLAG)
        .arg(&node.data)
        .env_clear()
        .envs(settings::variables(record, node))
        .current_dir(&node.data)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors);
    if let Some(user) = node_user() {
        command.uid(user.uid).gid(user.gid);
    }
    command.spawn().map_err(failed)
}

pub(crate) fn last_words(record: &Record, node: &Node) -> Vec<String> {
    let text = fs_err::read(node.data.join(settings::LOG)).unwrap_or_default();
    last_lines(&String::from_utf8_lossy(&text), &record.password)
}

/// The user that a node runs as when we are root.
#[derive(Debug, Clone, Copy)]
struct User {
    uid: u32,
    gid: u32,
}

/// Root's nodes run as the package's own user, or as `nobody` where the package made none.
fn node_user() -> Option<User> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let users = fs_err::read_to_string("/etc/passwd").unwrap_or_default();
    let find = |name: &str| {
        users.lines().find_map(|line| {
            let mut fields = line.split(':');
            if fields.next() != Some(name) {
                return None;
            }
            Some(User {
                uid: fields.nth(1)?.parse().ok()?,
                gid: fields.next()?.parse().ok()?,
            })
        })
    };
    find("rabbitmq").or_else(|| find("nobody"))
}

fn give(path: &Path, user: Option<User>) -> std::io::Result<()> {
    match user {
        Some(user) => std::os::unix::fs::chown(path, Some(user.uid), Some(user.gid)),
        None => Ok(()),
    }
}

/// The last part of the folders that we make for data, and remove again when they are empty.
const DATA_FOLDER: &str = "workbook";

/// Where a new node's data goes: the first of the folder that was asked for, the cargo target folder, the
/// state folder and the system's temporary folder that the node's user can reach.
fn data_folder(options: &Options) -> Result<PathBuf, Error> {
    let root = node_user().is_some();
    let asked = options.data.clone();
    let target = target_folder().map(|target| target.join(DATA_FOLDER));
    for folder in asked.into_iter().chain(target) {
        let folder = std::path::absolute(&folder).unwrap_or(folder);
        if fs_err::create_dir_all(&folder).is_ok() && (!root || reachable(&folder)) {
            return Ok(folder);
        }
        // What we cannot use we do not leave behind.
        let _ = fs_err::remove_dir(&folder);
    }
    options.state.ensure()?;
    if root {
        let_through(options.state.path())?;
        if !reachable(options.state.path()) {
            return Ok(std::env::temp_dir());
        }
    }
    Ok(options.state.path().to_owned())
}

/// The cargo target folder that we were built into. Cargo marks it with a file.
fn target_folder() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let target = program
        .ancestors()
        .find(|folder| folder.join("CACHEDIR.TAG").is_file())?;
    Some(target.to_owned())
}

/// Whether every user may pass through the folder and all those above it.
fn reachable(folder: &Path) -> bool {
    folder.ancestors().all(|ancestor| {
        ancestor
            .metadata()
            .is_ok_and(|found| found.mode() & 0o001 != 0)
    })
}
