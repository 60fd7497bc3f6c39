//! Requests to the management API: HTTP/1.1, JSON both ways, a connection for each.
//!
//! Whoever runs checks asks a broker on this machine a few times for each of them. A connection on the loopback takes
//! 0.1 ms, and one that is kept would need a task of the runtime in which it was opened: a lease may be made in one
//! test's runtime and released in another's.

use std::{fmt, time::Duration};

use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request, StatusCode,
    body::Bytes,
    client::conn::http1,
    header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST},
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpStream, time::timeout};
use url::Url;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one request may take. The slowest is the making of a vhost, 10 ms on an idle machine.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

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

/// What is asked.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) method: Method,
    /// Below the API's own address, with its parts encoded: `vhosts/%2F`.
    pub(crate) path: String,
    pub(crate) body: Option<&'a Value>,
    /// Headers besides the usual ones.
    pub(crate) headers: &'a [(&'static str, &'a str)],
}

impl Asked<'_> {
    /// What is at a path.
    pub(crate) fn get(path: String) -> Self {
        Self {
            method: Method::GET,
            path,
            body: None,
            headers: &[],
        }
    }
}

/// Why there is no good answer. None of them holds the login.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// The API answered with an error.
    #[error("{}", reason.as_deref().unwrap_or("it gave no reason"))]
    Status {
        status: StatusCode,
        /// Its own words, where it said any.
        reason: Option<String>,
    },
    /// It did not answer.
    #[error("{0}")]
    Silent(String),
}

impl Refused {
    /// The status, where there was an answer.
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(status.as_u16()),
            Self::Silent(_) => None,
        }
    }
}

/// Asks the API at `url`. The answer's JSON; `Null` where there is none.
#[tracing::instrument(level = "debug", name = "management", skip_all, fields(method = %asked.method, path = asked.path))]
pub(crate) async fn ask(url: &Url, login: &Login, asked: &Asked<'_>) -> Result<Value, Refused> {
    match timeout(REQUEST_TIMEOUT, answer(url, login, asked)).await {
        Ok(answer) => answer,
        Err(_) => Err(silent(format!(
            "no answer within {} s",
            REQUEST_TIMEOUT.as_secs()
        ))),
    }
}

async fn answer(url: &Url, login: &Login, asked: &Asked<'_>) -> Result<Value, Refused> {
    let broken = |error: hyper::Error| silent(innermost(&error));
    let stream = connect(url).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    let request = request(url, login, asked)?;
    // The connection ends with the answer, and with it the task.
    let driver = tokio::spawn(connection);
    let response = sender.send_request(request).await.map_err(broken)?;
    let status = response.status();
    let body = response.into_body().collect().await.map_err(broken)?;
    driver.abort();
    let json = serde_json::from_slice::<Value>(&body.to_bytes());
    if !status.is_success() {
        let reason = json
            .ok()
            .and_then(|json| Some(json["reason"].as_str()?.to_owned()));
        return Err(Refused::Status { status, reason });
    }
    Ok(json.unwrap_or_default())
}

async fn connect(url: &Url) -> Result<TcpStream, Refused> {
    // An address of the sixth version stands in brackets in a URL, and in none elsewhere.
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = url.port_or_known_default().unwrap_or(80);
    match timeout(CONNECT_TIMEOUT, TcpStream::connect((host, port))).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(silent(error.to_string())),
        Err(_) => Err(silent(format!(
            "no connection within {} s",
            CONNECT_TIMEOUT.as_secs()
        ))),
    }
}

fn request(url: &Url, login: &Login, asked: &Asked<'_>) -> Result<Request<Full<Bytes>>, Refused> {
    let unsendable = |error: hyper::http::Error| silent(error.to_string());
    let path = format!("{}/api/{}", url.path().trim_end_matches('/'), asked.path);
    let host = url.authority().rsplit('@').next().unwrap_or_default();
    let mut request = Request::builder()
        .method(asked.method.clone())
        .uri(path)
        .header(HOST, host)
        .header(CONNECTION, "close")
        .header(AUTHORIZATION, basic(login));
    for (name, value) in asked.headers {
        request = request.header(*name, *value);
    }
    let Some(body) = asked.body else {
        return request.body(Full::default()).map_err(unsendable);
    };
    request
        .header(CONTENT_TYPE, "application/json")
        .body(Full::from(body.to_string()))
        .map_err(unsendable)
}

/// The login as HTTP carries it (RFC 7617).
fn basic(login: &Login) -> String {
    let plain = format!("{}:{}", login.user, login.password);
    format!("Basic {}", data_encoding::BASE64.encode(plain.as_bytes()))
}

fn silent(why: String) -> Refused {
    Refused::Silent(why)
}

/// The cause of the cause: hyper says "connection error" and means "connection reset".
fn innermost(error: &hyper::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
