//! The folder in which a user's brokers of this machine are written down.
//!
//! ```text
//! start.lock         held while a broker is started or stopped, so that there is one, and one starts at a time
//! docker.json        the broker of ours that runs in Docker: address, administrator, container
//! local.json         the broker of ours that runs as a node of this machine
//! host-id            tells this machine's leases from another's on a broker that both use
//! leases/<id>.lock   held by a process as long as it lives and has leases
//! own/<id>/          a broker of one check (see `OwnBroker`); `spare` in it: it waits for the next one
//! ```

use std::fs::{File, OpenOptions};
use std::hash::Hasher as _;
use std::io::{self, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rand::RngExt as _;

use crate::{Error, timer};

/// The variable that moves the state elsewhere, so that tests do not meet the user's own broker.
pub const STATE_VARIABLE: &str = "WORKBOOK_STATE_DIR";

/// How long we wait for another process that starts a broker. It may be fetching an image or
/// installing a package, which takes minutes; if it dies the kernel frees its lock.
const LOCK_TIMEOUT: Duration = Duration::from_mins(15);

/// Where the brokers that we run are written down: one folder for a user of a machine.
///
/// It holds an administrator's password, so it is made for its user only (mode 0700, or 0711 when
/// root lets the node's own user pass through it), and a folder of that name which belongs to
/// somebody else is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateDir {
    root: PathBuf,
    id: String,
}

impl StateDir {
    /// The user's folder: `/tmp/rabbitmq-workbook-<uid>`, because what it describes does not survive a
    /// restart of the machine either. `TMPDIR` is not asked: it differs between shells and tools, and
    /// there is to be one broker for all of them.
    pub fn of_user() -> Self {
        let user = rustix::process::getuid().as_raw();
        Self::at(format!("/tmp/rabbitmq-workbook-{user}"))
    }

    /// A folder of its own, for example for a test.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        let root = std::path::absolute(&root).unwrap_or(root);
        let id = identity(&root);
        Self { root, id }
    }

    /// What `WORKBOOK_STATE_DIR` says, else the user's folder.
    pub fn from_env() -> Result<Self, Error> {
        match std::env::var_os(STATE_VARIABLE).filter(|path| !path.is_empty()) {
            Some(path) => Ok(Self::at(path)),
            None => Ok(Self::of_user()),
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// What tells this state's containers and nodes from those of other states.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Makes the folder, or makes sure that it is ours.
    pub(crate) fn ensure(&self) -> Result<(), Error> {
        private_folder(&self.root)
    }

    pub(crate) fn path_of(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Waits for the start lock. It is freed when the guard is dropped or the process dies.
    pub(crate) async fn lock(&self, waiting: impl Fn()) -> Result<StartLock, Error> {
        let path = self.path_of("start.lock");
        let started = Instant::now();
        let mut told = false;
        let locked = timer::until(started + LOCK_TIMEOUT, || {
            let attempt = self.ensure().and_then(|()| try_lock_linked(&path));
            if matches!(attempt, Ok(None)) && !told {
                told = true;
                waiting();
            }
            std::future::ready(attempt.transpose())
        })
        .await;
        match locked {
            Some(file) => Ok(StartLock { _file: file? }),
            None => Err(Error::Locked {
                path,
                seconds: started.elapsed().as_secs(),
            }),
        }
    }

    /// This machine's name in the names of leases: random, kept in the folder.
    pub(crate) fn host_id(&self) -> Result<String, Error> {
        self.ensure()?;
        let path = self.path_of("host-id");
        if let Ok(id) = fs_err::read_to_string(&path)
            && id.len() == 8
            && id.bytes().all(|byte| byte.is_ascii_hexdigit())
        {
            return Ok(id);
        }
        // Linking a finished file is atomic and fails if another process was first.
        let fresh = write_private_temporary(&self.root, random_hex(4).as_bytes())
            .map_err(|source| state(&path, "cannot be written", source))?;
        match fresh.persist_noclobber(&path) {
            Ok(_) => {}
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(state(&path, "cannot be written", error.error)),
        }
        fs_err::read_to_string(&path).map_err(|source| state(&path, "cannot be read", source))
    }

    /// Removes the folder when only files without meaning are left in it. Call it under the lock.
    pub(crate) fn remove_if_idle(&self) {
        // `remove_dir` refuses a folder with something in it, for example a living process's lock.
        let _ = fs_err::remove_dir(self.path_of("own"));
        let _ = fs_err::remove_file(self.path_of("leases/.guard"));
        if fs_err::remove_dir(self.path_of("leases")).is_ok() || !self.path_of("leases").exists() {
            let _ = fs_err::remove_file(self.path_of("host-id"));
            let _ = fs_err::remove_file(self.path_of("start.lock"));
            let _ = fs_err::remove_dir(&self.root);
        }
    }
}

/// Proof that this process alone may start and stop brokers.
#[derive(Debug)]
pub(crate) struct StartLock {
    _file: File,
}

/// Takes the lock of a file if it is free and the file is still the one at that path: `down` removes
/// the folder, and a lock on a file that nobody else can find any more excludes nobody.
pub(crate) fn try_lock_linked(path: &Path) -> Result<Option<File>, Error> {
    let failed = |source| state(path, "cannot be locked", source);
    let file = match OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
    {
        Ok(file) => file,
        // The folder was removed between its making and this moment.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(std::fs::TryLockError::WouldBlock) => return Ok(None),
        Err(std::fs::TryLockError::Error(error)) => return Err(failed(error)),
    }
    let ours = file.metadata().map_err(failed)?;
    let linked = std::fs::metadata(path);
    Ok(linked
        .is_ok_and(|there| (there.dev(), there.ino()) == (ours.dev(), ours.ino()))
        .then_some(file))
}

/// Makes a folder for this user only, or makes sure that an existing one is.
pub(crate) fn private_folder(path: &Path) -> Result<(), Error> {
    let failed = |source| state(path, "cannot be made", source);
    match std::fs::DirBuilder::new()
        .recursive(false)
        .mode(0o700)
        .create(path)
    {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(parent) = path.parent() {
                fs_err::create_dir_all(parent).map_err(failed)?;
            }
            return private_folder(path);
        }
        Err(error) => return Err(failed(error)),
    }
    // Not following links: a link that somebody else put there must not lead us astray.
    let found = fs_err::symlink_metadata(path).map_err(failed)?;
    let refused = |why: &str| {
        state(
            path,
            "cannot be used",
            io::Error::new(io::ErrorKind::PermissionDenied, why.to_owned()),
        )
    };
    if !found.is_dir() {
        return Err(refused("it is not a folder"));
    }
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(refused("it belongs to another user"));
    }
    // 0711 is what `let_through` makes.
    if found.mode() & 0o077 & !0o011 != 0 {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).map_err(failed)?;
    }
    Ok(())
}

/// Lets other users pass through the folder to what they know the name of, but not look around.
pub(crate) fn let_through(path: &Path) -> Result<(), Error> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o711))
        .map_err(|source| state(path, "cannot be opened for the broker's user", source))
}

/// Writes a file for this user only, whole or not at all.
pub(crate) fn write_private(path: &Path, contents: &[u8]) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(path);
    write_private_temporary(folder, contents)
        .and_then(|file| file.persist(path).map_err(|error| error.error))
        .map(drop)
        .map_err(|source| state(path, "cannot be written", source))
}

/// A temporary file with the contents, mode 0600 as `tempfile` makes it.
fn write_private_temporary(folder: &Path, contents: &[u8]) -> io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(contents)?;
    Ok(file)
}

/// An error about one of our files.
pub(crate) fn state(path: &Path, doing: &str, source: io::Error) -> Error {
    Error::State {
        path: path.to_owned(),
        doing: doing.to_owned(),
        source,
    }
}

/// So many random bytes, in hexadecimal: names and passwords that need no escaping anywhere.
pub(crate) fn random_hex(bytes: usize) -> String {
    use std::fmt::Write as _;
    let mut rng = rand::rng();
    (0..bytes).fold(String::new(), |mut text, _| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{:02x}", rng.random::<u8>());
        text
    })
}

/// What tells a state folder from all others, for every process that is given it, today and after the
/// folder was lost: it is how `down` finds containers and nodes that are written down nowhere.
///
/// The path alone would not do. A container or a chroot has a `/tmp` of its own and may share its
/// processes or its Docker daemon with others, so the root folder and the machine's name count as well.
fn identity(root: &Path) -> String {
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    hash.write(root.as_os_str().as_encoded_bytes());
    if let Ok(system) = std::fs::metadata("/") {
        hash.write_u64(system.dev());
        hash.write_u64(system.ino());
    }
    hash.write(rustix::system::uname().nodename().to_bytes());
    format!("{:016x}", hash.finish())
}

/// FNV-1a: the standard library's hashers do not promise the same value in the next release.
struct Fnv(u64);

impl std::hash::Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
