//! What both sides of the control say to each other: JSON, a line each; signals are single bytes, and a byte carries each
//! handful of descriptors.
//!
//! Nothing is said on the first process's command line or in its environment: everybody inside can read the one, and
//! whoever sees the other sees what others have been given.

use std::{
    collections::BTreeMap,
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::PathBuf,
};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use serde::{Deserialize, Serialize};

use crate::limits::{Limits, Tripped};

/// Where the control is inside, as the folder that is bound there holds it.
pub const CONTROL_FOLDER: &str = "/run/workbook";
/// The name of the control's socket in its folder.
pub const CONTROL_NAME: &str = "control";
/// Where the entry is inside.
pub const ENTRY: &str = "/run/workbook-entry";

/// The first line from outside, after a byte with the program's terminal, if it gets one. The answer is a byte with the
/// sockets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// What all processes of the sandbox may use.
    pub limits: Limits,
    /// Nobody else runs as the user of this sandbox.
    pub own_uid: bool,
    /// Where to listen: ports of 127.0.0.1.
    pub ports: Vec<u16>,
}

/// The second line from outside: what to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Go {
    /// The executable and its arguments.
    pub argv: Vec<String>,
    /// The whole environment.
    pub environment: BTreeMap<String, String>,
    /// The working directory, as it is called inside.
    pub directory: PathBuf,
}

/// The one line from inside: how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Over {
    /// The program exited.
    Code(i32),
    /// A signal ended it.
    Signal(i32),
    /// It passed a limit and was killed.
    Tripped(Tripped),
    /// It could not be started, for this reason of the system (an `errno`).
    Refused(i32),
}

/// A byte from outside: send the program SIGINT.
pub const INTERRUPT: u8 = b'I';
/// A byte from outside: send the program SIGSTOP.
pub const STOP: u8 = b'S';
/// A byte from outside: send the program SIGCONT.
pub const CONTINUE: u8 = b'C';

/// Gives descriptors to the other side, with a byte that carries them.
pub(crate) fn hand_over(to: impl AsFd, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
    let mut buffer = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !buffer.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(io::Error::other("too many descriptors"));
    }
    sendmsg(
        to,
        &[io::IoSlice::new(b"D")],
        &mut buffer,
        SendFlags::empty(),
    )?;
    Ok(())
}

/// Takes the descriptors that the other side gives, and the byte that carries them.
pub(crate) fn take_over(from: impl AsFd) -> io::Result<Vec<OwnedFd>> {
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
    let mut buffer = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let got = recvmsg(
        from,
        &mut [io::IoSliceMut::new(&mut byte)],
        &mut buffer,
        RecvFlags::CMSG_CLOEXEC,
    )?;
    if got.bytes == 0 || got.flags.contains(ReturnFlags::CTRUNC) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let rights = buffer.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(rights) => Some(rights),
        _ => None,
    });
    Ok(rights.flatten().collect())
}
