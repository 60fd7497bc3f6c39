//! What the harness tells of itself, to whoever asks for it.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test stops at what it did not expect"
)]

use std::{
    fs,
    process::{Command, Output},
};

use data_encoding::BASE64;
use serde_json::Value;
use workbook_broker::StateDir;

/// Runs two checks, one of which fails, as JSON.
fn check(log: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_workbook-full"));
    command
        .args([
            "check",
            "hello-world",
            "--solution",
            "--json",
            "--seed",
            "1",
        ])
        .args(["--program", "send=true"])
        .args(["--only", "send_says_so_and_exits"])
        .args(["--only", "receive_ends_on_ctrl_c"])
        .env_remove("WORKBOOK_LOG")
        .envs(log.map(|value| ("WORKBOOK_LOG", value)));
    command.output().expect("it can be started")
}

#[test]
fn what_it_does_is_told_on_standard_error_when_asked_and_in_no_report() {
    let quiet = check(None);
    let silent = String::from_utf8(quiet.stderr).unwrap();
    assert!(!silent.contains("DEBUG"), "{silent}");

    let asked = check(Some("debug"));
    let told = String::from_utf8(asked.stderr).unwrap();
    for words in [
        "find_or_start",
        "lease",
        "check{name=\"send_says_so_and_exits\"}",
        "labs{exercise=\"hello-world\"",
        "waits until: `receive`",
    ] {
        assert!(told.contains(words), "{words}:\n{told}");
    }
    let reports = String::from_utf8(asked.stdout).unwrap();
    assert_eq!(reports.lines().count(), 4, "{reports}");
    assert!(!reports.contains("DEBUG"), "{reports}");

    let lab = check(Some("workbook_lab=debug"));
    let told = String::from_utf8(lab.stderr).unwrap();
    assert!(told.contains("waits until"), "{told}");
    assert!(!told.contains("find_or_start"), "{told}");
}

/// What is asked of the broker's management API is told, and neither with which login nor with which body.
#[test]
fn no_password_is_told() {
    let asked = check(Some("debug"));
    let told = String::from_utf8(asked.stderr).unwrap();
    assert!(told.contains("management{method=PUT"), "{told}");
    let state = StateDir::from_env().expect("a folder");
    let records = ["docker", "local"].map(|kind| state.path().join(format!("{kind}.json")));
    let records = records.iter().filter_map(|path| fs::read(path).ok());
    let records: Vec<Value> = records
        .map(|json| serde_json::from_slice(&json).unwrap())
        .collect();
    assert!(!records.is_empty(), "the broker is one of ours");
    for record in records {
        let password = record["password"].as_str().unwrap();
        let login = format!("{}:{password}", record["user"].as_str().unwrap());
        let login = BASE64.encode(login.as_bytes());
        for secret in [password, &login] {
            assert!(!told.contains(secret), "a password is told");
        }
    }
    // Those of leases are known to nobody else, so it is what goes before them that must not be there.
    for word in ["password", "amqp://", "WORKBOOK_REQUEST"] {
        assert!(!told.contains(word), "{word}:\n{told}");
    }
}
