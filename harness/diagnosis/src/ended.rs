//! How a program ended.

use std::{fmt, io};

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It exited with this code.
    Code(i32),
    /// A signal killed it.
    Signal(i32),
    /// It was killed because it passed a limit.
    OverLimit(Limit),
    /// In its sandbox it could not be started, for this reason of the system (an `errno`).
    Refused(i32),
    /// Its sandbox broke: that says nothing about the program.
    NoSandbox,
}

/// A limit that a program passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// What it may print, in MiB.
    Output(u64),
    /// Its memory, in MiB.
    Memory(u64),
    /// Its processor time, in seconds.
    ProcessorTime(u64),
    /// Its processes, and their threads.
    Processes {
        /// How many processes it may have.
        processes: u64,
        /// How many threads.
        threads: u64,
    },
}

impl Ended {
    /// Whether it exited with code 0.
    pub fn is_success(self) -> bool {
        self == Self::Code(0)
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exited with code {code}"),
            Self::Signal(signal) => write!(f, "was ended by signal {signal}"),
            Self::OverLimit(limit) => write!(f, "was killed: it {limit}"),
            Self::Refused(errno) => {
                let error = io::Error::from_raw_os_error(*errno);
                write!(f, "cannot be started: {error}")
            }
            Self::NoSandbox => write!(f, "was not run: its sandbox broke"),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Output(mib) => write!(f, "printed more than {mib} MiB"),
            Self::Memory(mib) => write!(f, "used more than {mib} MiB of memory"),
            Self::ProcessorTime(seconds) => {
                write!(f, "used more than {seconds} s of processor time")
            }
            Self::Processes { processes, threads } => {
                write!(
                    f,
                    "started more than {processes} processes, or {threads} threads"
                )
            }
        }
    }
}
