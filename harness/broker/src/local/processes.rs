//! The processes of our nodes: how they are told from all others, and how they end.
//!
//! A node is started with three flags of our own, which Erlang ignores and everybody can read in the
//! list of processes. They say which state folder and which node it belongs to and what it leaves
//! behind, so a node is found and cleaned up even when whoever started it was killed before it could
//! write anything down, and no number of a process is ever trusted that might by now be another's.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::timer;

/// Followed by the state's id and the node's id.
pub(crate) const NODE_FLAG: &str = "-workbook_node";
/// Followed by the port of the node's own epmd.
pub(crate) const EPMD_FLAG: &str = "-workbook_epmd";
/// Followed by the folder with the node's data.
pub(crate) const DATA_FLAG: &str = "-workbook_data";

/// A broker that is told to stop closes its connections and writes its queues: 1 to 3 s.
const CLEAN_STOP: Duration = Duration::from_secs(10);
/// After SIGKILL only the kernel has work to do.
const HARD_STOP: Duration = Duration::from_secs(5);

/// A process of a node of ours, as its command line tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NodeProcess {
    pub(crate) pid: Pid,
    pub(crate) state: String,
    pub(crate) node: String,
    pub(crate) epmd: Option<u16>,
    pub(crate) data: Option<PathBuf>,
}

/// All processes of all nodes that belong to a state folder.
pub(crate) fn of_state(state: &str) -> Vec<NodeProcess> {
    let mut found = command_lines();
    found.retain(|process| process.state == state);
    found
}

/// Ends the processes of a node: politely, then not. What they started goes with them.
/// False when some are still there.
pub(crate) async fn stop(state: &str, node: &str) -> bool {
    let ours = || -> Vec<Pid> {
        of_state(state)
            .into_iter()
            .filter(|process| process.node == node)
            .map(|process| process.pid)
            .collect()
    };
    let first = ours();
    // A node leads a session of its own, in which its helpers (ports, the disk monitor) live as well.
    let sessions: BTreeSet<i32> = first.iter().filter_map(|pid| session_of(*pid)).collect();
    let left = || -> Vec<Pid> {
        let mut left = ours();
        left.extend(members(&sessions));
        left
    };
    for pid in &first {
        // Gone already is as good.
        let _ = kill_process(*pid, Signal::TERM);
    }
    // Only the node itself is asked politely: its helpers end when it does, or are made to.
    let _ = timer::until(Instant::now() + CLEAN_STOP, || {
        std::future::ready(ours().is_empty().then_some(()))
    })
    .await;
    for pid in left() {
        let _ = kill_process(pid, Signal::KILL);
    }
    let gone = timer::until(Instant::now() + HARD_STOP, || {
        std::future::ready(left().is_empty().then_some(()))
    });
    gone.await.is_some()
}

fn marked(pid: i32, arguments: &[&str]) -> Option<NodeProcess> {
    let after = |flag: &str| {
        let at = arguments.iter().position(|argument| *argument == flag)?;
        arguments.get(at + 1..)
    };
    let [state, node, ..] = after(NODE_FLAG)? else {
        return None;
    };
    Some(NodeProcess {
        pid: Pid::from_raw(pid)?,
        state: (*state).to_owned(),
        node: (*node).to_owned(),
        epmd: after(EPMD_FLAG).and_then(|rest| rest.first()?.parse().ok()),
        data: after(DATA_FLAG).and_then(|rest| rest.first().map(PathBuf::from)),
    })
}

#[cfg(target_os = "linux")]
fn command_lines() -> Vec<NodeProcess> {
    pids()
        .filter_map(|pid| {
            // A zombie's command line is empty: it counts as gone.
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
            let line = String::from_utf8_lossy(&line);
            marked(pid, &line.split('\0').collect::<Vec<_>>())
        })
        .collect()
}

#[cfg(target_os = "linux")]
fn pids() -> impl Iterator<Item = i32> {
    std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// The session of a process that is not a zombie: fields 3 and 6 of its `stat`, counted after the
/// name in parentheses, which may hold anything.
#[cfg(target_os = "linux")]
fn session_of(pid: Pid) -> Option<i32> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = fields.next()?;
    let session = fields.nth(2)?.parse().ok()?;
    (state != "Z").then_some(session)
}

#[cfg(target_os = "linux")]
fn members(sessions: &BTreeSet<i32>) -> Vec<Pid> {
    // Were a node to share our session, which cannot be, we would not end ourselves.
    let own = session_of(rustix::process::getpid());
    pids()
        .filter_map(Pid::from_raw)
        .filter(|pid| {
            session_of(*pid)
                .is_some_and(|session| sessions.contains(&session) && Some(session) != own)
        })
        .collect()
}

/// Where there is no `/proc`, `ps` knows the same. Our flags and folders have no spaces that matter:
/// the data folder stands last.
#[cfg(not(target_os = "linux"))]
fn command_lines() -> Vec<NodeProcess> {
    let Ok(output) = std::process::Command::new("ps")
        .args(["-axww", "-o", "pid=,args="])
        .output()
    else {
        return Vec::new();
    };
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| {
            let words: Vec<&str> = line.split_ascii_whitespace().collect();
            marked(words.first()?.parse().ok()?, &words)
        })
        .collect()
}

#[cfg(not(target_os = "linux"))]
fn session_of(_: Pid) -> Option<i32> {
    None
}

#[cfg(not(target_os = "linux"))]
fn members(_: &BTreeSet<i32>) -> Vec<Pid> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_known_by_its_flags() {
        let line = [
            "beam.smp", "-sname", "x", NODE_FLAG, "501", "ab12", EPMD_FLAG, "4999", DATA_FLAG,
            "/d d",
        ];
        let process = marked(7, &line).unwrap();
        assert_eq!(
            (process.state.as_str(), process.node.as_str()),
            ("501", "ab12")
        );
        assert_eq!(
            (process.epmd, process.data),
            (Some(4999), Some(PathBuf::from("/d d")))
        );
    }

    #[test]
    fn a_shell_that_mentions_the_flag_is_no_node() {
        assert_eq!(
            marked(7, &["sh", "-c", "grep -- '-workbook_node 501 ab12'"]),
            None
        );
        assert_eq!(marked(7, &["beam.smp", NODE_FLAG, "501"]), None);
    }
}
