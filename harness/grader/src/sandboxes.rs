//! Which sandboxes this machine can make.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use workbook_sandbox::{
    Kind, Limits, Room, SandboxError,
    room::IMAGE,
    run::{self, Finish},
    wire::Go,
};

use crate::depot::Depot;

/// The first uid for sandboxes that a root makes, where all uids are there: beyond those of users and of containers.
const FIRST_UID: u32 = 0x7000_0000;
/// The first uid where only the usual 65,536 are there, as in some containers.
const FIRST_UID_OF_FEW: u32 = 20_000;

/// The longest folder in which the path of a socket fits (a system's limit is some 100 bytes).
const LONGEST: usize = 60;

/// Why there is no sandbox of a kind.
#[derive(Debug, thiserror::Error)]
pub enum NoSandbox {
    /// Its program is not there.
    #[error("there is no `{0}` on this machine")]
    Missing(&'static str),
    /// It was tried, and does not work here.
    #[error("{kind} makes no sandbox here: {reason}")]
    Broken {
        /// Which.
        kind: Kind,
        /// What it said.
        reason: String,
    },
    /// A file of ours.
    #[error("the sandbox's first process cannot be put in its place")]
    Entry(#[source] std::io::Error),
}

/// Sandboxes of a kind, tried out; `entry` is the executable of their first process.
pub async fn room(kind: Kind, depot: &Depot, entry: &Path) -> Result<Room, NoSandbox> {
    let name = match kind {
        Kind::Bwrap => "bwrap",
        Kind::Docker => "docker",
    };
    let tool = find(name).ok_or(NoSandbox::Missing(name))?;
    let scratch = depot.scratch.path();
    // Where every uid can get it.
    let place = scratch.join("sandbox-entry");
    if !place.exists() {
        fs::copy(entry, &place).map_err(NoSandbox::Entry)?;
        fs::set_permissions(&place, fs::Permissions::from_mode(0o555)).map_err(NoSandbox::Entry)?;
    }
    let short = scratch.as_os_str().len() <= LONGEST;
    let room = Room {
        kind,
        no_inner_users: kind == Kind::Bwrap && says(&tool, "--disable-userns"),
        tool,
        entry: place,
        folder: if short {
            scratch.to_owned()
        } else {
            PathBuf::from("/tmp")
        },
        etc: depot.etc.clone(),
        binds: Vec::new(),
        first_uid: first_uid(),
        limits: Limits::PROGRAM,
        environment: BTreeMap::from(
            [("PATH", "/usr/local/bin:/usr/bin:/bin"), ("HOME", "/tmp")]
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
        ),
        directory: PathBuf::from("/tmp"),
    };
    if kind == Kind::Docker {
        empty_image(&room.tool)?;
    }
    let go = Go {
        argv: vec!["/bin/true".to_owned()],
        environment: BTreeMap::new(),
        directory: PathBuf::from("/tmp"),
    };
    let broken = |reason: String| NoSandbox::Broken { kind, reason };
    match run::run(&room, &go, Duration::from_mins(1), 1 << 16).await {
        Ok(outcome) if outcome.ended == Finish::Code(0) => Ok(room),
        Ok(outcome) => Err(broken(format!("{:?} {}", outcome.ended, outcome.said))),
        Err(SandboxError::NotMade(said)) => Err(broken(said)),
        Err(error) => Err(broken(error.to_string())),
    }
}

/// The uids of sandboxes, where we are root and can give them some.
fn first_uid() -> Option<u32> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let all = map
        .split_whitespace()
        .nth(2)
        .and_then(|it| it.parse::<u64>().ok());
    let all = all.unwrap_or(u64::from(u32::MAX));
    Some(if all > u64::from(FIRST_UID) + (1 << 17) {
        FIRST_UID
    } else {
        FIRST_UID_OF_FEW
    })
}

/// A program on the path.
fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

fn says(tool: &Path, option: &str) -> bool {
    let help = Command::new(tool).arg("--help").output();
    help.is_ok_and(|help| String::from_utf8_lossy(&help.stdout).contains(option))
}

/// Makes the image of the containers, where it is not there: it holds nothing.
fn empty_image(docker: &Path) -> Result<(), NoSandbox> {
    let broken = |reason: String| NoSandbox::Broken {
        kind: Kind::Docker,
        reason,
    };
    let there = Command::new(docker)
        .args(["image", "inspect", IMAGE])
        .stdin(Stdio::null())
        .output();
    if there
        .map_err(|error| broken(error.to_string()))?
        .status
        .success()
    {
        return Ok(());
    }
    // An archive's end is 1,024 zeros.
    let script = r#"head -c 1024 /dev/zero | "$0" import - "$1""#;
    let made = Command::new("sh")
        .args(["-c", script])
        .arg(docker)
        .arg(IMAGE)
        .output();
    let made = made.map_err(|error| broken(error.to_string()))?;
    if made.status.success() {
        return Ok(());
    }
    Err(broken(
        String::from_utf8_lossy(&made.stderr).trim().to_owned(),
    ))
}
