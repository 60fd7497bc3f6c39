//! A broker that runs: found, or started.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use url::Url;

use crate::address::Address;
use crate::error::Attempt;
use crate::http::Login;
use crate::management::Management;
use crate::record::{Ready, Record, Runtime};
use crate::start::Failure;
use crate::{
    Choice, Error, Kind, Options, StateDir, Topology, docker, engine, install, local, probe,
};

/// How often a start is tried with other ports when somebody takes ours in the meantime.
const STARTS: usize = 3;

/// A real RabbitMQ that answers. Cheap to clone, and usable from any runtime: it keeps no connection.
#[derive(Clone)]
pub struct Broker {
    inner: Arc<Inner>,
}

struct Inner {
    kind: Kind,
    version: String,
    amqp: SocketAddr,
    /// What to call the broker when a person is told its address.
    host_and_port: String,
    management: Management,
    by_hand: bool,
    state: StateDir,
}

/// A broker that [`Broker::down`] stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// How it was run.
    pub kind: Kind,
    /// Which one: a container's or a node's name.
    pub name: String,
}

impl Broker {
    /// The broker that `options` asks for: one that answers already, or else a fresh one.
    ///
    /// Any number of processes may call this at the same moment; one of them starts the broker and the
    /// others wait for it and get the same.
    #[tracing::instrument(level = "debug", skip_all, fields(choice = %options.choice))]
    pub async fn find_or_start(options: &Options) -> Result<Self, Error> {
        if let Choice::Address(address) = &options.choice {
            return Self::at(address, &options.state).await;
        }
        let kinds = options.choice.kinds();
        let mut dead = Vec::new();
        if let Some(broker) = first_alive(options, kinds, &mut dead).await {
            return Ok(broker);
        }
        let _lock = options
            .state
            .lock(|| options.say("waiting for another process that is starting the broker"))
            .await?;
        // Somebody may have started one while we waited.
        if let Some(broker) = first_alive(options, kinds, &mut dead).await {
            return Ok(broker);
        }
        start_first(options, kinds).await
    }

    /// The brokers of ours that run now. Nothing is started.
    pub async fn running(options: &Options) -> Result<Vec<Self>, Error> {
        let mut running = Vec::new();
        for kind in [Kind::Docker, Kind::Local] {
            running.extend(first_alive(options, &[kind], &mut Vec::new()).await);
        }
        Ok(running)
    }

    /// Deletes what programs that were started by hand left in the vhost `/`; returns what it deleted. Queues that
    /// belong to a program that still runs stay. Somebody else's broker is left alone: [`Error::Setting`].
    pub async fn reset(&self) -> Result<Topology, Error> {
        if self.kind() == Kind::Address {
            return Err(Error::Setting {
                name: "the broker to empty",
                value: self.inner.host_and_port.clone(),
                reason: "only a broker that the workbook started is emptied".to_owned(),
            });
        }
        self.management().session().empty("/").await
    }

    /// Whether a fresh broker of a kind could be started now: why not, where it could not. Nothing is fetched or
    /// installed for the answer.
    pub async fn could_start(options: &Options, kind: Kind) -> Result<(), String> {
        match kind {
            Kind::Docker => engine::is_ready().await,
            Kind::Local => match local::server(options) {
                Some(_) => Ok(()),
                None => Err("there is no `rabbitmq-server` on the PATH".to_owned()),
            },
            Kind::Address => Err("it is somebody else's".to_owned()),
        }
    }

    /// How it is run.
    pub fn kind(&self) -> Kind {
        self.inner.kind
    }

    /// Its version, as it says itself when a client connects: `4.3.6`.
    pub fn version(&self) -> &str {
        &self.inner.version
    }

    /// Where it speaks AMQP.
    pub fn amqp_address(&self) -> SocketAddr {
        self.inner.amqp
    }

    /// The management page, `http://127.0.0.1:15672/`. On a broker of ours, `guest` with the password
    /// `guest` may look at it.
    pub fn management_url(&self) -> &Url {
        self.inner.management.url()
    }

    /// The address for programs that are started by hand: with `guest`, the one login that is no secret,
    /// on a broker of ours; without any login on somebody else's.
    pub fn amqp_url(&self) -> String {
        if self.inner.by_hand {
            format!("amqp://guest:guest@{}/%2f", self.inner.host_and_port)
        } else {
            format!("amqp://{}/%2f", self.inner.host_and_port)
        }
    }

    pub(crate) fn management(&self) -> &Management {
        &self.inner.management
    }

    pub(crate) fn state(&self) -> &StateDir {
        &self.inner.state
    }

    /// Somebody else's broker: it must answer, and let us use its management API.
    async fn at(address: &Address, state: &StateDir) -> Result<Self, Error> {
        let address = address.clone().with_environment()?;
        let amqp = address.resolve().await?;
        let version = probe::handshake(amqp)
            .await
            .map_err(|reason| Error::Unreachable {
                address: address.host_and_port(),
                reason,
            })?;
        let login = Login {
            user: address.user().to_owned(),
            password: address.password().to_owned(),
        };
        let management = Management::new(address.management_url().clone(), login);
        management.session().check().await?;
        Ok(Self {
            inner: Arc::new(Inner {
                kind: Kind::Address,
                version,
                amqp,
                host_and_port: address.host_and_port(),
                management,
                by_hand: address.user() == "guest" && address.password() == "guest",
                state: state.clone(),
            }),
        })
    }

    fn ours(record: &Record, ready: Ready, state: &StateDir) -> Self {
        Self {
            inner: Arc::new(Inner {
                kind: record.kind,
                version: ready.version,
                amqp: ready.amqp,
                host_and_port: ready.amqp.to_string(),
                management: Management::new(ready.management, record.login()),
                by_hand: true,
                state: state.clone(),
            }),
        }
    }
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker")
            .field("kind", &self.inner.kind)
            .field("version", &self.inner.version)
            .field("amqp", &self.inner.amqp)
            .field("management", &self.inner.management.url().as_str())
            .finish_non_exhaustive()
    }
}

/// The first of our brokers that is alive. Those in `dead`, by id, are not asked again, and those that
/// do not answer are added: a broker that hangs takes [`probe::PATIENCE`] to be found out.
async fn first_alive(options: &Options, kinds: &[Kind], dead: &mut Vec<String>) -> Option<Broker> {
    for kind in kinds {
        let Some(record) = Record::read(&record_path(&options.state, *kind)) else {
            continue;
        };
        if dead.contains(&record.id) || record.ready.is_none() {
            continue;
        }
        if let Some(broker) = alive(options, &record).await {
            return Some(broker);
        }
        dead.push(record.id);
    }
    None
}

/// The broker that is written down, when it answers and knows our administrator: after it died,
/// somebody else's may have taken its port.
async fn alive(options: &Options, record: &Record) -> Option<Broker> {
    let ready = record.ready.clone()?;
    if let Runtime::Node(node) = &record.place
        && !local::has_data(node)
    {
        return None;
    }
    let version = probe::handshake(ready.amqp).await.ok()?;
    let broker = Broker::ours(record, Ready { version, ..ready }, &options.state);
    let check = async { broker.management().session().check().await };
    // A hung management plugin is as good as none.
    tokio::time::timeout(probe::PATIENCE, check)
        .await
        .ok()?
        .ok()?;
    Some(broker)
}

/// Starts a broker of the first kind that can be had. The start lock is held.
async fn start_first(options: &Options, kinds: &[Kind]) -> Result<Broker, Error> {
    let mut tried = Vec::new();
    if kinds.contains(&Kind::Docker) {
        match docker::available(options).await {
            Ok(()) => match start(options, Kind::Docker).await {
                // One that hangs has used up everybody's patience; one that fails at once has not.
                Err(error) if matches!(error, Error::StartTimedOut { .. }) || kinds.len() == 1 => {
                    return Err(error);
                }
                Err(error) => {
                    options.say("RabbitMQ does not start in Docker");
                    tried.push(Attempt {
                        way: "Docker",
                        reason: error.to_string(),
                    });
                }
                Ok(broker) => return Ok(broker),
            },
            Err(reason) => tried.push(Attempt {
                way: "Docker",
                reason,
            }),
        }
    }
    if kinds.contains(&Kind::Local) {
        if local::server(options).is_none() {
            tried.push(Attempt {
                way: "local",
                reason: "there is no `rabbitmq-server` on the PATH".to_owned(),
            });
            match install::server(options).await {
                Ok(()) => {}
                Err(reason) => {
                    tried.push(Attempt {
                        way: "install",
                        reason,
                    });
                    return Err(Error::NoBroker { tried });
                }
            }
        }
        return start(options, Kind::Local).await;
    }
    Err(Error::NoBroker { tried })
}

/// Starts a broker of that kind in the place of one that died. The start lock is held.
#[tracing::instrument(level = "debug", skip_all, fields(%kind))]
async fn start(options: &Options, kind: Kind) -> Result<Broker, Error> {
    options.state.ensure()?;
    clean(options, kind).await?;
    let path = record_path(&options.state, kind);
    let mut attempt = 1;
    loop {
        // The usual ports once; if they are lost in a race, any.
        let preferred = options.shared && attempt == 1;
        let mut record = plan(options, kind, preferred)?;
        record.write(&path)?;
        let started = match &record.place {
            Runtime::Node(node) => match local::prepare(&record, node) {
                Ok(()) => {
                    options.say("starting RabbitMQ (rabbitmq-server of this machine)");
                    local::start(options, &record, node).await
                }
                Err(error) => Err(Failure::Other(error)),
            },
            Runtime::Container(name) => {
                options.say("starting RabbitMQ in Docker");
                docker::start(options, &record, name, preferred).await
            }
        };
        let failure = match started {
            Ok(ready) => {
                record.ready = Some(ready.clone());
                record.write(&path)?;
                tell_ports(options, &ready);
                return Ok(Broker::ours(&record, ready, &options.state));
            }
            Err(failure) => failure,
        };
        clean(options, kind).await?;
        if attempt == STARTS || !matches!(failure, Failure::PortTaken(_)) {
            return Err(failure.into_error());
        }
        attempt += 1;
    }
}

fn tell_ports(options: &Options, ready: &Ready) {
    let management = ready.management.port_or_known_default().unwrap_or_default();
    if options.shared
        && (ready.amqp.port() != crate::ports::AMQP || management != crate::ports::MANAGEMENT)
    {
        options.say(&format!(
            "the usual ports are taken: RabbitMQ listens on {} and its management page is {}",
            ready.amqp, ready.management
        ));
    }
}

fn plan(options: &Options, kind: Kind, preferred: bool) -> Result<Record, Error> {
    match kind {
        Kind::Local => {
            let program = local::server(options).ok_or_else(|| Error::NoBroker {
                tried: vec![Attempt {
                    way: "local",
                    reason: "`rabbitmq-server` is still not on the PATH".to_owned(),
                }],
            })?;
            local::plan(options, program, preferred)
        }
        Kind::Docker | Kind::Address => Ok(docker::plan(options)),
    }
}

/// Stops what is recorded of that kind, and what is not: strays of starts that were killed.
async fn clean(options: &Options, kind: Kind) -> Result<Vec<Stopped>, Error> {
    let path = record_path(&options.state, kind);
    let recorded = Record::read(&path);
    let mut stopped = Vec::new();
    let mut name_it = |name: String| stopped.push(Stopped { kind, name });
    match kind {
        Kind::Local => {
            if let Some((id, node)) = recorded.as_ref().and_then(node_of) {
                local::stop(options, id, node).await?;
                name_it(id.to_owned());
            }
            for id in local::stop_strays(options, &[]).await? {
                name_it(id);
            }
        }
        Kind::Docker | Kind::Address => {
            // Containers are found by their label, recorded or not. Without a daemon there is none.
            let recorded = recorded.is_some();
            for name in docker::remove_all(options, recorded).await? {
                name_it(name);
            }
        }
    }
    Record::remove(&path)?;
    Ok(stopped)
}

/// Stops everything that belongs to a state folder, also what is not written down there.
pub(crate) async fn stop_all(options: &Options) -> Result<Vec<Stopped>, Error> {
    let mut stopped = clean(options, Kind::Docker).await?;
    stopped.extend(clean(options, Kind::Local).await?);
    Ok(stopped)
}

/// Stops what is written down in a state folder: a start writes before it starts anything.
pub(crate) async fn stop_recorded(options: &Options) -> Result<(), Error> {
    for kind in [Kind::Docker, Kind::Local] {
        if record_path(&options.state, kind).is_file() {
            clean(options, kind).await?;
        }
    }
    Ok(())
}

fn node_of(record: &Record) -> Option<(&str, &crate::record::Node)> {
    match &record.place {
        Runtime::Node(node) => Some((&record.id, node)),
        Runtime::Container(_) => None,
    }
}

pub(crate) fn record_path(state: &StateDir, kind: Kind) -> std::path::PathBuf {
    state.path_of(&format!("{kind}.json"))
}
