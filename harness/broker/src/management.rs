//! The broker's management API, as far as we need it.
//!
//! Little is asked of it, and every check asks: so this is written down here, and needs no client library of a hundred
//! crates.

use std::time::{Duration, Instant};

use data_encoding::BASE64;
use hyper::Method;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::{
    Error,
    http::{Asked, Login, Refused, ask},
    timer,
    topology::{Binding, Exchange, Queue, Topology},
};

/// How long, and how often at least, a request is repeated that the broker answers with an error of its
/// own: a single answer may take longer than that on a machine that is busy. Each of ours may be repeated:
/// it sets, deletes or reads.
const PATIENCE: Duration = Duration::from_secs(10);
const TRIES: usize = 5;

/// How long the broker may take to list a connection that it has opened: it is a matter of milliseconds, unless the machine
/// is busy.
const TRACKED_WITHIN: Duration = Duration::from_secs(10);

/// More than any check needs, and little enough that a program which runs wild is stopped before the
/// broker is.
const MAX_CONNECTIONS: i64 = 200;
const MAX_QUEUES: i64 = 2000;

/// Where the API is and who we are there.
#[derive(Clone, Debug)]
pub(crate) struct Management {
    url: Url,
    login: Login,
}

/// The API, as one who is logged in.
pub(crate) struct Session<'a>(&'a Management);

/// What the API tells of a queue; 4.x tells less of one that is just being deleted.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct ListedQueue {
    name: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    durable: bool,
    exclusive: bool,
    auto_delete: bool,
    arguments: Map<String, Value>,
}

/// What the API tells of an exchange.
#[derive(Deserialize, Default)]
#[serde(default)]
struct ListedExchange {
    name: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    durable: bool,
    auto_delete: bool,
    arguments: Map<String, Value>,
}

/// What the API tells of a binding.
#[derive(Deserialize)]
struct ListedBinding {
    source: String,
    destination: String,
    destination_type: String,
    routing_key: String,
    arguments: Map<String, Value>,
}

impl Management {
    pub(crate) fn new(url: Url, login: Login) -> Self {
        Self { url, login }
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    pub(crate) fn session(&self) -> Session<'_> {
        Session(self)
    }
}

/// A path of the API: its parts may hold anything.
fn path(parts: &[&str]) -> String {
    let encoded = parts
        .iter()
        .map(|part| utf8_percent_encode(part, NON_ALPHANUMERIC).to_string());
    encoded.collect::<Vec<_>>().join("/")
}

impl Session<'_> {
    /// Asks, and asks again while the broker is upset.
    async fn ask(&self, doing: &str, asked: &Asked<'_>) -> Result<Value, Error> {
        let Management { url, login } = self.0;
        patiently(doing, || ask(url, login, asked)).await
    }

    async fn get<T: DeserializeOwned>(&self, doing: &str, path: String) -> Result<T, Error> {
        let json = self.ask(doing, &Asked::get(path)).await?;
        serde_json::from_value(json).map_err(|error| {
            let told = Refused::Silent(error.to_string());
            failed(doing, &told)
        })
    }

    async fn put(&self, doing: &str, path: String, body: &Value) -> Result<(), Error> {
        let asked = Asked {
            method: Method::PUT,
            body: Some(body),
            ..Asked::get(path)
        };
        self.ask(doing, &asked).await.map(drop)
    }

    /// What is gone already is no error.
    async fn delete(
        &self,
        doing: &str,
        path: String,
        headers: &[(&'static str, &str)],
    ) -> Result<(), Error> {
        let asked = Asked {
            method: Method::DELETE,
            headers,
            ..Asked::get(path)
        };
        match self.ask(doing, &asked).await {
            Err(Error::Management {
                status: Some(404), ..
            }) => Ok(()),
            other => other.map(drop),
        }
    }

    /// Succeeds when the API answers and knows our password.
    pub(crate) async fn check(&self) -> Result<(), Error> {
        let Management { url, login } = self.0;
        let user = ask(url, login, &Asked::get(path(&["whoami"]))).await;
        user.map(drop)
            .map_err(|refused| failed("accept our login", &refused))
    }

    /// Makes `guest` for work by hand: the tutorial's programs and the management page, in vhost `/`.
    pub(crate) async fn make_guest(&self) -> Result<(), Error> {
        self.make_user("guest", "guest", "management").await?;
        self.permit("guest", "/").await
    }

    /// Makes a vhost with its own user who may do anything there and nothing elsewhere.
    pub(crate) async fn make_lease(&self, name: &str, password: &str) -> Result<(), Error> {
        let plain = json!({});
        // The two do not depend on each other.
        tokio::try_join!(
            self.put("make a vhost", path(&["vhosts", name]), &plain),
            self.make_user(name, password, "")
        )?;
        let limits = async {
            self.limit(name, "max-connections", MAX_CONNECTIONS).await?;
            self.limit(name, "max-queues", MAX_QUEUES).await
        };
        tokio::try_join!(self.permit(name, name), limits)?;
        Ok(())
    }

    /// Deletes a lease's vhost, with everything in it, and its user. What is gone already is no error.
    pub(crate) async fn delete_lease(&self, name: &str) -> Result<(), Error> {
        // Both are tried, whatever becomes of the other.
        let (vhost, user) = tokio::join!(
            self.delete("delete a vhost", path(&["vhosts", name]), &[]),
            self.delete("delete a user", path(&["users", name]), &[]),
        );
        vhost.and(user)
    }

    /// Deletes the queues and exchanges of a vhost; `false`: something is left that it cannot delete.
    pub(crate) async fn clear(&self, vhost: &str) -> Result<bool, Error> {
        let (topology, policies) = tokio::try_join!(
            self.topology(vhost),
            self.get::<Vec<Value>>("list the policies", path(&["policies", vhost])),
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
    /// their bindings. Returns what it deleted; what is gone already is no error.
    pub(crate) async fn empty(&self, vhost: &str) -> Result<Topology, Error> {
        let mut topology = self.topology(vhost).await?;
        // An exclusive one goes with the program that is still running.
        topology.queues.retain(|queue| !queue.exclusive);
        for queue in &topology.queues {
            let name = &queue.name;
            self.delete("delete a queue", path(&["queues", vhost, name]), &[])
                .await?;
        }
        for exchange in &topology.exchanges {
            let name = &exchange.name;
            self.delete("delete an exchange", path(&["exchanges", vhost, name]), &[])
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
        let name = format!("bound-{queue}");
        let policy = json!({
            "pattern": format!("^{}$", escaped(queue)),
            "apply-to": "queues",
            "definition": { "max-length": messages, "overflow": "reject-publish" },
        });
        self.put("set a policy", path(&["policies", vhost, &name]), &policy)
            .await
    }

    /// Closes every connection of a user. That there is none is no error.
    pub(crate) async fn close_connections(
        &self,
        user: &str,
        open: usize,
        reason: &str,
    ) -> Result<(), Error> {
        let theirs = || path(&["connections", "username", user]);
        // What is not listed yet is not closed either. Those that are gone by now are waited for in vain.
        let deadline = Instant::now() + TRACKED_WITHIN;
        let all_listed = timer::until(deadline, || async {
            let listed = self.get::<Vec<Value>>("list a user's connections", theirs());
            match listed.await {
                Ok(listed) => (listed.len() >= open).then_some(Ok(())),
                Err(error) => Some(Err(error)),
            }
        });
        all_listed.await.unwrap_or(Ok(()))?;
        self.delete(
            "close a user's connections",
            theirs(),
            &[("X-Reason", reason)],
        )
        .await
    }

    /// The names of all vhosts and users, in no order, some of them twice.
    pub(crate) async fn names(&self) -> Result<Vec<String>, Error> {
        let (mut names, users) = tokio::try_join!(
            self.names_in("list the vhosts", "vhosts"),
            self.names_in("list the users", "users"),
        )?;
        names.extend(users);
        Ok(names)
    }

    /// The names in a list of the API. What is just being deleted is listed without its name by 4.x.
    async fn names_in(&self, doing: &str, list: &str) -> Result<Vec<String>, Error> {
        #[derive(Deserialize)]
        struct Named {
            name: Option<String>,
        }
        let listed: Vec<Named> = self.get(doing, path(&[list])).await?;
        Ok(listed.into_iter().filter_map(|entry| entry.name).collect())
    }

    /// What is declared in a vhost now. Read from the broker's metadata, not from its statistics, so
    /// it is true at once, but for one thing: 4.3.6 (not 3.10.8) still lists an exclusive queue for some milliseconds
    /// after `connection.close-ok`, in 90 of 360 tries.
    pub(crate) async fn topology(&self, vhost: &str) -> Result<Topology, Error> {
        let (queues, exchanges, bindings) = tokio::try_join!(
            self.queues(vhost),
            self.get::<Vec<ListedExchange>>("list the exchanges", path(&["exchanges", vhost])),
            self.get::<Vec<ListedBinding>>("list the bindings", path(&["bindings", vhost])),
        )?;
        let exchanges = exchanges
            .into_iter()
            .filter_map(|exchange| {
                Some(Exchange {
                    name: exchange.name?,
                    kind: exchange.kind,
                    durable: exchange.durable,
                    auto_delete: exchange.auto_delete,
                    arguments: exchange.arguments,
                })
            })
            .filter(|exchange| !exchange.name.is_empty() && !exchange.name.starts_with("amq."))
            .collect();
        let bindings = bindings
            .into_iter()
            // Every queue is bound to the default exchange by its name: that says nothing.
            .filter(|binding| !binding.source.is_empty())
            .map(|binding| Binding {
                source: binding.source,
                destination: binding.destination,
                to_exchange: binding.destination_type == "exchange",
                routing_key: binding.routing_key,
                arguments: binding.arguments,
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
        let listed = self.get::<Vec<ListedQueue>>("list the queues", path(&["queues", vhost]));
        let queues = listed.await?.into_iter().filter_map(|queue| {
            Some(Queue {
                name: queue.name?,
                kind: queue.kind,
                durable: queue.durable,
                exclusive: queue.exclusive,
                auto_delete: queue.auto_delete,
                arguments: queue.arguments,
            })
        });
        let mut queues: Vec<Queue> = queues.collect();
        queues.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(queues)
    }

    async fn make_user(&self, name: &str, password: &str, tags: &str) -> Result<(), Error> {
        let user = json!({ "password_hash": salted(password), "tags": tags });
        self.put("make a user", path(&["users", name]), &user).await
    }

    async fn permit(&self, user: &str, vhost: &str) -> Result<(), Error> {
        let all = json!({ "configure": ".*", "write": ".*", "read": ".*" });
        self.put(
            "give a user permissions",
            path(&["permissions", vhost, user]),
            &all,
        )
        .await
    }

    async fn limit(&self, vhost: &str, kind: &str, value: i64) -> Result<(), Error> {
        let value = json!({ "value": value });
        self.put(
            "limit a vhost",
            path(&["vhost-limits", vhost, kind]),
            &value,
        )
        .await
    }
}

/// A password as RabbitMQ keeps it: a salt of four bytes, and the SHA-256 of the salt and the password.
fn salted(password: &str) -> String {
    let salt: [u8; 4] = rand::random();
    let hash = Sha256::new().chain_update(salt).chain_update(password);
    BASE64.encode(&[&salt[..], &hash.finalize()].concat())
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
    F: Future<Output = Result<T, Refused>>,
{
    let deadline = Instant::now() + PATIENCE;
    let mut tries = 0;
    loop {
        tries += 1;
        let answer = request().await;
        let upset = answer
            .as_ref()
            .is_err_and(|refused| refused.status().is_some_and(|status| status >= 500));
        let left = deadline.saturating_duration_since(Instant::now());
        if !upset || (left.is_zero() && tries >= TRIES) {
            return answer.map_err(|refused| failed(doing, &refused));
        }
        timer::pause(left).await;
    }
}

/// What the API refused, in our words. Requests carry the login in a header, so no reason can show it.
fn failed(doing: &str, refused: &Refused) -> Error {
    let reason = match refused {
        Refused::Status {
            status,
            reason: None,
        } => meaning(status.as_u16()),
        // `whoami` says "Not_Authorized" of a wrong password and of a user without the tag.
        Refused::Status { status, .. } if status.as_u16() == 401 => meaning(401),
        told => told.to_string(),
    };
    Error::Management {
        doing: doing.to_owned(),
        status: refused.status(),
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Asks a request that answers with these statuses in turn; what came of it, and how often it was sent.
    async fn asked(statuses: &[u16]) -> (Result<(), Error>, usize) {
        let sent = Cell::new(0);
        let result = patiently("list the users", || {
            let status = statuses[sent.replace(sent.get() + 1)];
            let status = hyper::StatusCode::from_u16(status).unwrap();
            std::future::ready(match status.is_success() {
                true => Ok(()),
                false => Err(Refused::Status {
                    status,
                    reason: None,
                }),
            })
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
