//! How a broker is run.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a broker that we found or started is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A container of ours.
    Docker,
    /// A node of ours, from this machine's `rabbitmq-server`.
    Local,
    /// Somebody else's broker, known by its address.
    Address,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Docker => "docker",
            Self::Local => "local",
            Self::Address => "address",
        })
    }
}
