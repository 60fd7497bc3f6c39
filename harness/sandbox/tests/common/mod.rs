//! A sandbox, and a script that runs in it.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use workbook_sandbox::{
    Kind, Limits, Room,
    run::{Outcome, run},
    wire::Go,
};

/// Sandboxes of bubblewrap, with all that they need in a folder that every uid can go through.
fn room(folder: &Path, limits: Limits) -> Room {
    let entry = folder.join("sandbox-entry");
    fs::copy(env!("CARGO_BIN_EXE_sandbox-entry"), &entry).expect("it is built");
    for path in [folder, &entry] {
        let everybody = fs::Permissions::from_mode(0o755);
        fs::set_permissions(path, everybody).expect("it is ours");
    }
    Room {
        kind: Kind::Bwrap,
        tool: PathBuf::from("bwrap"),
        no_inner_users: false,
        entry,
        folder: folder.to_owned(),
        etc: PathBuf::from("/etc"),
        binds: Vec::new(),
        // As whoever is root does it: beyond the uids of users and of containers.
        first_uid: rustix::process::geteuid().is_root().then_some(0x7000_0000),
        limits,
        environment: BTreeMap::new(),
        directory: PathBuf::from("/"),
    }
}

/// Runs a script to its end.
pub(crate) async fn script(limits: Limits, script: &str) -> Outcome {
    let folder = tempfile::tempdir().expect("a folder");
    let room = room(folder.path(), limits);
    let go = Go {
        argv: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
        environment: BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]),
        directory: PathBuf::from("/"),
    };
    let outcome = run(&room, &go, Duration::from_mins(1), 1 << 16).await;
    outcome.expect("bubblewrap is installed: apt-get install bubblewrap")
}
