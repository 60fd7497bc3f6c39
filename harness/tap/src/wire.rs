//! Sockets of both kinds behind one face.

use crate::options::Endpoint;
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream, UnixListener, UnixStream, tcp, unix},
};

/// Where programs connect.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    /// Sockets that somebody else made: in the order of their ports, and never none.
    Given(Vec<TcpListener>),
    Unix(UnixListener),
}

/// The half of a connection that is read.
#[derive(Debug)]
pub(crate) enum Reader {
    Tcp(tcp::OwnedReadHalf),
    Unix(unix::OwnedReadHalf),
}

/// The half of a connection that is written.
#[derive(Debug)]
pub(crate) enum Writer {
    Tcp(tcp::OwnedWriteHalf),
    Unix(unix::OwnedWriteHalf),
}

impl Listener {
    pub(crate) async fn bind(endpoint: &Endpoint) -> io::Result<Self> {
        match endpoint {
            Endpoint::Tcp(address) => TcpListener::bind(address).await.map(Self::Tcp),
            Endpoint::Unix(path) => UnixListener::bind(path).map(Self::Unix),
        }
    }

    /// Sockets that listen already, in a network of their own perhaps.
    pub(crate) fn given(sockets: Vec<std::net::TcpListener>) -> io::Result<Self> {
        let adopt = |socket: std::net::TcpListener| {
            socket.set_nonblocking(true)?;
            TcpListener::from_std(socket)
        };
        let sockets = sockets
            .into_iter()
            .map(adopt)
            .collect::<io::Result<Vec<_>>>()?;
        if sockets.is_empty() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        Ok(Self::Given(sockets))
    }

    /// Where it really listens.
    pub(crate) fn endpoint(&self, asked: &Endpoint) -> io::Result<Endpoint> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(Endpoint::Tcp),
            Self::Given(listeners) => listeners[0].local_addr().map(Endpoint::Tcp),
            Self::Unix(_) => Ok(asked.clone()),
        }
    }

    pub(crate) async fn accept(&self) -> io::Result<(Reader, Writer)> {
        match self {
            Self::Tcp(listener) => split_tcp(listener.accept().await?.0),
            Self::Given(listeners) => {
                let accepted = std::future::poll_fn(|context| {
                    let ready = listeners
                        .iter()
                        .map(|listener| listener.poll_accept(context))
                        .find(Poll::is_ready);
                    ready.unwrap_or(Poll::Pending)
                });
                split_tcp(accepted.await?.0)
            }
            Self::Unix(listener) => Ok(split_unix(listener.accept().await?.0)),
        }
    }
}

/// Connects to a broker.
pub(crate) async fn connect(endpoint: &Endpoint) -> io::Result<(Reader, Writer)> {
    match endpoint {
        Endpoint::Tcp(address) => split_tcp(TcpStream::connect(address).await?),
        Endpoint::Unix(path) => Ok(split_unix(UnixStream::connect(path).await?)),
    }
}

fn split_tcp(stream: TcpStream) -> io::Result<(Reader, Writer)> {
    // A proxy must not hold small frames back: whoever wrote them has already decided about that.
    stream.set_nodelay(true)?;
    let (reader, writer) = stream.into_split();
    Ok((Reader::Tcp(reader), Writer::Tcp(writer)))
}

fn split_unix(stream: UnixStream) -> (Reader, Writer) {
    let (reader, writer) = stream.into_split();
    (Reader::Unix(reader), Writer::Unix(writer))
}

impl Reader {
    /// What the system has against this connection, and has not yet said.
    pub(crate) fn error(&self) -> Option<io::Error> {
        match self {
            Self::Tcp(half) => half.as_ref().take_error().ok().flatten(),
            Self::Unix(half) => half.as_ref().take_error().ok().flatten(),
        }
    }
}

impl Writer {
    /// Makes the end of this connection a reset instead of a clean close, where the system can (TCP).
    pub(crate) fn reset(self) {
        if let Self::Tcp(half) = self {
            // If it fails the connection is closed cleanly, which ends it all the same.
            let _ = half.as_ref().set_zero_linger();
            half.forget();
        }
    }
}

impl AsyncRead for Reader {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(half) => Pin::new(half).poll_read(context, buffer),
            Self::Unix(half) => Pin::new(half).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Writer {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(half) => Pin::new(half).poll_write(context, bytes),
            Self::Unix(half) => Pin::new(half).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(half) => Pin::new(half).poll_flush(context),
            Self::Unix(half) => Pin::new(half).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(half) => Pin::new(half).poll_shutdown(context),
            Self::Unix(half) => Pin::new(half).poll_shutdown(context),
        }
    }
}
