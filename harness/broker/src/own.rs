//! A broker for one check alone, which may restart or starve it.
//!
//! It has a state folder of its own inside the user's, `own/<id>/`, and everything else is as for the
//! shared broker. Beside the folder lies `own/<id>.lock`, held by the check's process as long as it
//! lives; it is locked before the folder is made, so a folder without a held lock is a dead process's,
//! and the next one that starts a broker of its own cleans it up.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};

use crate::broker::{record_path, stop_recorded};
use crate::record::{Place, Record};
use crate::start::Failure;
use crate::state::{StartLock, private_folder, random_hex, state, try_lock_linked};
use crate::{Broker, Choice, Error, Options, StateDir, docker, local};

/// A broker that nobody else uses. It is stopped, and every trace removed, by [`OwnBroker::stop`] or when
/// it is dropped (which waits for it); what a killed process leaves is removed by the next
/// [`Broker::start_own`] or by [`Broker::down`].
pub struct OwnBroker {
    broker: Broker,
    /// The state of the user's brokers on this machine, of which this is one.
    machine: StateDir,
    options: Options,
    lock_path: PathBuf,
    stopped: bool,
    _lock: File,
}

impl Broker {
    /// Starts a broker for the caller alone, of the kind that `options` asks for, on ports that nobody
    /// asks for by number. Somebody else's broker cannot be had for one's own: an address counts as
    /// [`Choice::Auto`]. It takes as long as any start, some 6 s.
    pub async fn start_own(options: &Options) -> Result<OwnBroker, Error> {
        let folder = options.state.file("own");
        options.state.ensure()?;
        private_folder(&folder)?;
        sweep(options).await?;
        let id = random_hex(4);
        let lock_path = folder.join(format!("{id}.lock"));
        let lock = try_lock_linked(&lock_path)?.ok_or_else(|| {
            let source = std::io::Error::from(std::io::ErrorKind::WouldBlock);
            state(&lock_path, "is locked by somebody else", source)
        })?;
        let mut own = Options {
            state: StateDir::at(folder.join(id)),
            ..options.clone()
        };
        own.shared = false;
        if matches!(own.choice, Choice::Address(_)) {
            own.choice = Choice::Auto;
        }
        let started = {
            let _turn = turn(&options.state).await?;
            Self::find_or_start(&own).await
        };
        let broker = match started {
            Ok(broker) => broker,
            Err(error) => {
                forget(&own.state);
                let _ = fs_err::remove_file(&lock_path);
                return Err(error);
            }
        };
        Ok(OwnBroker {
            broker,
            machine: options.state.clone(),
            options: own,
            lock_path,
            stopped: false,
            _lock: lock,
        })
    }
}

/// Waits until no other broker of the machine is starting. A start is bounded in time, and two at once take twice as
/// long each.
async fn turn(machine: &StateDir) -> Result<StartLock, Error> {
    machine.lock(|| {}).await
}

impl OwnBroker {
    /// The broker, to lease from and to connect to. It is the same after a restart.
    pub fn broker(&self) -> &Broker {
        &self.broker
    }

    /// Stops the broker as its operator would, starts it again with its data and on its ports, and
    /// waits until it is ready. Connections break; durable things stay.
    pub async fn restart(&self) -> Result<(), Error> {
        let record = self.record()?;
        let _turn = turn(&self.machine).await?;
        let restarted = match (&record.place, &record.ready) {
            (Place::Node(node), _) => local::restart(&self.options, &record, node).await,
            (Place::Container(name), Some(ready)) => {
                docker::restart(&self.options, &record, name, ready).await
            }
            (Place::Container(_), None) => return Err(self.lost()),
        };
        restarted.map(drop).map_err(Failure::into_error)
    }

    /// Makes the broker believe that its memory is used up: it sends `connection.blocked` and reads
    /// nothing more from connections that publish, until [`OwnBroker::feed`].
    pub async fn starve(&self) -> Result<(), Error> {
        self.control(&["set_vm_memory_high_watermark", "0"]).await
    }

    /// Gives the broker its memory back: it sends `connection.unblocked`.
    pub async fn feed(&self) -> Result<(), Error> {
        self.control(&["set_vm_memory_high_watermark", "0.6"]).await
    }

    /// Makes the broker refuse queues that are neither durable nor exclusive, as 4.3.0 to 4.3.5 do by default.
    ///
    /// A broker that is too old to know the setting goes on as it is.
    pub async fn refuse_transient_queues(&self) -> Result<(), Error> {
        // A feature that is not permitted is one whose feature flag is enabled, if the setting agrees.
        let words = "application:set_env(rabbit, permit_deprecated_features, #{transient_nonexcl_queues => false}), \
                     rabbit_feature_flags:enable(transient_nonexcl_queues).";
        self.control(&["eval", words]).await
    }

    /// Stops the broker and removes every trace of it.
    pub async fn stop(mut self) -> Result<(), Error> {
        self.stopped = true;
        self.clean_up().await
    }

    async fn clean_up(&self) -> Result<(), Error> {
        let _lock = self.options.state.lock(|| {}).await?;
        stop_recorded(&self.options).await?;
        forget(&self.options.state);
        let _ = fs_err::remove_file(&self.lock_path);
        Ok(())
    }

    async fn control(&self, words: &[&str]) -> Result<(), Error> {
        let record = self.record()?;
        match &record.place {
            Place::Node(node) => local::control(&record, node, words).await,
            Place::Container(name) => docker::control(&self.options, name, words).await,
        }
    }

    fn record(&self) -> Result<Record, Error> {
        Record::read(&record_path(&self.options.state, self.broker.kind()))
            .ok_or_else(|| self.lost())
    }

    fn lost(&self) -> Error {
        let path = record_path(&self.options.state, self.broker.kind());
        state(
            &path,
            "is gone: somebody stopped all brokers",
            std::io::ErrorKind::NotFound.into(),
        )
    }
}

impl Drop for OwnBroker {
    /// As for a lease: from a thread with a runtime of its own, and waiting for it.
    fn drop(&mut self) {
        if self.stopped {
            return;
        }
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build();
                // What fails here is left to the next sweep; a drop has nobody to tell.
                if let Ok(runtime) = runtime {
                    let _ = runtime.block_on(self.clean_up());
                }
            });
        });
    }
}

impl fmt::Debug for OwnBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnBroker")
            .field("broker", &self.broker)
            .finish_non_exhaustive()
    }
}

/// The states of all brokers of single checks.
pub(crate) fn states(state: &StateDir) -> Vec<StateDir> {
    let Ok(entries) = fs_err::read_dir(state.file("own")) else {
        return Vec::new();
    };
    let folders = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir());
    folders.map(StateDir::at).collect()
}

/// Removes what is left of such a state.
pub(crate) fn forget(state: &StateDir) {
    let _ = fs_err::remove_dir_all(state.path());
}

/// Removes the locks of dead processes, so that the folder can go.
pub(crate) fn forget_dead_locks(state: &StateDir) {
    let Ok(entries) = fs_err::read_dir(state.file("own")) else {
        return;
    };
    for path in entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
    {
        if !is_held(&path) {
            let _ = fs_err::remove_file(&path);
        }
    }
}

/// Cleans up after processes that were killed.
async fn sweep(options: &Options) -> Result<(), Error> {
    for dead in states(&options.state) {
        let lock = dead.path().with_extension("lock");
        if is_held(&lock) {
            continue;
        }
        let nested = Options {
            state: dead,
            ..options.clone()
        };
        stop_recorded(&nested).await?;
        forget(&nested.state);
        let _ = fs_err::remove_file(&lock);
    }
    Ok(())
}

fn is_held(lock: &Path) -> bool {
    let Ok(file) = File::open(lock) else {
        return false;
    };
    matches!(
        file.try_lock_shared(),
        Err(std::fs::TryLockError::WouldBlock)
    )
}
