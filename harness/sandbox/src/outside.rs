//! Starting a program in a sandbox, its signals and its end, as seen from outside.

use std::{
    io::{self, Read, Write},
    net::TcpListener,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::{
            fs::{PermissionsExt, chown, fchown},
            net::UnixStream,
        },
    },
    path::PathBuf,
    process::Command,
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncWriteExt, Interest},
    net::{UnixListener, UnixStream as AsyncStream},
    time::timeout,
};

use crate::{
    limits::Limits,
    room::Room,
    wire::{CONTROL_NAME, Go, Opening, Over, hand_over, take_over},
};

/// How long a sandbox may take to be made. It takes 20 ms, or 1 s in Docker; a busy machine gets its time.
const PATIENCE: Duration = Duration::from_mins(1);

/// Why there is no sandbox. It says nothing about the program.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// There is no place for the control.
    #[error("no place for the sandbox's control in {}", folder.display())]
    Place {
        /// Where it was tried.
        folder: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The sandbox was not made within a minute, or not at all.
    #[error("the sandbox was not made: {0}")]
    NotMade(String),
    /// It stopped answering before the program was started.
    #[error("the sandbox does not answer")]
    Answer(#[source] io::Error),
}

/// A sandbox to be: the place of its control, and the command that makes it.
#[derive(Debug)]
pub struct Sandbox {
    folder: TempDir,
    listener: UnixListener,
    uid: Option<u32>,
    limits: Limits,
}

impl Sandbox {
    /// Makes the place of a control.
    pub fn prepare(room: &Room) -> Result<Self, SandboxError> {
        let place = |source| SandboxError::Place {
            folder: room.folder.clone(),
            source,
        };
        let folder = TempDir::with_prefix_in("control-", &room.folder).map_err(place)?;
        let listener = UnixListener::bind(folder.path().join(CONTROL_NAME)).map_err(place)?;
        let uid = room.next_uid();
        for path in [folder.path().to_owned(), folder.path().join(CONTROL_NAME)] {
            // Nobody else on this machine may speak for the sandbox.
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700))
                .map_err(place)?;
            if let Some(uid) = uid {
                chown(&path, Some(uid), Some(uid)).map_err(place)?;
            }
        }
        Ok(Self {
            folder,
            listener,
            uid,
            limits: room.limits,
        })
    }

    /// The command that makes the sandbox. Its standard streams are the program's, but for a standard output that is a
    /// terminal.
    pub fn command(&self, room: &Room) -> Command {
        room.command(self.folder.path(), self.uid)
    }

    /// Waits until the sandbox is there, and listens inside on these ports.
    ///
    /// `terminal` is to be the program's standard output: it comes from outside, so that nobody inside needs a way to
    /// make terminals. `died` answers when the command that makes the sandbox ended, with what it said.
    pub async fn listen(
        self,
        ports: &[u16],
        terminal: Option<BorrowedFd<'_>>,
        died: impl Future<Output = String>,
    ) -> Result<Ready, SandboxError> {
        let answered = async {
            let (stream, _) = self.listener.accept().await?;
            let mut stream = stream;
            if let (Some(terminal), Some(uid)) = (terminal, self.uid) {
                // A program may open its own standard output once more, by its name in /dev.
                fchown(terminal, Some(uid), Some(uid))?;
            }
            let given: Vec<_> = terminal.into_iter().collect();
            stream
                .async_io(Interest::WRITABLE, || hand_over(&stream, &given))
                .await?;
            let opening = Opening {
                limits: self.limits,
                own_uid: self.uid.is_some(),
                ports: ports.to_vec(),
            };
            send(&mut stream, &opening).await?;
            let sockets = receive(&stream, ports.len()).await?;
            io::Result::Ok(Ready {
                sockets,
                stream,
                _folder: self.folder,
            })
        };
        let answered = async {
            tokio::select! {
                biased;
                answered = answered => answered.map_err(SandboxError::Answer),
                said = died => Err(SandboxError::NotMade(said)),
            }
        };
        match timeout(PATIENCE, answered).await {
            Ok(answered) => answered,
            Err(_) => Err(SandboxError::NotMade(format!(
                "nothing came of it in {} s",
                PATIENCE.as_secs()
            ))),
        }
    }
}

async fn send(stream: &mut AsyncStream, what: &impl serde::Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec(what)?;
    text.push(b'\n');
    stream.write_all(&text).await
}

/// The listening sockets, which come with a byte.
async fn receive(stream: &AsyncStream, count: usize) -> io::Result<Vec<TcpListener>> {
    let take = || take_over(stream.as_fd());
    let sockets = stream.async_io(Interest::READABLE, take).await?;
    if sockets.len() != count {
        return Err(io::Error::other("it listens on other ports"));
    }
    Ok(sockets.into_iter().map(TcpListener::from).collect())
}

/// A sandbox in which nothing runs yet but its first process.
#[derive(Debug)]
pub struct Ready {
    /// The sockets that listen inside, in the order of the ports.
    pub sockets: Vec<TcpListener>,
    stream: AsyncStream,
    _folder: TempDir,
}

impl Ready {
    /// Starts the program. The sockets are to be taken before that.
    pub async fn go(mut self, go: &Go) -> Result<Control, SandboxError> {
        let sent = send(&mut self.stream, go).await;
        sent.map_err(SandboxError::Answer)?;
        // From here on it is used from where nothing can be awaited; it stays non-blocking.
        let stream = self.stream.into_std().map_err(SandboxError::Answer)?;
        Ok(Control(stream))
    }
}

/// The control of a sandbox in which the program runs. When it is dropped, everything inside ends.
#[derive(Debug)]
pub struct Control(UnixStream);

impl Control {
    /// Sends the program a signal: [`INTERRUPT`](crate::wire::INTERRUPT) and its like.
    pub fn signal(&self, order: u8) {
        // Whoever is gone needs no signal, and a few bytes always fit.
        let _ = (&self.0).write(&[order]);
    }

    /// Ends everything inside.
    pub fn kill(&self) {
        let _ = self.0.shutdown(std::net::Shutdown::Both);
    }

    /// How the program ended, once the sandbox is over; `None`: the sandbox itself broke, or it was killed.
    pub fn over(&self) -> Option<Over> {
        let mut text = Vec::new();
        // It is non-blocking: all that there will ever be is there now.
        let _ = (&self.0).take(1024).read_to_end(&mut text);
        serde_json::from_slice(text.strip_suffix(b"\n")?).ok()
    }
}
