//! Which broker is wanted, and what we may do to get it.

use std::fmt;
use std::str::FromStr;

use crate::{Address, Error, Kind};

/// The broker that is asked for: `--broker` or `WORKBOOK_BROKER`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Choice {
    /// Whatever is there, in the order told at the crate's top.
    #[default]
    Auto,
    /// A container, or nothing.
    Docker,
    /// A `rabbitmq-server` of this machine as a node of our own, or nothing.
    Local,
    /// A broker that somebody else runs.
    Address(Address),
}

impl Choice {
    /// The kinds of broker of ours that will do, the best first. Who names somebody else's gets any.
    pub(crate) fn kinds(&self) -> &'static [Kind] {
        match self {
            Self::Auto | Self::Address(_) => &[Kind::Docker, Kind::Local],
            Self::Docker => &[Kind::Docker],
            Self::Local => &[Kind::Local],
        }
    }
}

impl FromStr for Choice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "auto" | "" => Ok(Self::Auto),
            "docker" => Ok(Self::Docker),
            "local" => Ok(Self::Local),
            url if url.contains("://") => url.parse().map(Self::Address),
            other => Err(Error::Setting {
                name: "the broker",
                value: other.to_owned(),
                reason: "expected auto, docker, local or amqp://user:password@host:port/vhost"
                    .to_owned(),
            }),
        }
    }
}

impl fmt::Display for Choice {
    /// As it is typed, but without the password of an address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Docker => f.write_str("docker"),
            Self::Local => f.write_str("local"),
            Self::Address(address) => address.fmt(f),
        }
    }
}

/// May we install something on this machine?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Consent {
    /// Yes: `--yes` or `WORKBOOK_YES=1`.
    Yes,
    /// Ask, when there is a terminal to ask on; otherwise no.
    Ask,
    /// No.
    #[default]
    No,
}
