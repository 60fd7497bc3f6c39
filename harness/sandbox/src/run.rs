//! Running a command in a sandbox to its end: a compiler, say.

use std::{process::Stdio, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    time::timeout,
};

use crate::{
    limits::Tripped,
    outside::{Sandbox, SandboxError},
    room::Room,
    wire::{Go, Over},
};

/// How a command in a sandbox ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// It exited with this code.
    Code(i32),
    /// A signal ended it.
    Signal(i32),
    /// It passed a limit.
    Tripped(Tripped),
    /// It ran out of its time.
    Late,
    /// It said too much.
    TooMuchOutput,
}

/// What came of a command in a sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub ended: Finish,
    /// What it said on standard error, as far as it was read.
    pub said: String,
}

/// Runs a command in a sandbox of its own, without a network, and returns when nothing of it is left.
pub async fn run(
    room: &Room,
    go: &Go,
    patience: Duration,
    said_most: usize,
) -> Result<Outcome, SandboxError> {
    let cell = Sandbox::prepare(room)?;
    let mut child = tokio::process::Command::from(cell.command(room))
        .env_clear()
        .envs(std::env::var_os("DOCKER_HOST").map(|value| ("DOCKER_HOST", value)))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|source| SandboxError::NotMade(format!("{}: {source}", room.tool.display())))?;
    let mut stderr = child.stderr.take();
    let mut said = Vec::new();
    let ready = {
        let died = async {
            if let Some(stderr) = &mut stderr {
                read(stderr, &mut said, said_most).await;
            }
            let ended = child.wait().await.map(|status| status.to_string());
            let said = String::from_utf8_lossy(&said);
            format!("{} {}", ended.unwrap_or_default(), said.trim())
        };
        cell.listen(&[], None, died).await?
    };
    let control = ready.go(go).await?;
    let over = timeout(patience, async {
        let all = match &mut stderr {
            Some(stderr) => read(stderr, &mut said, said_most).await,
            None => true,
        };
        if all {
            let _ = child.wait().await;
        }
        all
    })
    .await;
    control_end(&control, &mut child, over != Ok(true)).await;
    let ended = match over {
        Err(_) => Finish::Late,
        Ok(false) => Finish::TooMuchOutput,
        Ok(true) => match control.over() {
            Some(Over::Code(code)) => Finish::Code(code),
            Some(Over::Signal(signal)) => Finish::Signal(signal),
            Some(Over::Tripped(limit)) => Finish::Tripped(limit),
            Some(Over::Refused(errno)) => {
                let error = std::io::Error::from_raw_os_error(errno);
                return Err(SandboxError::NotMade(format!("{}: {error}", go.argv[0])));
            }
            None => {
                let said = String::from_utf8_lossy(&said);
                return Err(SandboxError::NotMade(format!("it broke: {}", said.trim())));
            }
        },
    };
    Ok(Outcome {
        ended,
        said: String::from_utf8_lossy(&said).into_owned(),
    })
}

/// Ends what is still there, and waits for the end.
async fn control_end(
    control: &crate::outside::Control,
    child: &mut tokio::process::Child,
    kill: bool,
) {
    if kill {
        control.kill();
        let _ = child.kill().await;
    }
}

/// Reads to the end; `false`: it said too much.
async fn read(from: &mut (impl AsyncRead + Unpin), to: &mut Vec<u8>, most: usize) -> bool {
    let left = most.saturating_sub(to.len()) as u64;
    // What cannot be read is at its end.
    let _ = from.take(left).read_to_end(to).await;
    to.len() < most
}
