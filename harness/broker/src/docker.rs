//! A broker in a container.
//!
//! The container outlives us on purpose. Which container is ours is said by a label with the state's id; by that label
//! [`remove_all`] finds it again, even when nothing is written down about it.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use crate::{
    Error, IMAGE, Kind, Options,
    engine::{Answer, Asked, Start, ask},
    local::{ERLANG_ARGUMENTS, LOGGED, TIME_ZONE},
    ports::{self, Chooser},
    record::{Ready, Record, Runtime},
    start::{Failure, Stopped, last_lines, until_ready},
    state::random_hex,
};

/// The label that says whose a container is: its value is the state's id.
const LABEL: &str = "rabbitmq-workbook";

/// Where a shared broker keeps its data, in memory. No image has such a folder: where there is one, the
/// mount gets its owner and mode, and the broker's user cannot write to it.
const DATA: &str = "/workbook-data";

/// Whether a container can be started here: the daemon answers and the image is there, after pulling
/// it if need be. Otherwise why not, in a line.
pub(crate) async fn available(options: &Options) -> Result<(), String> {
    if has_image(options).await? {
        return Ok(());
    }
    options.say(&format!("fetching the image {IMAGE}"));
    let pulled: Result<(), String> = ask(options, &Asked::Pull).await.read();
    pulled.map_err(|reason| format!("the image {IMAGE} is not here and cannot be pulled: {reason}"))
}

pub(crate) async fn has_image(options: &Options) -> Result<bool, String> {
    ask(options, &Asked::HasImage).await.read()
}

/// Decides about a new container. Its name is made of the state's id and never used twice.
pub(crate) fn plan(options: &Options) -> Record {
    let id = random_hex(4);
    let name = format!("{LABEL}-{}-{id}", options.state.id());
    Record::new(Kind::Docker, id, Runtime::Container(name))
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
    let mut environment: BTreeMap<&str, &str> = BTreeMap::from([
        ("RABBITMQ_DEFAULT_USER", record.user.as_str()),
        ("RABBITMQ_DEFAULT_PASS", &record.password),
        ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", ERLANG_ARGUMENTS),
        ("RABBITMQ_LOG", LOGGED),
        ("TZ", TIME_ZONE),
    ]);
    if options.shared {
        environment.insert("RABBITMQ_MNESIA_BASE", DATA);
    }
    let asked = Start {
        name: name.to_owned(),
        label: (LABEL.to_owned(), options.state.id().to_owned()),
        environment: environment
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        ports: vec![(ports::AMQP, amqp), (ports::MANAGEMENT, management)],
        in_memory: options.shared.then(|| DATA.to_owned()),
        patience_ms: u64::try_from(options.start_timeout.as_millis()).unwrap_or(u64::MAX),
    };
    let failed = |stopped: Stopped| async move {
        let log = last_words(options, name, &record.password).await;
        stopped.into_failure(Kind::Docker, options.start_timeout, log)
    };
    match ask(options, &Asked::Start(Box::new(asked))).await {
        Answer::Done(_) => {}
        Answer::TimedOut => return Err(failed(Stopped::TimedOut).await),
        Answer::NoDaemon(reason) | Answer::Failed(reason) => {
            return Err(failed(Stopped::Ended(reason)).await);
        }
    }
    let address = ([127, 0, 0, 1], amqp).into();
    match until_ready(deadline, address, management, &record.login(), || {
        is_gone(options, name)
    })
    .await
    {
        Ok(ready) => Ok(ready),
        Err(stopped) => Err(failed(stopped).await),
    }
}

/// Runs `rabbitmqctl` in a container.
pub(crate) async fn control(
    options: &Options,
    name: &str,
    words: &[&str],
    limit: Duration,
) -> Result<(), Error> {
    let failed = |reason: String| Error::Docker {
        doing: format!("run rabbitmqctl {}", words.join(" ")),
        reason,
    };
    let asked = Asked::Run {
        name: name.to_owned(),
        words: std::iter::once("rabbitmqctl")
            .chain(words.iter().copied())
            .map(str::to_owned)
            .collect(),
    };
    match tokio::time::timeout(limit, ask(options, &asked)).await {
        Ok(answer) => answer.read().map_err(failed),
        Err(_) => Err(failed(format!("no answer within {} s", limit.as_secs()))),
    }
}

/// Removes every container of this state, with its volumes. `recorded` says that there should be one:
/// then a daemon that does not answer is an error, and otherwise it just means that there is none.
pub(crate) async fn remove_all(options: &Options, recorded: bool) -> Result<Vec<String>, Error> {
    let asked = Asked::RemoveAll {
        label: LABEL.to_owned(),
        value: options.state.id().to_owned(),
    };
    match ask(options, &asked).await {
        Answer::NoDaemon(_) if !recorded => Ok(Vec::new()),
        answer => answer.read().map_err(|reason| Error::Docker {
            doing: "remove the broker's container".to_owned(),
            reason,
        }),
    }
}

/// Says so when the container has ended.
pub(crate) async fn is_gone(options: &Options, name: &str) -> Option<String> {
    let asked = Asked::IsGone {
        name: name.to_owned(),
    };
    ask(options, &asked).await.read().ok()?
}

pub(crate) async fn last_words(options: &Options, name: &str, password: &str) -> Vec<String> {
    let asked = Asked::Log {
        name: name.to_owned(),
    };
    let log: Option<String> = ask(options, &asked).await.read().ok();
    log.map(|log| last_lines(&log, password))
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
