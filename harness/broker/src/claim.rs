//! Whose lease is whose, and who is dead.
//!
//! A lease is deleted by its owner; but a process that is killed deletes nothing. So every process that
//! has leases holds an exclusive lock on a file of its own, `leases/<id>.lock`, as long as it lives: the
//! kernel frees the lock however the process ends. The vhosts and users of a process carry its id,
//! `lab-<host id>-<id>-<n>`, and the host id tells machines apart that share one broker by its address.
//!
//! The first lease that a process takes on a broker sweeps it: what carries our host id and an id whose
//! lock nobody holds is deleted. The order matters. A process locks its file *before* it makes its first
//! vhost, so when the names are listed first and the locks are tried afterwards, everything listed that
//! is alive is locked.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::management::Session;
use crate::state::{private_folder, random_hex, state, try_lock_linked};
use crate::{Error, StateDir, timer};

/// The guard is held for some file operations only, never across a request.
const GUARD_TIMEOUT: Duration = Duration::from_secs(30);

/// This process's claim in one state folder. It lives as long as the process.
pub(crate) struct Claim {
    folder: PathBuf,
    /// `lab-<host id>-`
    prefix: String,
    id: String,
    next: AtomicU64,
    _lock: File,
    swept: tokio::sync::Mutex<HashSet<SocketAddr>>,
}

/// One claim for each state folder that this process uses; there is more than one in tests only.
fn claims() -> MutexGuard<'static, HashMap<PathBuf, Arc<Claim>>> {
    static CLAIMS: OnceLock<Mutex<HashMap<PathBuf, Arc<Claim>>>> = OnceLock::new();
    // A map of finished claims is whole even if somebody panicked while holding it.
    CLAIMS
        .get_or_init(Mutex::default)
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

impl Claim {
    /// This process's claim, made at the first call.
    pub(crate) async fn of_process(state_dir: &StateDir) -> Result<Arc<Self>, Error> {
        if let Some(claim) = claims().get(state_dir.path()).filter(|claim| claim.holds()) {
            return Ok(Arc::clone(claim));
        }
        let prefix = format!("lab-{}-", state_dir.host_id()?);
        let folder = state_dir.path_of("leases");
        private_folder(&folder)?;
        let guard = guard(&folder).await?;
        // Another thread may have been quicker while we waited.
        if let Some(claim) = claims().get(state_dir.path()).filter(|claim| claim.holds()) {
            return Ok(Arc::clone(claim));
        }
        let id = random_hex(4);
        let path = lock_path(&folder, &id);
        let lock = try_lock_linked(&path)?.ok_or_else(|| {
            let source = std::io::Error::from(std::io::ErrorKind::WouldBlock);
            state(&path, "is locked by somebody else", source)
        })?;
        let claim = Arc::new(Self {
            folder,
            prefix,
            id,
            next: AtomicU64::new(1),
            _lock: lock,
            swept: tokio::sync::Mutex::default(),
        });
        claims().insert(state_dir.path().to_owned(), Arc::clone(&claim));
        drop(guard);
        Ok(claim)
    }

    /// Whether others can still see that we live: `down` may have removed the whole folder.
    fn holds(&self) -> bool {
        lock_path(&self.folder, &self.id).exists()
    }

    /// A name that no other lease has or had.
    pub(crate) fn next_name(&self) -> String {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        format!("{}{}-{number}", self.prefix, self.id)
    }

    /// Deletes what dead processes of this machine left on a broker, once for each broker.
    pub(crate) async fn sweep_once(
        &self,
        broker: SocketAddr,
        session: &Session<'_>,
    ) -> Result<(), Error> {
        // Held while sweeping: a second lease of this process waits for the first one's sweep.
        let mut swept = self.swept.lock().await;
        if swept.contains(&broker) {
            return Ok(());
        }
        // What the dead left must not keep the living from a lease. The next lease tries again.
        let Ok(names) = session.names().await else {
            return Ok(());
        };
        let mut dead = BTreeSet::new();
        let mut verdicts: HashMap<&str, bool> = HashMap::new();
        {
            let _guard = guard(&self.folder).await?;
            for name in &names {
                let Some(owner) = self.owner_of(name) else {
                    continue;
                };
                let alive = *verdicts
                    .entry(owner)
                    .or_insert_with(|| self.is_alive(owner));
                if !alive {
                    dead.insert(name.as_str());
                }
            }
        }
        for name in dead {
            // Two processes may sweep at once: what the other deleted is no error, and what resists is
            // left to the next sweep.
            let _ = session.delete_lease(name).await;
        }
        self.remove_dead_locks().await?;
        swept.insert(broker);
        Ok(())
    }

    /// The id of the process that made a vhost or user of this machine; `None` for others' names.
    fn owner_of<'name>(&self, name: &'name str) -> Option<&'name str> {
        let (id, number) = name.strip_prefix(&self.prefix)?.split_once('-')?;
        let hexadecimal = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let numbered = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        (hexadecimal && numbered).then_some(id)
    }

    fn is_alive(&self, id: &str) -> bool {
        id == self.id || is_locked(&lock_path(&self.folder, id))
    }

    /// The lock files of the dead. A lease of theirs on another broker is still known to be theirs: a
    /// lock that is not there is not held.
    async fn remove_dead_locks(&self) -> Result<(), Error> {
        let _guard = guard(&self.folder).await?;
        remove_dead_locks_in(&self.folder);
        Ok(())
    }
}

/// Removes the lock files of dead processes in a `leases` folder, so that it can go when nobody uses it.
pub(crate) async fn forget_dead(state_dir: &StateDir) -> Result<(), Error> {
    let folder = state_dir.path_of("leases");
    if folder.is_dir() {
        let _guard = guard(&folder).await?;
        remove_dead_locks_in(&folder);
    }
    Ok(())
}

/// Call it under the guard: a lock file exists unlocked for a moment while it is being made.
fn remove_dead_locks_in(folder: &Path) {
    let Ok(entries) = fs_err::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "lock")
            && !is_locked(&path)
        {
            let _ = fs_err::remove_file(&path);
        }
    }
}

fn is_locked(path: &Path) -> bool {
    let Ok(file) = File::open(path) else {
        return false;
    };
    matches!(
        file.try_lock_shared(),
        Err(std::fs::TryLockError::WouldBlock)
    )
}

fn lock_path(folder: &Path, id: &str) -> PathBuf {
    folder.join(format!("{id}.lock"))
}

async fn guard(folder: &Path) -> Result<File, Error> {
    let path = folder.join(".guard");
    timer::until(Instant::now() + GUARD_TIMEOUT, || {
        let attempt = private_folder(folder).and_then(|()| try_lock_linked(&path));
        std::future::ready(attempt.transpose())
    })
    .await
    .unwrap_or_else(|| {
        Err(Error::Locked {
            path: path.clone(),
            seconds: GUARD_TIMEOUT.as_secs(),
        })
    })
}
