//! What the command line says to who types something else than it takes, before anything is built or run; and hints.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test stops at what it did not expect"
)]

use std::{path::Path, process::Command};

/// A command's exit code, and all that it says. What it keeps is in `state`.
fn typed(state: &Path, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_workbook"))
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
        .env("CARGO_TARGET_DIR", state)
        .env_remove("WORKBOOK_BROKER")
        .env("WORKBOOK_LANG", "en")
        .args(arguments)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    // Building would have been told.
    assert!(!text.contains("building"), "{text}");
    (output.status.code().expect("it exits"), text)
}

/// What is wrong is told at once, with what may be meant, in both languages.
#[test]
fn a_slip_is_told_before_anything_is_built() {
    let state = tempfile::tempdir().unwrap();
    let cases: &[(&[&str], i32, &str)] = &[
        (&["check", "helo-world"], 2, "did you mean `hello-world`?"),
        (&["check", "0"], 2, "there are: hello-world"),
        (&["check", "99"], 2, "there are: hello-world"),
        (
            &["check", "1", "--only", "send_leaves_one_mesage"],
            2,
            "did you mean `send_leaves_one_message`?",
        ),
        (
            &["tape", "1", "--check", "send_leaves_one_mesage"],
            2,
            "did you mean `send_leaves_one_message`?",
        ),
        (
            &["check", "1", "--program", "sned=true"],
            2,
            "did you mean `send`?",
        ),
        (
            &["check", "1", "--program", "send=sh nowhere.sh"],
            2,
            "does not exist: nowhere.sh",
        ),
        (
            &["check", "1", "--broker", "amqp://127.0.0.1:1"],
            4,
            "hint: is it running",
        ),
        (
            &["check", "helo-world", "--lang", "zh"],
            2,
            "错误： 没有名为 `helo-world` 的练习\n提示： 是不是想输入 `hello-world`？",
        ),
    ];
    let more: &[(&[&str], i32, &str)] = &[
        (&["chek"], 2, "a similar subcommand exists: 'check'"),
        (
            &["chek", "--lang", "zh"],
            2,
            "错误： 没有子命令 `chek`\n提示： 是不是想输入 `check`？",
        ),
        (
            &["--lang=zh", "check", "1", "--onyl", "x"],
            2,
            "错误： 没有参数 `--onyl`\n提示： 是不是想输入 `--only`？",
        ),
        (&["--lang=zh", "check"], 2, "错误： 缺少参数 `<EXERCISE>`"),
        (
            &["--lang=zh", "check", "1", "--seed", "x"],
            2,
            "的值 `x` 无效",
        ),
    ];
    for (arguments, exit, said) in cases.iter().chain(more) {
        let (code, text) = typed(state.path(), arguments);
        assert!(
            code == *exit && text.contains(said),
            "{arguments:?}: {code}: {text}"
        );
    }
}

/// Each call gives the next hint; after the last one they begin again.
#[test]
fn hints_go_on() {
    let state = tempfile::tempdir().unwrap();
    let next = || typed(state.path(), &["hint", "1"]).1;
    let first = next();
    assert!(first.starts_with("hint 1 of "), "{first}");
    let all: usize = first["hint 1 of ".len()..]
        .split(':')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!(all > 5);
    for number in 2..=all {
        let hint = next();
        assert!(
            hint.starts_with(&format!("hint {number} of {all}: ")),
            "{hint}"
        );
    }
    assert!(next().contains("solutions/01-hello-world"));
    assert_eq!(next(), first);
}
