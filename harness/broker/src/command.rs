//! Running a command that takes its time, with a bound, and keeping its last words for an error.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::Error;

/// How many lines an error quotes.
const LAST_LINES: usize = 15;

/// Runs a command to its end and gives what it wrote to standard output. One that takes longer than
/// `patience` is killed, also when our caller stops waiting.
pub(crate) async fn run(command: Command, patience: Duration) -> Result<String, Error> {
    let line = typed(&command);
    let failed = |reason: String, output_tail: Vec<String>| Error::Command {
        command: line.clone(),
        reason,
        output_tail,
    };
    let running = tokio::process::Command::from(command)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = match tokio::time::timeout(patience, running).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return Err(failed(format!("cannot be started: {error}"), Vec::new())),
        Err(_) => {
            return Err(failed(
                format!("took more than {} s", patience.as_secs()),
                Vec::new(),
            ));
        }
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<String> = text
        .lines()
        .chain(errors.lines())
        .filter(|line| !line.trim().is_empty())
        .map(str::to_owned)
        .collect();
    let tail = lines[lines.len().saturating_sub(LAST_LINES)..].to_vec();
    Err(failed(format!("failed ({})", output.status), tail))
}

/// The command as it could be typed, with long scripts cut.
fn typed(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        let text = argument.to_string_lossy();
        line.push(' ');
        line.push_str(if text.contains('\n') { "…" } else { &text });
    }
    line
}
