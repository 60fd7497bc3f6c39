//! A room for a program that nobody trusts.
//!
//! Outside is whoever starts the program (a lab, or the grader that compiles); inside
//! is `sandbox-entry`, the first process of the sandbox, and the program, its child.
//! Both sides talk over a Unix socket, the *control*. Inside there is no network but a
//! loopback interface of its own. The entry listens on it where the program expects its
//! broker, and hands the listening sockets out: a tap accepts from them as from any
//! other, so that nothing stands between the program and its tap.
//!
//! Whatever happens, the end of the first process is the end of everything inside: the
//! kernel kills what is left in its process namespace before it lets go of it.
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`limits`] | how much a program may use |
//! | [`wire`] | what both sides of the control say to each other |
//! | [`room`] | the command that makes a sandbox: bubblewrap or Docker |
//! | [`outside`] | starting a program in a sandbox, its signals and its end |
//! | [`mod@run`] | running a command in a sandbox to its end |
//! | [`inside`] | the first process of a sandbox |
//! | [`hand_nothing_on`] | descriptors that a process does not hand on |

mod descriptors;
#[cfg(target_os = "linux")]
pub mod inside;
pub mod limits;
pub mod outside;
pub mod room;
pub mod run;
pub mod wire;

pub use descriptors::hand_nothing_on;
pub use limits::{Limits, Tripped};
pub use outside::{Control, Ready, Sandbox, SandboxError};
pub use room::{Bind, Kind, Room};

/// Elsewhere there is no first process to be.
#[cfg(not(target_os = "linux"))]
pub mod inside {
    /// Says that this system has no such sandbox.
    pub fn main() -> std::process::ExitCode {
        std::process::ExitCode::from(125)
    }
}
