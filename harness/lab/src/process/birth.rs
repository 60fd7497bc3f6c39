//! What a process does between its birth and its program.

use std::{io, os::unix::process::CommandExt, process::Command};

#[cfg(target_os = "linux")]
use rustix::process::Signal;

/// Lets a program hear the signals of a terminal, as it does when a person starts it.
///
/// Whoever runs in the background of a shell, or with `nohup`, ignores them, and so does all that it starts: a Ctrl-C that
/// came before the program asked for it would be lost.
#[expect(
    unsafe_code,
    reason = "only code between fork and exec can ask for this"
)]
pub(super) fn hear_signals(command: &mut Command) {
    // SAFETY: the closure runs in the child after fork, where only async-signal-safe calls are allowed, as `signal` is;
    // it installs no handler of ours.
    unsafe {
        command.pre_exec(|| {
            for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT] {
                if libc::signal(signal, libc::SIG_DFL) == libc::SIG_ERR {
                    return Err(io::Error::last_os_error());
                }
            }
            Ok(())
        });
    }
}

/// Asks the kernel to kill the process when the thread that starts it ends.
#[cfg(target_os = "linux")]
#[expect(
    unsafe_code,
    reason = "only code between fork and exec can ask for this"
)]
pub(super) fn die_with_parent(command: &mut Command) {
    let parent = rustix::process::getpid();
    // SAFETY: the closure runs in the child after fork, where only
    // async-signal-safe calls are allowed. Both calls below are plain system
    // calls of rustix; nothing allocates and no lock is taken.
    unsafe {
        command.pre_exec(move || {
            rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
            // The parent may have died between the fork and that call.
            if rustix::process::getppid() == Some(parent) {
                Ok(())
            } else {
                Err(io::Error::from_raw_os_error(
                    rustix::io::Errno::SRCH.raw_os_error(),
                ))
            }
        });
    }
}

/// Elsewhere the process group has to be enough.
#[cfg(not(target_os = "linux"))]
pub(super) fn die_with_parent(_: &mut Command) {}
