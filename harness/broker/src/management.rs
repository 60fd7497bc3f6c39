//! The broker's management API, as far as we need it: a wrapper around `rabbitmq_http_client`, which
//! breaks between its minor versions, so that only this file knows it.
//!
//! An HTTP client keeps connections open, and each of these is driven by a task of the runtime in which
//! it was opened. A lease may be made in one test's runtime and released in another's, so a client
//! lives for one call of this crate and is never kept. Making one costs some microseconds,
//! and a connection on the loopback 0.1 ms.

use std::fmt;
use std::future::Future;
use std::time::{Duration, Instant};

use rabbitmq_http_client::api::Client;
use rabbitmq_http_client::commons::{BindingDestinationType, PolicyTarget, VirtualHostLimitTarget};
use rabbitmq_http_client::error::{ErrorDetails, HttpClientError};
use rabbitmq_http_client::password_hashing::{HashingAlgorithm, salt};
use rabbitmq_http_client::requests::{
    EnforcedLimitParams, Permissions, PolicyParams, UserParams, VirtualHostParams,
};
use url::Url;

use crate::topology::{Binding, Exchange, Queue, Topology};
use crate::{Error, timer};

/// How long one request may take. The slowest is the making of a vhost, 10 ms on an idle machine.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long, and how often at least, a request is repeated that the broker answers with an error of its
/// own: a single answer may take longer than that on a machine that is busy. Each of ours may be repeated:
/// it sets, deletes or reads.
const PATIENCE: Duration = Duration::from_secs(10);
const TRIES: usize = 5;

/// More than any check needs, and little enough that a program which runs wild is stopped before the
/// broker is.
const MAX_CONNECTIONS: i64 = 200;
const MAX_QUEUES: i64 = 2000;

/// A user and a password. `Debug` does not show the password.
#[derive(Clone)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// Where the API is and who we are there.
#[derive(Clone, Debug)]
pub(crate) struct Management {
    url: Url,
    login: Login,
}

/// The API, for the length of one call.
pub(crate) struct Session(Client<String, String, String>, Raw);

/// What it takes to ask the API without the typed client.
struct Raw {
    http: reqwest::Client,
    endpoint: String,
    login: Login,
}

impl Management {
    pub(crate) fn new(url: Url, login: Login) -> Self {
        Self { url, login }
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    pub(crate) fn session(&self) -> Result<Session, Error> {
        // A proxy from the environment would be asked for `127.0.0.1`, and cannot know ours.
        let http = reqwest::Client::builder()
            .no_proxy()
            // The server may close a connection that waits at the very moment in which it is used
            // again; on loopback a new one costs next to nothing.
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| failed("start", &error.into()))?;
        let endpoint = format!("{}/api", self.url.as_str().trim_end_matches('/'));
        let Login { user, password } = self.login.clone();
        let raw = Raw {
            http: http.clone(),
            endpoint: endpoint.clone(),
            login: self.login.clone(),
        };
        Ok(Session(
            Client::from_http_client(http, endpoint, user, password),
            raw,
        ))
    }
}

impl Session {
    /// Succeeds when the API answers and knows our password.
    pub(crate) async fn check(&self) -> Result<(), Error> {
        self.0
            .current_user()
            .await
            .map(drop)
            .map_err(|error| failed("accept our login", &error))
    }

    /// Makes `guest` for work by hand: the tutorial's programs and the management page, in vhost `/`.
    pub(crate) async fn make_guest(&self) -> Result<(), Error> {
        self.make_user("guest", "guest", "management").await?;
        self.permit("guest", "/").await
    }

    /// Makes a vhost with its own user who may do anything there and nothing elsewhere.
    pub(crate) async fn make_lease(&self, name: &str, password: &str) -> Result<(), Error> {
        let vhost = VirtualHostParams::named(name);
        // The two do not depend on each other.
        tokio::try_join!(
            patiently("make a vhost", || self.0.create_vhost(&vhost)),
            self.make_user(name, password, "")
        )?;
        let limits = async {
            self.limit(
                name,
                VirtualHostLimitTarget::MaxConnections,
                MAX_CONNECTIONS,
            )
            .await?;
            self.limit(name, VirtualHostLimitTarget::MaxQueues, MAX_QUEUES)
                .await
        };
        tokio::try_join!(self.permit(name, name), limits)?;
        Ok(())
    }

    /// Deletes a lease's vhost, with everything in it, and its user. What is gone already is no error.
    pub(crate) async fn delete_lease(&self, name: &str) -> Result<(), Error> {
        // Both are tried, whatever becomes of the other.
        let (vhost, user) = tokio::join!(
            patiently("delete a vhost", || self.0.delete_vhost(name, true)),
            patiently("delete a user", || self.0.delete_user(name, true)),
        );
        vhost.and(user)
    }

    /// Deletes the queues and exchanges of a vhost; `false`: something is left that it cannot delete.
    pub(crate) async fn clear(&self, vhost: &str) -> Result<bool, Error> {
        let (topology, policies) = tokio::try_join!(
            self.topology(vhost),
            patiently("list the policies", || self.0.list_policies_in(vhost)),
        )?;
        // It does not go with any queue or exchange that can be deleted.
        let built_in = |binding: &Binding| {
            binding.to_exchange
                && binding.source.starts_with("amq.")
                && binding.destination.starts_with("amq.")
        };
        if !policies.is_empty()
            || topology.queues.iter().any(|queue| queue.exclusive)
            || topology.bindings.iter().any(built_in)
        {
            return Ok(false);
        }
        self.empty(vhost).await?;
        Ok(true)
    }

    /// Deletes what programs left in a vhost: every queue that belongs to no connection, every exchange, and with them
    /// their bindings. Answers what it deleted; what is gone already is no error.
    pub(crate) async fn empty(&self, vhost: &str) -> Result<Topology, Error> {
        let mut topology = self.topology(vhost).await?;
        // An exclusive one goes with the program that is still running.
        topology.queues.retain(|queue| !queue.exclusive);
        for queue in &topology.queues {
            let name = &queue.name;
            patiently("delete a queue", || self.0.delete_queue(vhost, name, true)).await?;
        }
        for exchange in &topology.exchanges {
            let name = &exchange.name;
            patiently("delete an exchange", || {
                self.0.delete_exchange(vhost, name, true)
            })
            .await?;
        }
        Ok(topology)
    }

    /// Makes a queue of a vhost refuse what is published to it beyond so many messages.
    pub(crate) async fn refuse_beyond(
        &self,
        vhost: &str,
        queue: &str,
        messages: u32,
    ) -> Result<(), Error> {
        let definition =
            serde_json::json!({ "max-length": messages, "overflow": "reject-publish" });
        let name = format!("bound-{queue}");
        let pattern = format!("^{}$", escaped(queue));
        let definition = definition.as_object().cloned().unwrap_or_default();
        let policy =
            PolicyParams::new(vhost, &name, &pattern, definition).apply_to(PolicyTarget::Queues);
        patiently("set a policy", || self.0.declare_policy(&policy)).await
    }

    /// Closes every connection of a user. That there is none is no error.
    pub(crate) async fn close_connections(&self, user: &str, reason: &str) -> Result<(), Error> {
        patiently("close a user's connections", || {
            self.0.close_user_connections(user, Some(reason), true)
        })
        .await
    }

    /// The names of all vhosts and users, in no order, some of them twice.
    pub(crate) async fn names(&self) -> Result<Vec<String>, Error> {
        let (mut names, users) = tokio::try_join!(
            patiently("list the vhosts", || self.names_in("vhosts")),
            patiently("list the users", || self.names_in("users")),
        )?;
        names.extend(users);
        Ok(names)
    }

    /// The names in a list of the API. What is just being deleted is listed without its name by 4.x,
    /// which the typed client takes for an error, so this asks by itself.
    async fn names_in(&self, list: &str) -> Result<Vec<String>, HttpClientError> {
        #[derive(serde::Deserialize)]
        struct Named {
            name: Option<String>,
        }
        let Raw {
            http,
            endpoint,
            login,
        } = &self.1;
        let response = http
            .get(format!("{endpoint}/{list}"))
            .basic_auth(&login.user, Some(&login.password))
            .send()
            .await?
            .error_for_status()?;
        let listed: Vec<Named> = response.json().await?;
        Ok(listed.into_iter().filter_map(|entry| entry.name).collect())
    }

    /// What is declared in a vhost now. Read from the broker's metadata, not from its statistics, so
    /// it is true at once, but for one thing: 4.3.6 (not 3.10.8) still lists an exclusive queue for some milliseconds
    /// after `connection.close-ok`, in 90 of 360 tries.
    pub(crate) async fn topology(&self, vhost: &str) -> Result<Topology, Error> {
        let (queues, exchanges, bindings) = tokio::try_join!(
            self.queues(vhost),
            patiently("list the exchanges", || self.0.list_exchanges_in(vhost)),
            patiently("list the bindings", || self.0.list_bindings_in(vhost)),
        )?;
        let exchanges = exchanges
            .into_iter()
            .filter(|exchange| !exchange.name.is_empty() && !exchange.name.starts_with("amq."))
            .map(|exchange| Exchange {
                name: exchange.name,
                kind: exchange.exchange_type,
                durable: exchange.durable,
                auto_delete: exchange.auto_delete,
                arguments: exchange.arguments.0,
            })
            .collect();
        let bindings = bindings
            .into_iter()
            // Every queue is bound to the default exchange by its name: that says nothing.
            .filter(|binding| !binding.source.is_empty())
            .map(|binding| Binding {
                source: binding.source,
                destination: binding.destination,
                to_exchange: matches!(binding.destination_type, BindingDestinationType::Exchange),
                routing_key: binding.routing_key,
                arguments: binding.arguments.0,
            })
            .collect();
        Ok(Topology {
            queues,
            exchanges,
            bindings,
        }
        .sorted())
    }

    pub(crate) async fn queues(&self, vhost: &str) -> Result<Vec<Queue>, Error> {
        let queues = patiently("list the queues", || self.0.list_queues_in(vhost)).await?;
        let mut queues: Vec<Queue> = queues
            .into_iter()
            .map(|queue| Queue {
                name: queue.name,
                kind: queue.queue_type,
                durable: queue.durable,
                exclusive: queue.exclusive,
                auto_delete: queue.auto_delete,
                arguments: queue.arguments.0,
            })
            .collect();
        queues.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(queues)
    }

    async fn make_user(&self, name: &str, password: &str, tags: &str) -> Result<(), Error> {
        let hash = HashingAlgorithm::SHA256
            .salt_and_hash(&salt(), password)
            .map_err(|error| Error::Management {
                doing: "make a user".to_owned(),
                status: None,
                reason: error.to_string(),
            })?;
        let user = UserParams::new(name, &hash, tags);
        patiently("make a user", || self.0.create_user(&user)).await
    }

    async fn permit(&self, user: &str, vhost: &str) -> Result<(), Error> {
        let permissions = Permissions::full_access(user, vhost);
        patiently("give a user permissions", || {
            self.0.grant_permissions(&permissions)
        })
        .await
    }

    async fn limit(
        &self,
        vhost: &str,
        kind: VirtualHostLimitTarget,
        value: i64,
    ) -> Result<(), Error> {
        patiently("limit a vhost", || {
            let limit = EnforcedLimitParams::new(kind.clone(), value);
            self.0.set_vhost_limit(vhost, limit)
        })
        .await
    }
}

/// Asks again while the broker answers 5xx. RabbitMQ 4.3.6 does so for a moment when something is read
/// while somebody else deletes it: `GET /api/users` failed as a whole, with 500 and no reason, for one
/// in 300 while six others made and deleted users without a pause.
///
/// A request under way is never given up and sent again: the broker works on at the first, and may do half of
/// it only. It gives whoever makes a vhost the permissions there as the last step of that, and not at all when a
/// second request finds the vhost made.
async fn patiently<T, F>(doing: &str, request: impl Fn() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, HttpClientError>>,
{
    let deadline = Instant::now() + PATIENCE;
    let mut tries = 0;
    loop {
        tries += 1;
        let answer = request().await;
        let upset = answer.as_ref().is_err_and(HttpClientError::is_server_error);
        let left = deadline.saturating_duration_since(Instant::now());
        if !upset || (left.is_zero() && tries >= TRIES) {
            return answer.map_err(|error| failed(doing, &error));
        }
        timer::pause(left).await;
    }
}

/// The client's error in our words. Requests carry the login in a header, so neither the address nor
/// the reason can show it.
fn failed(doing: &str, error: &HttpClientError) -> Error {
    let status = error.status_code().map(|status| status.as_u16());
    let told = error.error_details().and_then(ErrorDetails::reason);
    let reason = match (told, status, error) {
        (Some(reason), _, _) => reason.to_owned(),
        (None, Some(status), _) => meaning(status),
        (None, None, HttpClientError::RequestError { error, .. }) => innermost(error),
        (None, None, other) => other.to_string(),
    };
    Error::Management {
        doing: doing.to_owned(),
        status,
        reason,
    }
}

/// A name as a regular expression that matches it only.
fn escaped(name: &str) -> String {
    let mut pattern = String::new();
    for c in name.chars() {
        if c.is_ascii_punctuation() {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

fn meaning(status: u16) -> String {
    match status {
        401 => "the login is wrong, or its user may not use the management API: it needs the tag `administrator`".to_owned(),
        404 => "there is no such thing: is that address really RabbitMQ's management API?".to_owned(),
        _ => "it gave no reason".to_owned(),
    }
}

/// The cause of the cause: `reqwest` says "error sending request" and means "connection refused".
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    if error.is_timeout() {
        return format!("no answer in time ({cause})");
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Asks a request that answers with these statuses in turn; what came of it, and how often it was sent.
    async fn asked(statuses: &[u16]) -> (Result<(), Error>, usize) {
        let sent = Cell::new(0);
        let result = patiently("list the users", || {
            let status = statuses[sent.replace(sent.get() + 1)];
            let response = http::Response::builder().status(status).body("").unwrap();
            let answer = reqwest::Response::from(response).error_for_status();
            std::future::ready(answer.map(drop).map_err(HttpClientError::from))
        })
        .await;
        (result, sent.get())
    }

    #[tokio::test]
    async fn what_the_broker_fails_for_a_moment_is_asked_again() {
        let (result, sent) = asked(&[500, 503, 200]).await;
        result.unwrap();
        assert_eq!(sent, 3);
    }

    #[tokio::test]
    async fn what_the_broker_refuses_is_asked_once() {
        for refused in [401, 404] {
            let (result, sent) = asked(&[refused, 200]).await;
            assert!(
                matches!(&result, Err(Error::Management { status, .. }) if *status == Some(refused)),
                "{result:?}"
            );
            assert_eq!(sent, 1);
        }
    }
}
