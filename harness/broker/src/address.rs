//! The address of somebody else's broker.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use url::Url;

use crate::Error;

/// The variable that says where a broker's management API is, when it is not at port 15672 of the
/// broker's own host.
pub const MANAGEMENT_VARIABLE: &str = "WORKBOOK_MANAGEMENT";

/// An AMQP address, `amqp://user:password@host:port/vhost`, as the AMQP URI specification has it.
///
/// Every part but the host may be left out: the login is `guest`/`guest`, the port 5672. The vhost
/// is read and kept, but nothing of ours happens in it: each lease brings its own. Neither `Display`
/// nor `Debug` shows the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    host: String,
    port: u16,
    user: String,
    password: String,
    vhost: String,
    management: Url,
    /// Whether the management address was given, and not derived.
    is_management_given: bool,
}

impl Address {
    /// The host's name or IP address. An IPv6 address has no brackets here.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The AMQP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The user; it needs the tag `administrator`, because a lease makes vhosts and users.
    pub fn user(&self) -> &str {
        &self.user
    }

    pub(crate) fn password(&self) -> &str {
        &self.password
    }

    /// The vhost that the address names, `/` when it names none.
    pub fn vhost(&self) -> &str {
        &self.vhost
    }

    /// Where the management API is: derived (`http://host:15672`) or given.
    pub fn management_url(&self) -> &Url {
        &self.management
    }

    /// The same broker with its management API elsewhere.
    #[must_use]
    pub fn with_management_url(mut self, management: Url) -> Self {
        self.management = management;
        self.is_management_given = true;
        self
    }

    /// The same address with what [`MANAGEMENT_VARIABLE`] says, when that says something and nothing was
    /// given already. [`crate::Broker::find_or_start`] asks for it.
    pub fn with_environment(self) -> Result<Self, Error> {
        let text = std::env::var(MANAGEMENT_VARIABLE).unwrap_or_default();
        if self.is_management_given || text.is_empty() {
            return Ok(self);
        }
        let url = Url::parse(&text)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"));
        match url {
            Some(url) => Ok(self.with_management_url(url)),
            None => Err(Error::Setting {
                name: MANAGEMENT_VARIABLE,
                value: without_password(&text),
                reason: "expected http://host:port".to_owned(),
            }),
        }
    }

    /// `host:port`, with brackets around an IPv6 address.
    pub fn host_and_port(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The socket address behind the name; an IPv4 one when there is a choice.
    pub(crate) async fn resolve(&self) -> Result<SocketAddr, Error> {
        let unreachable = |reason: String| Error::Unreachable {
            address: self.host_and_port(),
            reason,
        };
        let found: Vec<SocketAddr> = tokio::net::lookup_host((self.host.as_str(), self.port))
            .await
            .map_err(|error| unreachable(error.to_string()))?
            .collect();
        found
            .iter()
            .find(|address| address.is_ipv4())
            .or(found.first())
            .copied()
            .ok_or_else(|| unreachable("the host's name has no address".to_owned()))
    }
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = |reason: &str| Error::Setting {
            name: "the broker's address",
            value: without_password(text),
            reason: reason.to_owned(),
        };
        let url = Url::parse(text).map_err(|error| bad(&error.to_string()))?;
        match url.scheme() {
            "amqp" => {}
            "amqps" => return Err(bad("TLS is not supported: use amqp://")),
            _ => return Err(bad("expected amqp://user:password@host:port/vhost")),
        }
        let host = url
            .host_str()
            .filter(|host| !host.is_empty())
            .ok_or_else(|| bad("the host is missing"))?
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let decode = |part: &str| {
            percent_decode_str(part)
                .decode_utf8()
                .map(std::borrow::Cow::into_owned)
                .map_err(|_| bad("a percent-encoded part is not UTF-8"))
        };
        let user = match url.username() {
            "" => "guest".to_owned(),
            user => decode(user)?,
        };
        let password = url
            .password()
            .map_or_else(|| Ok("guest".to_owned()), decode)?;
        // `amqp://host` and, as people mean it, `amqp://host/` are the vhost `/`.
        let vhost = match url.path().trim_start_matches('/') {
            "" => "/".to_owned(),
            path if path.contains('/') => return Err(bad("a `/` in a vhost is written %2f")),
            path => decode(path)?,
        };
        let host_in_url = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.clone()
        };
        let management = Url::parse(&format!("http://{host_in_url}:15672"))
            .map_err(|error| bad(&error.to_string()))?;
        Ok(Self {
            host,
            port: url.port().unwrap_or(5672),
            user,
            password,
            vhost,
            management,
            is_management_given: false,
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "amqp://{}", self.host_and_port())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("user", &self.user)
            .field("vhost", &self.vhost)
            .field("management", &self.management.as_str())
            .finish_non_exhaustive()
    }
}

/// The text with whatever stands between the last `:` and `@` of its login replaced, whether or not
/// it is a URL: error messages quote what was typed.
fn without_password(text: &str) -> String {
    let Some(at) = text.rfind('@') else {
        return text.to_owned();
    };
    let start = text.find("://").map_or(0, |scheme| scheme + 3);
    match text.get(start..at).and_then(|login| login.find(':')) {
        Some(colon) => format!("{}:***{}", &text[..start + colon], &text[at..]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Address {
        text.parse().unwrap()
    }

    #[test]
    fn a_full_address_keeps_all_its_parts() {
        let address = parse("amqp://me:p%40ss@broker.example:5673/my%2fvhost");
        assert_eq!(address.host(), "broker.example");
        assert_eq!(address.port(), 5673);
        assert_eq!(address.user(), "me");
        assert_eq!(address.password(), "p@ss");
        assert_eq!(address.vhost(), "my/vhost");
        assert_eq!(
            address.management_url().as_str(),
            "http://broker.example:15672/"
        );
    }

    #[test]
    fn missing_parts_are_the_usual_ones() {
        for text in [
            "amqp://localhost",
            "amqp://localhost/",
            "amqp://localhost:5672/%2f",
        ] {
            let address = parse(text);
            assert_eq!(address.user(), "guest", "{text}");
            assert_eq!(address.password(), "guest", "{text}");
            assert_eq!(address.port(), 5672, "{text}");
            assert_eq!(address.vhost(), "/", "{text}");
        }
    }

    #[test]
    fn an_ipv6_host_is_understood() {
        let address = parse("amqp://[::1]:5673");
        assert_eq!(address.host(), "::1");
        assert_eq!(address.host_and_port(), "[::1]:5673");
        assert_eq!(address.management_url().as_str(), "http://[::1]:15672/");
    }

    #[test]
    fn what_is_no_address_is_refused_without_showing_its_password() {
        for text in [
            "http://me:hush@host",
            "amqps://me:hush@host",
            "amqp://me:hush@",
            "amqp://me:hush@host:port",
            "amqp://me:hu:sh@host/a/b",
            "amqp://me:hu@sh@host:99999",
        ] {
            let error = text.parse::<Address>().unwrap_err();
            let said = format!("{error} {error:?}");
            assert!(!said.contains("hush") && !said.contains("sh@"), "{said}");
            assert!(!error.is_no_broker(), "{said}");
        }
    }

    #[test]
    fn neither_display_nor_debug_shows_the_password() {
        let address = parse("amqp://me:hush@host/v");
        assert_eq!(address.to_string(), "amqp://host:5672");
        assert!(!format!("{address:?}").contains("hush"));
    }
}
