//! Finding programs of this machine.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::Options;

/// Where programs are that are not always on the `PATH`: servers (`/usr/sbin` is not on an ordinary
/// user's), the scripts behind a distribution's wrapper, and Homebrew.
const USUAL_PLACES: [&str; 8] = [
    "/usr/sbin",
    "/usr/local/sbin",
    "/usr/lib/rabbitmq/bin",
    "/opt/homebrew/sbin",
    "/opt/homebrew/bin",
    "/opt/homebrew/opt/rabbitmq/sbin",
    "/usr/local/opt/rabbitmq/sbin",
    "/home/linuxbrew/.linuxbrew/sbin",
];

/// The first executable of that name on the `PATH` or in the usual places.
pub(crate) fn find(name: &str, options: &Options) -> Option<PathBuf> {
    let folders: Vec<PathBuf> = match &options.path {
        Some(path) => std::env::split_paths(path).collect(),
        None => std::env::var_os("PATH")
            .map(|path| std::env::split_paths(&path).collect::<Vec<_>>())
            .unwrap_or_default()
            .into_iter()
            .chain(USUAL_PLACES.iter().map(PathBuf::from))
            .collect(),
    };
    folders
        .into_iter()
        .map(|folder| folder.join(name))
        .find(|path| is_executable(path))
}

fn is_executable(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
