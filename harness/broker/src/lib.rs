//! A real RabbitMQ to talk to: found, started or installed, and leased a vhost at a time.
//!
//! ```no_run
//! # async fn example() -> Result<(), workbook_broker::Error> {
//! use workbook_broker::{Broker, Options};
//!
//! let broker = Broker::find_or_start(&Options::from_env()?).await?;
//! let lease = broker.lease().await?;
//! println!("a vhost of our own: {} at {}", lease.vhost(), lease.amqp_address());
//! lease.release().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # The order
//!
//! [`Broker::find_or_start`] with [`Choice::Auto`] takes the first of these that can be had; a choice
//! of one kind takes that kind or fails.
//!
//! 1. the address that was given ([`Choice::Address`]);
//! 2. a broker of ours that runs already, when it makes an AMQP handshake and knows our login;
//! 3. a container, when the Docker daemon answers and [`IMAGE`] is present or can be pulled;
//! 4. a node of our own from this machine's `rabbitmq-server`;
//! 5. the same after the system's package manager installed it, with [`Consent`];
//! 6. [`Error::NoBroker`], with the cures.
//!
//! A broker of ours outlives the process that started it, until [`Broker::down`]. There is one for each
//! user of a machine and kind, known by the files in the [`StateDir`]. Only its state knows its
//! administrator; `guest` with the password `guest` is there for work by hand and may use the vhost `/`
//! only.
//!
//! # Map
//!
//! | file | what it holds |
//! | --- | --- |
//! | `options`, `choice`, `address`, `kind` | what a caller may ask for |
//! | `broker`, `down` | the order above, starting once, replacing what died; stopping everything |
//! | `state`, `record` | the folder in which brokers are written down, and its locks |
//! | `start`, `probe`, `ports`, `timer` | waiting until a broker is ready; the only clock |
//! | `local` | a node of this machine: its settings, its processes, its epmd |
//! | `docker`, [`engine`] | a container; Docker, asked through a program of its own |
//! | `install`, `programs`, `command` | package managers; finding and running programs |
//! | `lease`, `claim` | a vhost and a user; sweeping what dead processes left |
//! | `management`, `http`, `topology` | the management API, and what it tells of a vhost |
//! | `own` | a broker for one check alone |
//! | `image` | making [`IMAGE`] where there is no registry |

#![forbid(unsafe_code)]

mod address;
mod broker;
mod choice;
mod claim;
mod command;
mod docker;
mod down;
pub mod engine;
mod error;
mod http;
pub mod image;
mod install;
mod kind;
mod lease;
mod local;
mod management;
mod options;
mod own;
mod ports;
mod probe;
mod programs;
mod record;
mod start;
mod state;
mod timer;
mod topology;

pub use address::{Address, MANAGEMENT_VARIABLE};
pub use broker::{Broker, Stopped};
pub use choice::{Choice, Consent};
pub use error::{Attempt, CURES, Error};
pub use install::install_package;
pub use kind::Kind;
pub use lease::{Lease, Lent};
pub use options::{
    BROKER_VARIABLE, DATA_VARIABLE, Options, PATH_VARIABLE, START_TIMEOUT_VARIABLE, YES_VARIABLE,
};
pub use own::OwnBroker;
pub use state::{STATE_VARIABLE, StateDir};
pub use topology::{Binding, Exchange, Queue, Topology};

/// The one image that is run in Docker, official or made by [`image::build`].
pub const IMAGE: &str = "rabbitmq:management";
