//! A broker in a container, through testcontainers.
//!
//! The container outlives us on purpose, so testcontainers is told to reuse it and never removes it.
//! Which container is ours is said by a label with the state's id; by that label [`remove_all`] finds
//! it again, even when nothing is written down about it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error as BollardError;
use testcontainers::bollard::exec::StartExecResults;
use testcontainers::bollard::models::{ExecConfig, PortBinding};
use testcontainers::bollard::query_parameters::{
    CreateImageOptionsBuilder, ListContainersOptionsBuilder, LogsOptionsBuilder,
    RemoveContainerOptionsBuilder, RestartContainerOptionsBuilder,
};
use testcontainers::core::client::docker_client_instance;
use testcontainers::core::error::WaitContainerError;
use testcontainers::core::{IntoContainerPort as _, Mount, WaitFor};
use testcontainers::runners::AsyncRunner as _;
use testcontainers::{Image, ImageExt as _, ReuseDirective, TestcontainersError};

use crate::local::{ERLANG_ARGUMENTS, LOGGED, TIME_ZONE};
use crate::ports::{self, Chooser};
use crate::record::{Place, Ready, Record};
use crate::start::{Failure, Stopped, last_lines, until_ready};
use crate::state::random_hex;
use crate::{Error, IMAGE, Kind, Options, timer};

/// The label that says whose a container is: its value is the state's id.
const LABEL: &str = "rabbitmq-workbook";

/// Where a shared broker keeps its data, in memory. No image has such a folder: where there is one, the
/// mount gets its owner and mode, and the broker's user cannot write to it.
const DATA: &str = "/workbook-data";

/// A daemon that is there answers at once.
const PING: Duration = Duration::from_secs(5);
/// A registry that is out of reach may swallow packets; one that works shows progress all the time.
const PULL_SILENCE: Duration = Duration::from_secs(30);
/// 300 MB over a slow line.
const PULL: Duration = Duration::from_mins(10);
/// `rabbitmqctl` boots an Erlang of its own: 1 to 3 s.
const CONTROL: Duration = Duration::from_mins(1);
/// Removing a container and its volume.
const REMOVE: Duration = Duration::from_secs(30);

/// The image as testcontainers wants to know it.
#[derive(Debug)]
struct RabbitMq;

impl Image for RabbitMq {
    fn name(&self) -> &str {
        IMAGE.split_once(':').map_or(IMAGE, |(name, _)| name)
    }

    fn tag(&self) -> &str {
        IMAGE.split_once(':').map_or("latest", |(_, tag)| tag)
    }

    fn ready_conditions(&self) -> Vec<WaitFor> {
        // Not "4 plugins started": how many there are differs between images.
        vec![WaitFor::message_on_either_std("Server startup complete")]
    }
}

/// Whether the daemon answers and the image is here.
pub(crate) async fn is_ready() -> Result<(), String> {
    let docker = connect().await?;
    match has_image(&docker).await? {
        true => Ok(()),
        false => Err(format!("the image {IMAGE} is not here")),
    }
}

/// Whether a container can be started here: the daemon answers and the image is there, after pulling
/// it if need be. Otherwise why not, in a line.
pub(crate) async fn available(options: &Options) -> Result<(), String> {
    let docker = connect().await?;
    if has_image(&docker).await? {
        return Ok(());
    }
    options.say(&format!("fetching the image {IMAGE}"));
    match tokio::time::timeout(PULL, pull(&docker)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(reason)) => Err(format!(
            "the image {IMAGE} is not here and cannot be pulled: {reason}"
        )),
        Err(_) => Err(format!(
            "the image {IMAGE} was not pulled within {} s",
            PULL.as_secs()
        )),
    }
}

pub(crate) async fn has_image(docker: &Docker) -> Result<bool, String> {
    match docker.inspect_image(IMAGE).await {
        Ok(_) => Ok(true),
        Err(BollardError::DockerResponseServerError {
            status_code: 404, ..
        }) => Ok(false),
        Err(error) => Err(error.to_string()),
    }
}

/// The daemon, when it answers.
pub(crate) async fn connect() -> Result<Docker, String> {
    let connecting = async {
        let docker = docker_client_instance()
            .await
            .map_err(|error| error.to_string())?;
        docker.ping().await.map_err(|error| error.to_string())?;
        Ok::<_, String>(docker)
    };
    match tokio::time::timeout(PING, connecting).await {
        Ok(Ok(docker)) => Ok(docker),
        Ok(Err(reason)) => Err(format!("the Docker daemon does not answer: {reason}")),
        Err(_) => Err(format!(
            "the Docker daemon does not answer within {} s",
            PING.as_secs()
        )),
    }
}

async fn pull(docker: &Docker) -> Result<(), String> {
    let image = CreateImageOptionsBuilder::new()
        .from_image(RabbitMq.name())
        .tag(RabbitMq.tag())
        .build();
    let mut steps = docker.create_image(Some(image), None, None);
    loop {
        match tokio::time::timeout(PULL_SILENCE, steps.next()).await {
            Ok(Some(Ok(_))) => {}
            Ok(Some(Err(error))) => return Err(error.to_string()),
            Ok(None) => return Ok(()),
            Err(_) => return Err("the registry does not answer".to_owned()),
        }
    }
}

/// Decides about a new container. Its name is made of the state's id and never used twice.
pub(crate) fn plan(options: &Options) -> Record {
    let id = random_hex(4);
    let name = format!("{LABEL}-{}-{id}", options.state.id());
    Record::new(Kind::Docker, id, Place::Container(name))
}

/// Starts a container and waits until the broker in it is ready.
pub(crate) async fn start(
    options: &Options,
    record: &Record,
    name: &str,
    preferred_ports: bool,
) -> Result<Ready, Failure> {
    let deadline = Instant::now() + options.start_timeout;
    let (amqp, management) = choose_ports(preferred_ports).map_err(Failure::Other)?;
    let mut request = RabbitMq
        .with_container_name(name)
        .with_label(LABEL, options.state.id())
        .with_env_var("RABBITMQ_DEFAULT_USER", &record.user)
        .with_env_var("RABBITMQ_DEFAULT_PASS", &record.password)
        .with_env_var("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", ERLANG_ARGUMENTS)
        .with_env_var("RABBITMQ_LOG", LOGGED)
        .with_env_var("TZ", TIME_ZONE)
        .with_startup_timeout(options.start_timeout)
        .with_host_config_modifier(move |host| {
            // Testcontainers would publish on all of this machine's addresses.
            host.publish_all_ports = Some(false);
            host.port_bindings = Some(HashMap::from([
                on_loopback(ports::AMQP, amqp),
                on_loopback(ports::MANAGEMENT, management),
            ]));
        })
        .with_mapped_port(amqp, ports::AMQP.tcp())
        .with_mapped_port(management, ports::MANAGEMENT.tcp())
        .with_reuse(ReuseDirective::Always);
    if options.shared {
        request = request
            .with_env_var("RABBITMQ_MNESIA_BASE", DATA)
            .with_mount(Mount::tmpfs_mount(DATA).with_mode(0o1777));
    }
    let failed = |stopped: Stopped| async move {
        let log = last_words(name, &record.password).await;
        stopped.into_failure(Kind::Docker, options.start_timeout, log)
    };
    let left = deadline.saturating_duration_since(Instant::now());
    match tokio::time::timeout(left, request.start()).await {
        Ok(Ok(container)) => drop(container),
        Ok(Err(error)) if is_timeout(&error) => return Err(failed(Stopped::TimedOut).await),
        Ok(Err(TestcontainersError::WaitContainer(WaitContainerError::WaitLog(_)))) => {
            return Err(failed(Stopped::Ended("its log ended".to_owned())).await);
        }
        Ok(Err(error)) => return Err(failed(Stopped::Ended(error.to_string())).await),
        Err(_) => return Err(failed(Stopped::TimedOut).await),
    }
    let address = ([127, 0, 0, 1], amqp).into();
    match until_ready(deadline, address, management, &record.login(), || {
        is_gone(name)
    })
    .await
    {
        Ok(ready) => Ok(ready),
        Err(stopped) => Err(failed(stopped).await),
    }
}

/// Restarts a container's broker, with a clean stop, and waits until it is ready again.
pub(crate) async fn restart(
    options: &Options,
    record: &Record,
    name: &str,
    ready: &Ready,
) -> Result<Ready, Failure> {
    let other = |reason: String| {
        Failure::Other(Error::Docker {
            doing: "restart the broker".to_owned(),
            reason,
        })
    };
    let deadline = Instant::now() + options.start_timeout;
    let docker = connect().await.map_err(other)?;
    let patience = RestartContainerOptionsBuilder::new().t(10).build();
    docker
        .restart_container(name, Some(patience))
        .await
        .map_err(|error| other(error.to_string()))?;
    let management = ready.management.port().unwrap_or(ports::MANAGEMENT);
    match until_ready(deadline, ready.amqp, management, &record.login(), || {
        is_gone(name)
    })
    .await
    {
        Ok(ready) => Ok(ready),
        Err(stopped) => {
            let log = last_words(name, &record.password).await;
            Err(stopped.into_failure(Kind::Docker, options.start_timeout, log))
        }
    }
}

/// Runs `rabbitmqctl` in a container.
pub(crate) async fn control(name: &str, words: &[&str]) -> Result<(), Error> {
    let failed = |reason: String| Error::Docker {
        doing: format!("run rabbitmqctl {}", words.join(" ")),
        reason,
    };
    let running = async {
        let docker = connect().await.map_err(failed)?;
        let refused = |error: BollardError| failed(error.to_string());
        let config = ExecConfig {
            cmd: Some(
                std::iter::once("rabbitmqctl")
                    .chain(words.iter().copied())
                    .map(str::to_owned)
                    .collect(),
            ),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            ..ExecConfig::default()
        };
        let exec = docker.create_exec(name, config).await.map_err(refused)?;
        let mut said = String::new();
        if let StartExecResults::Attached { mut output, .. } =
            docker.start_exec(&exec.id, None).await.map_err(refused)?
        {
            while let Some(Ok(chunk)) = output.next().await {
                said.push_str(&String::from_utf8_lossy(&chunk.into_bytes()));
            }
        }
        let ended = docker.inspect_exec(&exec.id).await.map_err(refused)?;
        if ended.exit_code == Some(0) {
            Ok(())
        } else {
            Err(failed(said.trim().to_owned()))
        }
    };
    match tokio::time::timeout(CONTROL, running).await {
        Ok(result) => result,
        Err(_) => Err(failed(format!("no answer within {} s", CONTROL.as_secs()))),
    }
}

/// Removes every container of this state, with its volumes. `recorded` says that there should be one:
/// then a daemon that does not answer is an error, and otherwise it just means that there is none.
pub(crate) async fn remove_all(options: &Options, recorded: bool) -> Result<Vec<String>, Error> {
    let failed = |reason: String| Error::Docker {
        doing: "remove the broker's container".to_owned(),
        reason,
    };
    let docker = match connect().await {
        Ok(docker) => docker,
        Err(reason) if recorded => return Err(failed(reason)),
        Err(_) => return Ok(Vec::new()),
    };
    let mut last = "no answer".to_owned();
    let removing = async {
        let mut removed = Vec::new();
        loop {
            let names = containers(&docker, options.state.id()).await?;
            if names.is_empty() {
                return Ok(removed);
            }
            for name in names {
                let all = RemoveContainerOptionsBuilder::new()
                    .force(true)
                    .v(true)
                    .build();
                match docker.remove_container(&name, Some(all)).await {
                    Ok(()) => {}
                    // Somebody else has removed it, or does so now; or a busy Docker did not see it end in time.
                    Err(BollardError::DockerResponseServerError {
                        status_code: 404 | 409 | 500..,
                        message,
                    }) => last = message,
                    Err(error) => return Err(error),
                }
                if !removed.contains(&name) {
                    removed.push(name);
                }
            }
            timer::pause(REMOVE).await;
        }
    };
    match tokio::time::timeout(REMOVE, removing).await {
        Ok(result) => result.map_err(|error| failed(error.to_string())),
        Err(_) => Err(failed(format!(
            "not within {} s; the last word: {last}",
            REMOVE.as_secs()
        ))),
    }
}

async fn containers(docker: &Docker, state: &str) -> Result<Vec<String>, BollardError> {
    let filters = HashMap::from([("label", vec![format!("{LABEL}={state}")])]);
    let list = ListContainersOptionsBuilder::new()
        .all(true)
        .filters(&filters)
        .build();
    let found = docker.list_containers(Some(list)).await?;
    Ok(found
        .into_iter()
        .filter_map(|container| {
            let name = container.names.unwrap_or_default().into_iter().next();
            name.map(|name| name.trim_start_matches('/').to_owned())
                .or(container.id)
        })
        .collect())
}

/// Says so when the container has ended.
async fn is_gone(name: &str) -> Option<String> {
    let docker = docker_client_instance().await.ok()?;
    let state = docker.inspect_container(name, None).await.ok()?.state?;
    let ended = !state.running.unwrap_or(true);
    ended.then(|| format!("its exit code was {}", state.exit_code.unwrap_or_default()))
}

async fn last_words(name: &str, password: &str) -> Vec<String> {
    let reading = async {
        let docker = connect().await.ok()?;
        let options = LogsOptionsBuilder::new()
            .stdout(true)
            .stderr(true)
            .tail("60")
            .build();
        let mut chunks = Box::pin(docker.logs(name, Some(options)));
        let mut text = String::new();
        while let Some(Ok(chunk)) = chunks.next().await {
            text.push_str(&String::from_utf8_lossy(&chunk.into_bytes()));
        }
        Some(last_lines(&text, password))
    };
    tokio::time::timeout(PING, reading)
        .await
        .ok()
        .flatten()
        .unwrap_or_default()
}

fn choose_ports(preferred: bool) -> Result<(u16, u16), Error> {
    let mut chooser = Chooser::default();
    if preferred {
        Ok((
            chooser.prefer(ports::AMQP)?,
            chooser.prefer(ports::MANAGEMENT)?,
        ))
    } else {
        Ok((chooser.any()?, chooser.any()?))
    }
}

fn on_loopback(inside: u16, outside: u16) -> (String, Option<Vec<PortBinding>>) {
    let binding = PortBinding {
        host_ip: Some("127.0.0.1".to_owned()),
        host_port: Some(outside.to_string()),
    };
    (format!("{inside}/tcp"), Some(vec![binding]))
}

fn is_timeout(error: &TestcontainersError) -> bool {
    matches!(
        error,
        TestcontainersError::WaitContainer(WaitContainerError::StartupTimeout)
    )
}
