//! A broker for one check alone.

use std::path::PathBuf;

use crate::StateDir;

/// The states of all brokers of single checks.
pub(crate) fn states(state: &StateDir) -> Vec<StateDir> {
    let Ok(entries) = fs_err::read_dir(state.file("own")) else {
        return Vec::new();
    };
    entries
        .flatten()
        .map(|entry| StateDir::at(entry.path()))
        .collect()
}

/// Removes what is left of such a state.
pub(crate) fn forget(state: &StateDir) {
    let path: PathBuf = state.path().to_owned();
    let _ = fs_err::remove_dir_all(path);
}
