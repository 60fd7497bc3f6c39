//! What a program prints, read as it comes.

use std::{
    io,
    os::fd::OwnedFd,
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use tokio::io::{Interest, unix::AsyncFd};

use super::OUTPUT_LIMIT;
use crate::wait::Bell;

/// One of a program's two output streams, as far as it was read.
#[derive(Debug, Default)]
pub(crate) struct Stream(Mutex<Output>);

#[derive(Debug, Default)]
struct Output {
    bytes: Vec<u8>,
    /// When the bytes up to this place had been read.
    read: Vec<(usize, SystemTime)>,
}

impl Stream {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.output().bytes).into_owned()
    }

    /// The lines so far, each with the time at which its end was read.
    pub(crate) fn lines(&self) -> Vec<(SystemTime, String)> {
        let output = self.output();
        let mut lines = Vec::new();
        let mut end = 0;
        for line in output.bytes.split_inclusive(|byte| *byte == b'\n') {
            end += line.len();
            let read = output.read.partition_point(|(place, _)| *place < end);
            if let Some((_, time)) = output.read.get(read) {
                lines.push((*time, String::from_utf8_lossy(line).trim_end().to_owned()));
            }
        }
        lines
    }

    /// The bytes so far.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.output().bytes.clone()
    }

    /// Adds what was read; `false` when the limit is reached.
    fn push(&self, bytes: &[u8]) -> bool {
        let mut output = self.output();
        let room = OUTPUT_LIMIT.saturating_sub(output.bytes.len());
        output
            .bytes
            .extend_from_slice(&bytes[..bytes.len().min(room)]);
        let place = output.bytes.len();
        output.read.push((place, SystemTime::now()));
        bytes.len() <= room
    }

    fn output(&self) -> MutexGuard<'_, Output> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a stream is read: the end of a pipe, or a terminal's other side.
pub(super) type Source = AsyncFd<OwnedFd>;

/// Makes a descriptor one to read from without waiting.
///
/// It is not read as a pipe of the runtime's: of a pipe, a short read tells that it is empty, and a terminal gives no more
/// than 4 KiB at a time.
#[expect(
    unsafe_code,
    reason = "the runtime has no other way for descriptors of any kind"
)]
pub(super) fn source(descriptor: OwnedFd) -> io::Result<Source> {
    rustix::io::ioctl_fionbio(&descriptor, true)?;
    // SAFETY: an `OwnedFd` is one and the same open descriptor for as long as it lives, and it lives in there.
    Ok(unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) }?)
}

/// Copies what comes; returns only when the limit is reached.
pub(super) async fn copy(from: &Source, to: &Stream, bell: &Bell) {
    loop {
        let Ok(mut readable) = from.readable().await else {
            return std::future::pending().await;
        };
        let mut buffer = [0; 16 << 10];
        let read = readable.try_io(|from| Ok(rustix::io::read(from, &mut buffer)?));
        match read {
            // A closed stream tells nothing about the process: its end does.
            Ok(Ok(0)) => std::future::pending().await,
            Ok(Ok(length)) => {
                let within_limit = to.push(&buffer[..length]);
                bell.ring();
                if !within_limit {
                    return;
                }
            }
            Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(Err(_)) => std::future::pending().await,
            // There was nothing.
            Err(_) => {}
        }
    }
}

/// Reads what is there now; `false` when the limit is reached.
///
/// It asks the kernel and not the runtime, which may not know yet that there is something. Linux hands on all that was
/// written to a terminal before it says that there is nothing to read.
pub(super) fn drain(from: &Source, to: &Stream) -> bool {
    let mut buffer = [0; 16 << 10];
    loop {
        match rustix::io::read(from, &mut buffer) {
            Ok(length) if length > 0 => {
                if !to.push(&buffer[..length]) {
                    return false;
                }
            }
            Err(rustix::io::Errno::INTR) => {}
            _ => return true,
        }
    }
}
