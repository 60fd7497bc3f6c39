//! Docker, through testcontainers and the client beneath it.
//!
//! A container outlives us on purpose, so testcontainers is told to reuse it and never removes it.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use futures_util::StreamExt as _;
use serde_json::json;
use testcontainers::{
    Image, ImageExt as _, ReuseDirective, TestcontainersError,
    bollard::{
        Docker,
        errors::Error as BollardError,
        exec::StartExecResults,
        models::{ExecConfig, PortBinding},
        query_parameters::{
            CreateImageOptionsBuilder, ListContainersOptionsBuilder, LogsOptionsBuilder,
            RemoveContainerOptionsBuilder,
        },
    },
    core::{
        IntoContainerPort as _, Mount, WaitFor, client::docker_client_instance,
        error::WaitContainerError,
    },
    runners::AsyncRunner as _,
};
use workbook_broker::{
    IMAGE,
    engine::{Answer, Asked, Image as Known, Start},
};

/// A daemon that is there answers at once.
const PING: Duration = Duration::from_secs(5);
/// A registry that is out of reach may swallow packets; one that works shows progress all the time.
const PULL_SILENCE: Duration = Duration::from_secs(30);
/// 300 MB over a slow line.
const PULL: Duration = Duration::from_mins(10);
/// Removing a container and its volume.
const REMOVE: Duration = Duration::from_secs(30);
/// How long it is before a daemon that is busy is asked again.
const PAUSE: Duration = Duration::from_millis(20);

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

/// Does what is asked.
pub(crate) async fn answer(asked: Asked) -> Answer {
    let docker = match connect().await {
        Ok(docker) => docker,
        Err(reason) => return Answer::NoDaemon(reason),
    };
    let answered = match asked {
        Asked::Start(start) => return self::start(*start).await,
        Asked::HasImage => has_image(&docker).await.map(|it| json!(it)),
        Asked::Pull => pull_in_time(&docker).await.map(|()| json!(null)),
        Asked::InspectImage => inspect(&docker).await.map(|it| json!(it)),
        Asked::IsGone { name } => Ok(json!(is_gone(&docker, &name).await)),
        Asked::Log { name } => Ok(json!(log(&docker, &name).await)),
        Asked::Run { name, words } => run(&docker, &name, words).await.map(|()| json!(null)),
        Asked::RemoveAll { label, value } => {
            let wanted = format!("{label}={value}");
            remove_all(&docker, &wanted).await.map(|it| json!(it))
        }
    };
    match answered {
        Ok(json) => Answer::Done(json),
        Err(reason) => Answer::Failed(reason),
    }
}

/// The daemon, when it answers.
async fn connect() -> Result<Docker, String> {
    let connecting = async {
        let docker = docker_client_instance()
            .await
            .map_err(|error| error.to_string())?;
        docker.ping().await.map_err(|error| error.to_string())?;
        Ok::<_, String>(docker)
    };
    match tokio::time::timeout(PING, connecting).await {
        Ok(connected) => connected,
        Err(_) => Err(format!("nothing within {} s", PING.as_secs())),
    }
}

async fn has_image(docker: &Docker) -> Result<bool, String> {
    match docker.inspect_image(IMAGE).await {
        Ok(_) => Ok(true),
        Err(BollardError::DockerResponseServerError {
            status_code: 404, ..
        }) => Ok(false),
        Err(error) => Err(error.to_string()),
    }
}

async fn inspect(docker: &Docker) -> Result<Known, String> {
    let found = docker
        .inspect_image(IMAGE)
        .await
        .map_err(|error| error.to_string())?;
    Ok(Known {
        id: found.id.unwrap_or_default(),
        environment: found
            .config
            .and_then(|config| config.env)
            .unwrap_or_default(),
        bytes: found
            .size
            .and_then(|size| u64::try_from(size).ok())
            .unwrap_or_default(),
    })
}

async fn pull_in_time(docker: &Docker) -> Result<(), String> {
    match tokio::time::timeout(PULL, pull(docker)).await {
        Ok(pulled) => pulled,
        Err(_) => Err(format!("it was not there within {} s", PULL.as_secs())),
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

/// Starts a container and waits until the broker in it says that it has started.
async fn start(asked: Start) -> Answer {
    let patience = Duration::from_millis(asked.patience_ms);
    let ports = asked.ports.clone();
    let mut request = RabbitMq
        .with_container_name(&asked.name)
        .with_label(&asked.label.0, &asked.label.1)
        .with_startup_timeout(patience)
        .with_host_config_modifier(move |host| {
            // Testcontainers would publish on all of this machine's addresses.
            host.publish_all_ports = Some(false);
            host.port_bindings = Some(ports.iter().copied().map(on_loopback).collect());
        })
        .with_reuse(ReuseDirective::Always);
    for (name, value) in &asked.environment {
        request = request.with_env_var(name, value);
    }
    for (inside, outside) in &asked.ports {
        request = request.with_mapped_port(*outside, inside.tcp());
    }
    if let Some(folder) = &asked.in_memory {
        request = request.with_mount(Mount::tmpfs_mount(folder).with_mode(0o1777));
    }
    match tokio::time::timeout(patience, request.start()).await {
        Ok(Ok(container)) => {
            drop(container);
            Answer::Done(json!(null))
        }
        Ok(Err(error)) if is_timeout(&error) => Answer::TimedOut,
        Ok(Err(TestcontainersError::WaitContainer(WaitContainerError::WaitLog(_)))) => {
            Answer::Failed("its log ended".to_owned())
        }
        Ok(Err(error)) => Answer::Failed(error.to_string()),
        Err(_) => Answer::TimedOut,
    }
}

/// Runs a command in a container to its end.
async fn run(docker: &Docker, name: &str, words: Vec<String>) -> Result<(), String> {
    let refused = |error: BollardError| error.to_string();
    let config = ExecConfig {
        cmd: Some(words),
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
    match ended.exit_code {
        Some(0) => Ok(()),
        _ => Err(said.trim().to_owned()),
    }
}

/// Removes every container with a label, with its volumes.
#[expect(
    clippy::disallowed_methods,
    reason = "a busy daemon tells nobody when it has done what it was asked: it is asked again, within a limit"
)]
async fn remove_all(docker: &Docker, label: &str) -> Result<Vec<String>, String> {
    let mut last = "no answer".to_owned();
    let started = Instant::now();
    let removing = async {
        let mut removed = Vec::new();
        loop {
            let names = containers(docker, label).await?;
            if names.is_empty() {
                return Ok::<_, BollardError>(removed);
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
            tokio::time::sleep(PAUSE).await;
        }
    };
    match tokio::time::timeout(REMOVE, removing).await {
        Ok(removed) => removed.map_err(|error| error.to_string()),
        Err(_) => Err(format!(
            "not within {} s; the last word: {last}",
            started.elapsed().as_secs()
        )),
    }
}

async fn containers(docker: &Docker, label: &str) -> Result<Vec<String>, BollardError> {
    let filters = HashMap::from([("label", vec![label.to_owned()])]);
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
async fn is_gone(docker: &Docker, name: &str) -> Option<String> {
    let state = docker.inspect_container(name, None).await.ok()?.state?;
    let ended = !state.running.unwrap_or(true);
    ended.then(|| format!("its exit code was {}", state.exit_code.unwrap_or_default()))
}

/// The last lines of a container's log.
async fn log(docker: &Docker, name: &str) -> String {
    let options = LogsOptionsBuilder::new()
        .stdout(true)
        .stderr(true)
        .tail("60")
        .build();
    let reading = async {
        let mut chunks = Box::pin(docker.logs(name, Some(options)));
        let mut text = String::new();
        while let Some(Ok(chunk)) = chunks.next().await {
            text.push_str(&String::from_utf8_lossy(&chunk.into_bytes()));
        }
        text
    };
    tokio::time::timeout(PING, reading)
        .await
        .unwrap_or_default()
}

fn on_loopback((inside, outside): (u16, u16)) -> (String, Option<Vec<PortBinding>>) {
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
