//! The command that makes a sandbox.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use serde::{Deserialize, Serialize};

use crate::{
    limits::Limits,
    wire::{CONTROL_FOLDER, ENTRY},
};

/// The image of the sandboxes in Docker: nothing at all, as everything comes from this machine.
pub const IMAGE: &str = "rabbitmq-workbook-sandbox";

/// The label of each container, so that one left behind can be found.
pub const LABEL: &str = "rabbitmq-workbook-sandbox";

/// How many uids a root outside takes, from [`Room::first_uid`] on.
const UIDS: u32 = 1 << 16;

/// What makes the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// bubblewrap: namespaces of the kernel, without a daemon.
    Bwrap,
    /// A container of the daemon of this machine.
    Docker,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Bwrap => "bwrap",
            Self::Docker => "docker",
        })
    }
}

/// A file or folder of this machine that can be seen inside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bind {
    /// Where it is.
    pub outside: PathBuf,
    /// What it is called inside.
    pub inside: PathBuf,
    /// Whether it may be written to.
    pub writable: bool,
}

impl Bind {
    /// Something to read.
    pub fn read(outside: impl Into<PathBuf>, inside: impl Into<PathBuf>) -> Self {
        Self {
            outside: outside.into(),
            inside: inside.into(),
            writable: false,
        }
    }

    /// Something to write to.
    pub fn write(outside: impl Into<PathBuf>, inside: impl Into<PathBuf>) -> Self {
        Self {
            writable: true,
            ..Self::read(outside, inside)
        }
    }
}

/// How to make sandboxes of one kind: each start of a program gets a new one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// What makes them.
    pub kind: Kind,
    /// The executable of `bwrap` or `docker`.
    pub tool: PathBuf,
    /// Whether this bubblewrap can forbid user namespaces inside (0.8.0 and later).
    pub no_inner_users: bool,
    /// The executable of the first process.
    pub entry: PathBuf,
    /// A folder for the sockets of the controls; everybody must be able to go through it.
    pub folder: PathBuf,
    /// What is inside as `/etc`.
    pub etc: PathBuf,
    /// What else is inside, besides the programs and libraries of this machine in `/usr`.
    pub binds: Vec<Bind>,
    /// The first of the uids that a root outside takes: each sandbox gets one of its own. `None`: we are not root.
    pub first_uid: Option<u32>,
    /// What the program may use.
    pub limits: Limits,
    /// The whole environment of the program, but for what its lab adds.
    pub environment: BTreeMap<String, String>,
    /// The working directory, as it is called inside.
    pub directory: PathBuf,
}

impl Room {
    /// A uid that no other sandbox of this moment is likely to have; `None`: ours.
    pub(crate) fn next_uid(&self) -> Option<u32> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let spread = std::process::id().wrapping_mul(31).wrapping_add(number);
        self.first_uid.map(|first| first + spread % UIDS)
    }

    /// The command that makes a sandbox whose control is in a folder of this machine.
    pub(crate) fn command(&self, control: &Path, uid: Option<u32>) -> Command {
        let mut command = match self.kind {
            Kind::Bwrap => self.bwrap(control, uid),
            Kind::Docker => self.docker(control, uid),
        };
        // What it is to know comes over the control: everybody inside can read the command line of process 1.
        command.arg(ENTRY);
        command
    }

    fn bwrap(&self, control: &Path, uid: Option<u32>) -> Command {
        let mut command = Command::new(&self.tool);
        if let Some(uid) = uid {
            // Before bubblewrap starts: inside it, root would still be this machine's root.
            command.uid(uid).gid(uid);
        }
        command.args([
            "--unshare-user",
            "--unshare-ipc",
            "--unshare-pid",
            "--unshare-net",
            "--unshare-uts",
            "--unshare-cgroup-try",
            "--die-with-parent",
            "--new-session",
            "--as-pid-1",
            "--clearenv",
            "--hostname",
            "workbook",
            "--ro-bind",
            "/usr",
            "/usr",
        ]);
        if self.no_inner_users {
            command.arg("--disable-userns");
        }
        for (place, target) in Self::top_folders() {
            match target {
                Some(target) => command.arg("--symlink").arg(target),
                None => command.arg("--ro-bind").arg(&place),
            }
            .arg(&place);
        }
        let disk = self.limits.disk.to_string();
        command.arg("--ro-bind").arg(&self.etc).arg("/etc");
        command.args(["--proc", "/proc", "--dev", "/dev"]);
        command.args(["--size", disk.as_str(), "--tmpfs", "/dev/shm"]);
        // A system has some thousand terminals for everybody: who could make them could take them from the others.
        command.args(["--size", "4096", "--tmpfs", "/dev/pts"]);
        command.args(["--remount-ro", "/dev/pts"]);
        command.args(["--remount-ro", "/dev"]);
        command.args(["--size", disk.as_str(), "--tmpfs", "/tmp"]);
        command.args(["--perms", "0755", "--dir", "/run"]);
        for bind in self.all_binds(control) {
            let how = if bind.writable { "--bind" } else { "--ro-bind" };
            command.arg(how).arg(bind.outside).arg(bind.inside);
        }
        command.args(["--remount-ro", "/", "--chdir", "/", "--"]);
        command
    }

    fn docker(&self, control: &Path, uid: Option<u32>) -> Command {
        let limits = &self.limits;
        let mut command = Command::new(&self.tool);
        let user = uid.unwrap_or_else(|| rustix::process::geteuid().as_raw());
        let mut option = |text: String| {
            command.arg(text);
        };
        for text in [
            "run",
            "--rm",
            "--pull=never",
            "--network=none",
            "--read-only",
            "--cap-drop=ALL",
            "--security-opt=no-new-privileges",
            "--log-driver=none",
            "--hostname=workbook",
        ] {
            option(text.to_owned());
        }
        option(format!("--label={LABEL}"));
        option(format!("--user={user}:{user}"));
        option(format!("--pids-limit={}", limits.threads));
        option(format!("--memory={}", limits.memory));
        option(format!("--memory-swap={}", limits.memory));
        // The first process's own standard streams are the program's, but for a terminal, and must be read at once.
        option("--interactive".to_owned());
        option("--attach=stdin".to_owned());
        option("--attach=stdout".to_owned());
        option("--attach=stderr".to_owned());
        option(format!("--shm-size={}", limits.disk));
        // As with bubblewrap: no terminals.
        option("--tmpfs=/dev/pts:ro,size=4096".to_owned());
        option(format!(
            "--tmpfs=/tmp:rw,exec,nosuid,nodev,mode=1777,size={}",
            limits.disk
        ));
        let mut binds = vec![Bind::read("/usr", "/usr"), Bind::read(&self.etc, "/etc")];
        for (place, target) in Self::top_folders() {
            // A container has no symbolic links of ours: what they point to is bound.
            let outside =
                target.map_or_else(|| place.clone(), |target| Path::new("/").join(target));
            binds.push(Bind::read(outside, place));
        }
        binds.extend(self.all_binds(control));
        for bind in binds {
            let mut mount = OsString::from("--volume=");
            mount.push(&bind.outside);
            mount.push(":");
            mount.push(&bind.inside);
            mount.push(if bind.writable { ":rw" } else { ":ro" });
            command.arg(mount);
        }
        command.arg(IMAGE);
        command
    }

    /// `/bin`, `/lib` and their like: where they are links into `/usr`, with their target.
    fn top_folders() -> Vec<(PathBuf, Option<PathBuf>)> {
        ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"]
            .into_iter()
            .map(PathBuf::from)
            .filter(|place| place.exists())
            .map(|place| {
                let target = std::fs::read_link(&place).ok();
                let target = target.map(|it| it.strip_prefix("/").unwrap_or(&it).to_owned());
                (place, target)
            })
            .collect()
    }

    fn all_binds(&self, control: &Path) -> Vec<Bind> {
        let system = ["/etc/ld.so.cache", "/etc/alternatives"]
            .into_iter()
            .filter(|path| Path::new(path).exists())
            .map(|path| Bind::read(path, path));
        let ours = [
            Bind::read(control, CONTROL_FOLDER),
            Bind::read(&self.entry, ENTRY),
        ];
        system
            .chain(ours)
            .chain(self.binds.iter().cloned())
            .collect()
    }
}
