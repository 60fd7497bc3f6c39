//! Descriptors that a process does not hand on.

use std::{os::unix::process::CommandExt as _, process::Command};

/// Keeps from a process every descriptor but its standard streams: a shell, or whatever runs the harness, may have had
/// files and pipes open that are nobody's business.
///
/// In the child there is no other thread that could open one at this very moment.
#[expect(
    unsafe_code,
    reason = "only code between fork and exec can ask for this"
)]
pub fn hand_nothing_on(command: &mut Command) {
    // SAFETY: the closure runs in the child after fork, where only async-signal-safe calls are allowed: it makes system
    // calls and nothing else. It closes no descriptor, as one of them tells our side whether exec worked; it has exec
    // close them.
    unsafe {
        command.pre_exec(|| {
            close_fds::set_fds_cloexec(3, &[]);
            Ok(())
        });
    }
}
