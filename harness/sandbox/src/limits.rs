//! How much a program may use.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The limits of one sandbox, held by its first process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Memory of all processes together, in bytes.
    pub memory: u64,
    /// Processor time of all processes together, in seconds.
    pub cpu: u64,
    /// Processes at the same time.
    pub processes: u64,
    /// Threads of all processes together.
    pub threads: u64,
    /// The size of a file, in bytes.
    pub file: u64,
    /// Descriptors of one process.
    pub descriptors: u64,
    /// What the files of the sandbox may hold together, in bytes.
    pub disk: u64,
}

impl Limits {
    /// For a learner's program: far more than any exercise needs.
    pub const PROGRAM: Self = Self {
        memory: 512 << 20,
        cpu: 60,
        processes: 32,
        threads: 256,
        file: 32 << 20,
        descriptors: 1024,
        disk: 32 << 20,
    };

    /// For the compiler: it takes 0.3 GiB and 2 s of processor time for a program of an exercise.
    pub const COMPILER: Self = Self {
        memory: 2 << 30,
        cpu: 30,
        processes: 64,
        threads: 512,
        file: 256 << 20,
        descriptors: 1024,
        disk: 512 << 20,
    };
}

/// A limit that was passed: everything in the sandbox was killed for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tripped {
    /// [`Limits::memory`]
    Memory,
    /// [`Limits::cpu`]
    Cpu,
    /// [`Limits::processes`] or [`Limits::threads`]
    Processes,
}

impl fmt::Display for Tripped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Memory => "memory",
            Self::Cpu => "processor time",
            Self::Processes => "processes",
        })
    }
}
