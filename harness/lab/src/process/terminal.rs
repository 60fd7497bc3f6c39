//! A pseudo-terminal for what a program prints.
//!
//! The run times of C, Perl, Ruby and others hold back what they print to a pipe until some thousand bytes are together,
//! or the program ends: nobody seems to read along. To a terminal they print each line at once.

use std::{io, os::fd::OwnedFd};

use rustix::{
    pty::{OpenptFlags, grantpt, openpt, unlockpt},
    termios::{OptionalActions, Winsize, tcgetattr, tcsetattr, tcsetwinsize},
};

/// So wide that no program breaks a line, and not wider than a signed short tells.
const COLUMNS: u16 = i16::MAX as u16;
/// As many lines as terminals usually have.
const ROWS: u16 = 24;

/// Both ends of a terminal.
#[derive(Debug)]
pub(crate) struct Terminal {
    /// Ours, to read from.
    pub(super) ours: OwnedFd,
    /// The program's, to print to.
    pub(super) theirs: OwnedFd,
}

impl Terminal {
    /// A terminal that changes no byte: no carriage returns, no echo, no signals for single bytes.
    ///
    /// It is nobody's controlling terminal, so it sends no signals at its end either.
    pub(crate) fn open() -> io::Result<Self> {
        let ours = our_end()?;
        grantpt(&ours)?;
        unlockpt(&ours)?;
        let theirs = other_end(&ours)?;
        let mut modes = tcgetattr(&theirs)?;
        modes.make_raw();
        tcsetattr(&theirs, OptionalActions::Now, &modes)?;
        tcsetwinsize(
            &theirs,
            Winsize {
                ws_row: ROWS,
                ws_col: COLUMNS,
                ws_xpixel: 0,
                ws_ypixel: 0,
            },
        )?;
        Ok(Self { ours, theirs })
    }
}

#[cfg(target_os = "linux")]
const FLAGS: OpenptFlags = OpenptFlags::RDWR
    .union(OpenptFlags::NOCTTY)
    .union(OpenptFlags::CLOEXEC);

#[cfg(target_os = "linux")]
fn our_end() -> io::Result<OwnedFd> {
    Ok(openpt(FLAGS)?)
}

/// Without its name: in a container, `/dev/pts` may be another than that of `/dev/ptmx`.
#[cfg(target_os = "linux")]
fn other_end(ours: &OwnedFd) -> io::Result<OwnedFd> {
    Ok(rustix::pty::ioctl_tiocgptpeer(ours, FLAGS)?)
}

#[cfg(not(target_os = "linux"))]
fn our_end() -> io::Result<OwnedFd> {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    // The programs that are started must not have it.
    rustix::io::fcntl_setfd(&ours, rustix::io::FdFlags::CLOEXEC)?;
    Ok(ours)
}

#[cfg(not(target_os = "linux"))]
fn other_end(ours: &OwnedFd) -> io::Result<OwnedFd> {
    use rustix::fs::{Mode, OFlags, open};
    let name = rustix::pty::ptsname(ours, Vec::new())?;
    let how = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    Ok(open(name, how, Mode::empty())?)
}
