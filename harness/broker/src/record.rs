//! What is written down about a broker that we run.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use url::Url;

use crate::http::Login;
use crate::state::{random_hex, state, write_private};
use crate::{Error, Kind};

/// The name of the administrator that only the state knows. Learners never see it.
const ADMINISTRATOR: &str = "workbook-administrator";

/// One broker of ours. It is written before anything is started, with no address yet, so that
/// whoever comes after a starter that was killed knows what to clean up.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) kind: Kind,
    /// Tells this broker from every other, in a node's or container's name.
    pub(crate) id: String,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) place: Runtime,
    /// Present when the broker was ready once.
    pub(crate) ready: Option<Ready>,
}

/// Where a broker that was ready can be talked to.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Ready {
    pub(crate) amqp: SocketAddr,
    pub(crate) management: Url,
    pub(crate) version: String,
}

/// Where a broker runs and what it leaves behind.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Runtime {
    /// A container, by its name.
    Container(String),
    /// A node of this machine.
    Node(Node),
}

/// A node of this machine: see [`crate::local`].
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Node {
    /// The script that runs it.
    pub(crate) program: PathBuf,
    /// Everything that it writes is in here.
    pub(crate) data: PathBuf,
    pub(crate) ports: Ports,
}

/// A node's four ports, all on the loopback.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Ports {
    pub(crate) amqp: u16,
    pub(crate) management: u16,
    pub(crate) distribution: u16,
    pub(crate) epmd: u16,
}

impl Record {
    pub(crate) fn new(kind: Kind, id: String, place: Runtime) -> Self {
        Self {
            kind,
            id,
            user: ADMINISTRATOR.to_owned(),
            password: random_hex(16),
            place,
            ready: None,
        }
    }

    pub(crate) fn login(&self) -> Login {
        Login {
            user: self.user.clone(),
            password: self.password.clone(),
        }
    }

    /// The record in that file. Nothing there, or something that we do not understand (another
    /// version of the workbook wrote it), is no record: the broker is then found by its marks.
    pub(crate) fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&fs_err::read(path).ok()?).ok()
    }

    pub(crate) fn write(&self, path: &Path) -> Result<(), Error> {
        let json = serde_json::to_vec_pretty(self)
            .map_err(|error| state(path, "cannot be written", error.into()))?;
        write_private(path, &json)
    }

    pub(crate) fn remove(path: &Path) -> Result<(), Error> {
        match fs_err::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(state(path, "cannot be removed", error))
            }
            _ => Ok(()),
        }
    }
}
