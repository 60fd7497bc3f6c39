//! The tap itself: listens, and carries each connection in a task of its own.

use crate::{
    error::TapError,
    link,
    options::{Endpoint, TapOptions},
    session::Session,
    tape::Tape,
    usage::Usage,
    wire::Listener,
};
use std::{sync::Arc, time::SystemTime};
use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
};

/// A decoding proxy in front of a broker.
///
/// It lives in tasks of the runtime in which it was opened. [`Tap::close`] ends them; so does dropping the tap.
#[derive(Debug)]
pub struct Tap {
    endpoint: Endpoint,
    tape: Tape,
    cut: watch::Sender<bool>,
    accepting: Option<JoinHandle<()>>,
}

impl Tap {
    /// Listens where the options say, and forwards every connection to the broker.
    ///
    /// The broker is first spoken to when a program connects; if it cannot be reached then, the program's connection
    /// is reset and the tape says so.
    pub async fn open(options: TapOptions) -> Result<Self, TapError> {
        if let Some(login) = &options.login {
            // AMQP carries the virtual host as a short string (§4.2.5.3); the user travels in a long one.
            if login.vhost.len() > 255 {
                return Err(TapError::Login { field: "vhost" });
            }
        }
        let listener = Listener::bind(&options.listen)
            .await
            .and_then(|listener| Ok((listener.endpoint(&options.listen)?, listener)));
        let (endpoint, listener) = listener.map_err(|source| TapError::Listen {
            endpoint: options.listen.clone(),
            source,
        })?;
        let tape = Tape::beginning(SystemTime::now(), options.recording.window);
        if let Some(path) = &options.recording.file {
            tape.write_through(path)
                .map_err(|source| TapError::Record {
                    path: path.clone(),
                    source,
                })?;
        }
        let (cut, cuts) = watch::channel(false);
        let accepting = tokio::spawn(accept(listener, options, tape.clone(), cuts));
        Ok(Self {
            endpoint,
            tape,
            cut,
            accepting: Some(accepting),
        })
    }

    /// Where programs connect.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The tape, live. Cheap to clone.
    pub fn tape(&self) -> &Tape {
        &self.tape
    }

    /// Stops listening, cuts the connections that are left, waits for all tasks and answers the tape.
    pub async fn close(mut self) -> Tape {
        self.cut.send_replace(true);
        if let Some(accepting) = self.accepting.take() {
            // It only fails if the task panicked, and then there is nothing left to end.
            let _ = accepting.await;
        }
        self.tape.close();
        self.tape.clone()
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        if let Some(accepting) = &self.accepting {
            // The task owns the connections' tasks, which are aborted with it.
            accepting.abort();
            self.tape.close();
        }
        if let Endpoint::Unix(path) = &self.endpoint {
            // The system leaves the file behind; if it is gone already, so much the better.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Accepts connections until `cut` says stop, and then waits for those that are left.
async fn accept(
    listener: Listener,
    options: TapOptions,
    tape: Tape,
    mut cut: watch::Receiver<bool>,
) {
    let usage = Arc::new(Usage::new(options.limits.clone()));
    let mut links = JoinSet::new();
    loop {
        let client = tokio::select! {
            client = listener.accept() => client,
            _ = cut.wait_for(|cut| *cut) => break,
            // Tasks that ended are forgotten as they end, so that their number does not grow.
            Some(_) = links.join_next() => continue,
        };
        // A connection that broke while it was accepted is none; other failures (no descriptors left) pass too.
        let Ok(client) = client else { continue };
        let (number, tripped) = match usage.connection() {
            Ok(number) => (number, None),
            Err((number, tripped)) => (number, Some(tripped)),
        };
        let mut session = Session::new(
            number,
            tape.clone(),
            Arc::clone(&usage),
            options.login.clone(),
            options.unreadable,
        );
        if let Some(tripped) = tripped {
            session.refuse(tripped);
            client.1.reset();
            continue;
        }
        links.spawn(link::carry(
            session,
            client,
            options.broker.clone(),
            cut.clone(),
        ));
    }
    drop(listener);
    while links.join_next().await.is_some() {}
}
