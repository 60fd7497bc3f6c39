//! A broker for one check alone, which may restart or starve it.
//!
//! It has a state folder of its own inside the user's, `own/<id>/`, and everything else is as for the
//! shared broker. Beside the folder lies `own/<id>.lock`, held by the check's process as long as it
//! uses the broker; it is locked before the folder is made, so a folder without a held lock is a dead process's,
//! and the next one that wants a broker of its own cleans it up. But for one: a check that leaves its broker as good as
//! new marks it as spare, and the next check takes it, in place of a start of some seconds.

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::broker::{record_path, stop_recorded};
use crate::record::{Record, Runtime};
use crate::start::until_ready;
use crate::state::{StartLock, private_folder, random_hex, state, try_lock_linked};
use crate::{Broker, Choice, Error, Options, StateDir, docker, local};

/// Stops RabbitMQ in its Erlang node and starts it again, as `rabbitmqctl stop_app` and `start_app` do: connections
/// break, what is not durable goes, and the rest is recovered from the disk. It takes 2 s with 4.3.6, and 6 s with 3.10.8,
/// which takes 5 s to stop, idle as it is.
const RESTART: &str = "rabbit:stop(), rabbit:start().";

/// How long any other order to a node may take. It obeys at once; but `rabbitmqctl` boots an Erlang of its own, which takes
/// 1 to 3 s, and on a busy machine much longer.
const CONTROL: Duration = Duration::from_mins(1);

/// A broker that nobody else uses. It is stopped, and every trace removed, by [`OwnBroker::stop`] or when
/// it is dropped (which waits for it); [`OwnBroker::give_back`] keeps it for the next check. What a killed process
/// leaves is removed by the next [`Broker::start_own`] or by [`Broker::down`].
pub struct OwnBroker {
    broker: Broker,
    /// The state of the user's brokers on this machine, of which this is one.
    machine: StateDir,
    options: Options,
    lock_path: PathBuf,
    /// Whether the next check would find it other than new.
    worn: AtomicBool,
    starving: AtomicBool,
    /// Nothing is left to do when it is dropped.
    settled: bool,
    _lock: File,
}

impl Broker {
    /// A broker for the caller alone, of the kind that `options` asks for, on ports that nobody
    /// asks for by number: the one that an earlier check gave back, or a fresh one. Somebody else's broker cannot be had
    /// for one's own: an address counts as [`Choice::Auto`]. A start takes some 6 s.
    #[tracing::instrument(level = "debug", skip_all, fields(choice = %options.choice))]
    pub async fn start_own(options: &Options) -> Result<OwnBroker, Error> {
        let folder = options.state.path_of("own");
        options.state.ensure()?;
        private_folder(&folder)?;
        let (state, lock) = match take_spare(options).await? {
            Some(spare) => spare,
            None => fresh(&folder)?,
        };
        let lock_path = lock_path(&state);
        let mut own = Options {
            state,
            ..options.clone()
        };
        own.shared = false;
        if matches!(own.choice, Choice::Address(_)) {
            own.choice = Choice::Auto;
        }
        let started = {
            let _turn = turn(&options.state).await?;
            // One that was given back answers already; where it has died since, another one starts in its place.
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
            worn: AtomicBool::new(false),
            starving: AtomicBool::new(false),
            settled: false,
            _lock: lock,
        })
    }

    /// Whether a broker waits for the next check that needs one of its own.
    pub fn has_spare(options: &Options) -> bool {
        states(&options.state).iter().any(is_spare)
    }
}

/// The state of a broker that is to be started.
fn fresh(folder: &Path) -> Result<(StateDir, File), Error> {
    let state_of_it = StateDir::at(folder.join(random_hex(4)));
    let path = lock_path(&state_of_it);
    let lock = try_lock_linked(&path)?.ok_or_else(|| {
        let source = std::io::Error::from(std::io::ErrorKind::WouldBlock);
        state(&path, "is locked by somebody else", source)
    })?;
    Ok((state_of_it, lock))
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

    /// Stops RabbitMQ and starts it again with its data and on its ports, and
    /// waits until it is ready. Connections break; durable things stay.
    #[tracing::instrument(level = "debug", skip_all)]
    pub async fn restart(&self) -> Result<(), Error> {
        let record = self.record()?;
        let ready = record.ready.clone().ok_or_else(|| self.lost())?;
        let was_worn = self.worn.swap(true, Ordering::Relaxed);
        let _turn = turn(&self.machine).await?;
        let patience = self.options.start_timeout;
        self.control_within(&["eval", RESTART], CONTROL + patience)
            .await?;
        let deadline = Instant::now() + patience;
        let management = ready.management.port().unwrap_or(crate::ports::MANAGEMENT);
        let ended = || async {
            match &record.place {
                Runtime::Container(name) => docker::is_gone(&self.options, name).await,
                Runtime::Node(_) => None,
            }
        };
        let waited = until_ready(deadline, ready.amqp, management, &record.login(), ended).await;
        if let Err(stopped) = waited {
            let log = match &record.place {
                Runtime::Container(name) => {
                    docker::last_words(&self.options, name, &record.password).await
                }
                Runtime::Node(node) => local::last_words(&record, node),
            };
            let failure = stopped.into_failure(record.kind, patience, log);
            return Err(failure.into_error());
        }
        self.worn.store(was_worn, Ordering::Relaxed);
        Ok(())
    }

    /// Makes the broker believe that its memory is used up: it sends `connection.blocked` and reads
    /// nothing more from connections that publish, until [`OwnBroker::feed`].
    #[tracing::instrument(level = "debug", skip_all)]
    pub async fn starve(&self) -> Result<(), Error> {
        self.starving.store(true, Ordering::Relaxed);
        self.control(&["set_vm_memory_high_watermark", "0"]).await
    }

    /// Gives the broker its memory back: it sends `connection.unblocked`.
    #[tracing::instrument(level = "debug", skip_all)]
    pub async fn feed(&self) -> Result<(), Error> {
        self.control(&["set_vm_memory_high_watermark", "0.6"])
            .await?;
        self.starving.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Makes the broker refuse queues that are neither durable nor exclusive, as 4.3.0 to 4.3.5 do by default.
    ///
    /// A broker that is too old to know the setting goes on as it is.
    pub async fn refuse_transient_queues(&self) -> Result<(), Error> {
        self.worn.store(true, Ordering::Relaxed);
        // A feature that is not permitted is one whose feature flag is enabled, if the setting agrees.
        let words = "application:set_env(rabbit, permit_deprecated_features, #{transient_nonexcl_queues => false}), \
                     rabbit_feature_flags:enable(transient_nonexcl_queues).";
        self.control(&["eval", words]).await
    }

    /// Keeps the broker for the next check, which finds it as good as new. One is kept, and only one that is fed and
    /// that no operation has failed on; any other is stopped. The caller has released what it had leased.
    pub async fn give_back(mut self) -> Result<(), Error> {
        if self.worn.load(Ordering::Relaxed) || self.starving.load(Ordering::Relaxed) {
            return self.stop().await;
        }
        {
            let _turn = turn(&self.machine).await?;
            if !states(&self.machine).iter().any(is_spare) {
                let path = spare_mark(&self.options.state);
                fs_err::write(&path, "")
                    .map_err(|source| state(&path, "cannot be made", source))?;
                self.settled = true;
                return Ok(());
            }
        }
        self.stop().await
    }

    /// Stops the broker and removes every trace of it.
    pub async fn stop(mut self) -> Result<(), Error> {
        self.settled = true;
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
        self.control_within(words, CONTROL).await
    }

    async fn control_within(&self, words: &[&str], limit: Duration) -> Result<(), Error> {
        let record = self.record()?;
        match &record.place {
            Runtime::Node(node) => local::control(&record, node, words, limit).await,
            Runtime::Container(name) => docker::control(&self.options, name, words, limit).await,
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
        if self.settled {
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
    let Ok(entries) = fs_err::read_dir(state.path_of("own")) else {
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
    let Ok(entries) = fs_err::read_dir(state.path_of("own")) else {
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

/// Takes a broker that was given back, and cleans up after processes that were killed.
async fn take_spare(options: &Options) -> Result<Option<(StateDir, File)>, Error> {
    let mut taken = None;
    for idle in states(&options.state) {
        let path = lock_path(&idle);
        let Some(lock) = try_lock_linked(&path)? else {
            continue;
        };
        if is_spare(&idle) {
            let mut kinds = options.choice.kinds().iter();
            if taken.is_none() && kinds.any(|kind| record_path(&idle, *kind).is_file()) {
                let mark = spare_mark(&idle);
                fs_err::remove_file(&mark)
                    .map_err(|source| state(&mark, "cannot be removed", source))?;
                taken = Some((idle, lock));
            }
            continue;
        }
        let nested = Options {
            state: idle,
            ..options.clone()
        };
        stop_recorded(&nested).await?;
        forget(&nested.state);
        let _ = fs_err::remove_file(&path);
    }
    Ok(taken)
}

/// What its user holds: it lies beside the folder, so that it can be held before there is one.
fn lock_path(state: &StateDir) -> PathBuf {
    state.path().with_extension("lock")
}

fn spare_mark(state: &StateDir) -> PathBuf {
    state.path_of("spare")
}

fn is_spare(state: &StateDir) -> bool {
    spare_mark(state).is_file()
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
