//! The tap itself: listens, and carries each connection in a task of its own.

use crate::{
    clock,
    control::Control,
    error::TapError,
    fault::{Fault, Faults, Injected, Rule},
    link,
    options::{Endpoint, TapOptions},
    session::Session,
    tape::Tape,
    usage::Usage,
    wire::Listener,
};
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};
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
    faults: Arc<Faults>,
    closing: watch::Sender<bool>,
    accepting: Option<JoinHandle<()>>,
}

impl Tap {
    /// Listens where the options say, and forwards every connection to the broker.
    ///
    /// The broker is first spoken to when a program connects; if it cannot be reached then, the program's connection
    /// is reset and the tape says so.
    pub async fn open(options: TapOptions) -> Result<Self, TapError> {
        let listener = Listener::bind(&options.listen).await;
        Self::on(listener, options)
    }

    /// Accepts from sockets that listen already, and forwards every connection to the broker;
    /// [`TapOptions::listen`] is not looked at. They may be of another network: a sandbox hands out those in which
    /// its program finds its broker.
    ///
    /// To be called in a runtime.
    pub fn open_on(
        sockets: Vec<std::net::TcpListener>,
        options: TapOptions,
    ) -> Result<Self, TapError> {
        Self::on(Listener::given(sockets), options)
    }

    fn on(listener: std::io::Result<Listener>, options: TapOptions) -> Result<Self, TapError> {
        if let Some(login) = &options.login {
            // AMQP carries the virtual host as a short string (§4.2.5.3); the user travels in a long one.
            if login.vhost.len() > 255 {
                return Err(TapError::Login { field: "vhost" });
            }
        }
        let listener =
            listener.and_then(|listener| Ok((listener.endpoint(&options.listen)?, listener)));
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
        let (closing, closed) = watch::channel(false);
        let faults = Arc::new(Faults::new(options.seed));
        let accepting = tokio::spawn(accept(
            listener,
            options,
            tape.clone(),
            Arc::clone(&faults),
            closed,
        ));
        Ok(Self {
            endpoint,
            tape,
            faults,
            closing,
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

    /// Arms a fault; the answer tells whether and where it hits, and lets go of what it holds.
    pub fn inject(&self, fault: Fault, rule: Rule) -> Injected {
        self.faults.inject(fault, rule, &self.tape)
    }

    /// Stops listening, cuts the connections that are left, waits for all tasks and returns the tape.
    pub async fn close(mut self) -> Tape {
        self.closing.send_replace(true);
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

/// Accepts connections until the tap closes, and then waits for those that are left.
async fn accept(
    listener: Listener,
    options: TapOptions,
    tape: Tape,
    faults: Arc<Faults>,
    mut closing: watch::Receiver<bool>,
) {
    let usage = Arc::new(Usage::new(options.limits.clone()));
    let mut links = JoinSet::new();
    loop {
        let client = tokio::select! {
            client = listener.accept() => client,
            _ = closing.wait_for(|closing| *closing) => break,
            // Tasks that ended are forgotten as they end, so that their number does not grow.
            Some(_) = links.join_next() => continue,
        };
        let Ok(client) = client else {
            // A connection that broke while it was accepted is none. When no descriptors are left the next attempt
            // fails at once as well: let some time pass instead of spinning.
            clock::pass(Duration::from_millis(5)).await;
            continue;
        };
        let (number, tripped) = match usage.connection() {
            Ok(number) => (number, None),
            Err((number, tripped)) => (number, Some(tripped)),
        };
        if number > options.limits.connections.saturating_add(1) {
            // The first one too many is on the tape; a program that goes on must not fill it.
            client.1.reset();
            continue;
        }
        let control = Arc::new(Control::new(
            number,
            closing.clone(),
            options.single_confirms,
        ));
        faults.watch(&control);
        let mut session = Session::new(
            Arc::clone(&control),
            tape.clone(),
            Arc::clone(&usage),
            Arc::clone(&faults),
            options.login.clone(),
            options.unreadable,
        );
        session.heartbeat = options.heartbeat;
        session.spellings = options.spelled_strings.then(Default::default);
        if let Some(tripped) = tripped {
            session.refuse(tripped);
            client.1.reset();
            continue;
        }
        links.spawn(link::carry(
            session,
            client,
            options.broker.clone(),
            control,
        ));
    }
    drop(listener);
    while links.join_next().await.is_some() {}
}
