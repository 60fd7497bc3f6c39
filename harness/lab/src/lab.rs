//! A check's private world.

mod leases;
mod leftovers;
mod topology;

use std::{
    cell::{Cell, OnceCell, RefCell},
    collections::BTreeSet,
    ffi::OsString,
    net::{Ipv4Addr, SocketAddr},
    rc::Rc,
    time::Duration,
};

use amqp_tap::{Tap, TapOptions, Tape};
use futures_util::future::LocalBoxFuture;
use rand::{RngExt as _, SeedableRng, rngs::StdRng};
use tokio::net::TcpSocket;
use workbook_broker::{Broker, Lease, Options, OwnBroker};
use workbook_sandbox::{Room, Sandbox, SandboxError, wire::Go};

pub(crate) use self::leases::Leases;

use crate::exercise::Exercise;
use crate::judge;
use crate::judge::Judge;
use crate::process::Command;
use crate::process::Process;
use crate::process::Terminal;
use crate::program::NO_BROKER_LIMIT;
use crate::program::Program;
use crate::program::Witness;
use crate::wait::Bell;
use workbook_course::ChapterGiven;
use workbook_diagnosis::Ended;
use workbook_diagnosis::finding::Given;
use workbook_diagnosis::finding::Left;
use workbook_report::failure::Checked;
use workbook_report::failure::Failure;
use workbook_report::report::ProgramReport;
use workbook_report::request::Request;

/// AMQP's own port, on which a program in a sandbox finds its broker even if it does not ask where it is.
const AMQP_PORT: u16 = 5672;

/// What all labs of one check have in common.
#[derive(Clone, Debug)]
pub(crate) struct Bench {
    pub(crate) exercise: Exercise,
    pub(crate) request: Rc<Request>,
    pub(crate) given: ChapterGiven,
    /// The seed of this check: it depends on the run's seed and the check's name.
    pub(crate) seed: u64,
    pub(crate) leases: Leases,
}

/// A fresh virtual host on the broker, and the programs that run in it.
///
/// Every program has a tap of its own in front of the broker. Whatever login and
/// virtual host a program asks for, the tap puts the lab's in their place.
#[derive(Debug)]
pub struct Lab {
    /// What it has in common with the other labs of its check.
    bench: Bench,
    lease: Lease,
    bell: Bell,
    programs: RefCell<Vec<Program>>,
    others: RefCell<Vec<Rc<Lab>>>,
    /// A broker that nobody else uses.
    own: Option<OwnBroker>,
    names: Cell<u64>,
    /// The queues that the lab declared itself.
    declared: Rc<RefCell<BTreeSet<String>>>,
    judge: RefCell<Option<Rc<Judge>>>,
    /// What a check has found when all programs had ended.
    left: RefCell<Left>,
    /// Holds the port of [`Lab::fails_without_broker`], so that nobody else listens on it.
    nobody: OnceCell<TcpSocket>,
}

/// How a program is started.
#[derive(Clone, Copy, Debug, Default)]
pub struct Start<'a> {
    /// Its arguments.
    pub arguments: &'a [&'a str],
    /// Variables that are added to its environment.
    pub variables: &'a [(&'a str, &'a str)],
    /// What it finds on its standard input, before the end.
    pub input: &'a [u8],
    /// The heartbeat interval, in seconds, that the tap proposes in place of the broker's.
    pub heartbeat: Option<u16>,
}

/// What is known of a lab after its check.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) reports: Vec<ProgramReport>,
    pub(crate) witnesses: Vec<Witness>,
    pub(crate) tapes: Vec<Option<Tape>>,
    pub(crate) given: Given,
}

impl Lab {
    pub(crate) async fn open(bench: &Bench, deadline: Duration) -> Result<Self, Failure> {
        Ok(Self {
            lease: bench.leases.take().await?,
            bench: bench.clone(),
            bell: Bell::new(deadline),
            programs: RefCell::default(),
            others: RefCell::default(),
            own: None,
            names: Cell::default(),
            declared: Rc::default(),
            judge: RefCell::default(),
            left: RefCell::default(),
            nobody: OnceCell::new(),
        })
    }

    /// Another world, with a virtual host of its own, that ends with this one.
    pub async fn another(&self) -> Result<Rc<Lab>, Failure> {
        let other = Rc::new(Box::pin(Self::open(&self.bench, self.bell.deadline)).await?);
        self.others.borrow_mut().push(other.clone());
        Ok(other)
    }

    /// Another world on a broker that nobody else uses: it can be restarted and starved.
    ///
    /// Starting one takes some 6 s, where no earlier check has left its own, so this is for checks that cannot do without.
    pub async fn on_its_own_broker(&self) -> Result<Rc<Lab>, Failure> {
        let ours = |error: workbook_broker::Error| {
            Failure::infra("the check gets a broker of its own", &error)
        };
        let options = Options::from_env().map_err(ours)?;
        let own = Broker::start_own(&options).await.map_err(ours)?;
        let bench = Bench {
            leases: Leases::of(own.broker()),
            ..self.bench.clone()
        };
        let mut other = Box::pin(Self::open(&bench, self.bell.deadline)).await?;
        other.own = Some(own);
        let other = Rc::new(other);
        self.others.borrow_mut().push(other.clone());
        Ok(other)
    }

    /// Stops RabbitMQ on the lab's own broker and starts it again with its data (`rabbitmqctl stop_app`, `start_app`).
    ///
    /// Connections break, durable things stay. Returns when the broker is ready again.
    pub async fn restart_broker(&self) -> Result<(), Failure> {
        let own = self.own_broker()?;
        own.restart()
            .await
            .map_err(|error| Failure::infra("the lab's own broker starts again", &error))?;
        // The lab's connection broke with the others; the next question makes a new one.
        self.judge.borrow_mut().take();
        Ok(())
    }

    /// Takes the memory of the lab's own broker away: it sends `connection.blocked` to whoever
    /// publishes, and reads nothing more from them until [`Lab::feed_broker`].
    pub async fn starve_broker(&self) -> Result<(), Failure> {
        let starved = self.own_broker()?.starve().await;
        starved
            .map_err(|error| Failure::infra("the lab's own broker raises a memory alarm", &error))
    }

    /// Gives the lab's own broker its memory back: it sends `connection.unblocked`.
    pub async fn feed_broker(&self) -> Result<(), Failure> {
        let fed = self.own_broker()?.feed().await;
        fed.map_err(|error| Failure::infra("the lab's own broker clears its memory alarm", &error))
    }

    fn own_broker(&self) -> Result<&OwnBroker, Failure> {
        self.own.as_ref().ok_or_else(|| {
            let error =
                std::io::Error::other("the lab shares its broker: ask for Lab::on_its_own_broker");
            Failure::infra(
                "a broker of the check's own is restarted or starved",
                &error,
            )
        })
    }

    /// A word that no message of a program can hold by chance; it follows from the seed.
    pub fn unique(&self, prefix: &str) -> String {
        let number = self.names.replace(self.names.get() + 1);
        let mut rng = StdRng::seed_from_u64(self.bench.seed.wrapping_add(number));
        format!("{prefix}-{:08x}", rng.random::<u32>())
    }

    /// Starts a program with arguments, with a tap between it and the broker.
    pub async fn start(&self, program: &str, arguments: &[&str]) -> Result<Program, Failure> {
        let start = Start {
            arguments,
            ..Start::default()
        };
        self.start_as(program, start).await
    }

    /// Starts a program, and waits until it ended with code 0.
    pub async fn runs(&self, program: &str, arguments: &[&str]) -> Checked {
        self.start(program, arguments).await?.succeeds().await
    }

    /// Starts a program with arguments and with a text on its standard input, with a tap between it and the broker.
    ///
    /// What is injected before anything else is awaited hits its first frame, too.
    pub async fn start_with_input(
        &self,
        program: &str,
        arguments: &[&str],
        input: &[u8],
    ) -> Result<Program, Failure> {
        let start = Start {
            arguments,
            input,
            ..Start::default()
        };
        self.start_as(program, start).await
    }

    /// Starts a program in a way of the check's own, with a tap between it and the broker.
    pub fn start_as<'a>(
        &'a self,
        program: &'a str,
        start: Start<'a>,
    ) -> LocalBoxFuture<'a, Result<Program, Failure>> {
        // The tap behind it is then not compiled again for each exercise.
        Box::pin(self.start_behind_a_tap(program, start))
    }

    async fn start_behind_a_tap(
        &self,
        program: &str,
        start: Start<'_>,
    ) -> Result<Program, Failure> {
        let options = TapOptions {
            login: Some(judge::login(&self.lease)),
            heartbeat: start.heartbeat,
            single_confirms: true,
            seed: self.bench.seed,
            ..TapOptions::to(self.lease.amqp_address())
        };
        if let Some(room) = &self.bench.request.room {
            return self.spawn_inside(room, program, start, Some(options)).await;
        }
        let tap = Tap::open(options)
            .await
            .map_err(|error| Failure::infra("the lab opens a tap", &error))?;
        let address = tap.endpoint().tcp().ok_or_else(|| {
            Failure::infra(
                "the lab opens a tap",
                &std::io::Error::other("it has no port"),
            )
        })?;
        self.spawn(program, start, address, Some(tap))
    }

    /// Starts a program with the address of a broker that refuses every connection, and holds that it says so on
    /// standard error and exits with a code that is not 0.
    ///
    /// A program that does not end is started once more. With lapin 4.12.3, `Connection::connect` never ended for 5 of
    /// 25,000 refused connections: its IO thread had gone, with the error, just before the protocol header was put into
    /// the queue. A program that waits for ever of its own accord does so twice.
    pub async fn fails_without_broker(
        &self,
        program: &str,
        arguments: &[&str],
    ) -> Result<Program, Failure> {
        let start = Start {
            arguments,
            ..Start::default()
        };
        self.fails_without_broker_as(program, start).await
    }

    /// As [`Lab::fails_without_broker`], of a program that is started in a way of the check's own.
    pub async fn fails_without_broker_as(
        &self,
        program: &str,
        start: Start<'_>,
    ) -> Result<Program, Failure> {
        let why = "the broker refuses the connection";
        let first = self.start_without_broker(program, start).await?;
        let failed = first.fails_loudly(NO_BROKER_LIMIT, why).await;
        if first.ended().is_some() {
            return failed.map(|()| first);
        }
        first.kill();
        let second = self.start_without_broker(program, start).await?;
        second.fails_loudly(NO_BROKER_LIMIT, why).await?;
        Ok(second)
    }

    async fn start_without_broker(
        &self,
        program: &str,
        start: Start<'_>,
    ) -> Result<Program, Failure> {
        if let Some(room) = &self.bench.request.room {
            // Nobody listens in the network of a sandbox, but who is told to.
            return self.spawn_inside(room, program, start, None).await;
        }
        let hold = || -> std::io::Result<(TcpSocket, SocketAddr)> {
            // A socket that is bound but does not listen refuses whoever connects.
            let socket = TcpSocket::new_v4()?;
            socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
            let address = socket.local_addr()?;
            Ok((socket, address))
        };
        let (socket, address) =
            hold().map_err(|error| Failure::infra("the lab holds a free port", &error))?;
        let address = match self.nobody.get() {
            Some(held) => held
                .local_addr()
                .map_err(|error| Failure::infra("the lab holds a free port", &error))?,
            None => {
                let _ = self.nobody.set(socket);
                address
            }
        };
        self.spawn(program, start, address, None)
    }

    fn spawn(
        &self,
        name: &str,
        start: Start<'_>,
        address: SocketAddr,
        tap: Option<Tap>,
    ) -> Result<Program, Failure> {
        let command = with_address(self.command(name)?, start, address);
        let terminal = Self::terminal()?;
        let process =
            Process::start(&command, terminal, start.input, &self.bell).map_err(|error| {
                let line = command.argv[0].to_string_lossy();
                Failure::error(
                    format!("the program `{name}` can be started"),
                    format!("{line}: {error}"),
                )
            })?;
        Ok(self.started(name, start, process, tap))
    }

    /// Starts a program in a sandbox of its own. Inside, its tap is behind the address that it is told, and behind
    /// AMQP's own port, where a program looks that asks nobody.
    async fn spawn_inside(
        &self,
        room: &Room,
        name: &str,
        start: Start<'_>,
        tap: Option<TapOptions>,
    ) -> Result<Program, Failure> {
        let infra = |error: SandboxError| Failure::infra("the program gets a sandbox", &error);
        // The ports that the system would give to a tap outside.
        let port = rand::random_range(32_768..60_999);
        let ports: &[u16] = if tap.is_some() {
            &[port, AMQP_PORT]
        } else {
            &[]
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let command = with_address(self.command(name)?, start, address);

        let sandbox = Sandbox::prepare(room).map_err(infra)?;
        let (command_of_it, terminal) = (sandbox.command(room), Self::terminal()?);
        let process = Process::start_sandbox(command_of_it, terminal, start.input, &self.bell)
            .map_err(|error| Failure::infra("the program gets a sandbox", &error))?;
        let mut ready = sandbox
            .listen(ports, Some(process.terminal()), process.death())
            .await
            .map_err(infra)?;
        let sockets = std::mem::take(&mut ready.sockets);
        let tap = tap
            .map(|options| Tap::open_on(sockets, options))
            .transpose();
        let tap = tap.map_err(|error| Failure::infra("the lab opens a tap", &error))?;
        let text = |it: OsString| it.to_string_lossy().into_owned();
        let go = Go {
            argv: command.argv.into_iter().map(text).collect(),
            environment: (command.environment.into_iter())
                .map(|(variable, value)| (variable, text(value)))
                .collect(),
            directory: command.directory,
        };
        let control = ready.go(&go).await.map_err(infra)?;
        process.runs_inside(control);
        Ok(self.started(name, start, process, tap))
    }

    /// The command that starts a program, before it is told anything.
    fn command(&self, program: &str) -> Result<Command, Failure> {
        let Bench {
            exercise, request, ..
        } = &self.bench;
        exercise.command(program, request)
    }

    /// A terminal for what a program prints.
    fn terminal() -> Result<Terminal, Failure> {
        Terminal::open().map_err(|error| Failure::infra("the lab opens a pseudo-terminal", &error))
    }

    /// Keeps a program that was started.
    fn started(&self, name: &str, start: Start<'_>, process: Process, tap: Option<Tap>) -> Program {
        let words = std::iter::once(&name).chain(start.arguments);
        let argv = words.map(|word| (*word).to_owned()).collect();
        let program = Program::new(argv, process, tap, &self.bell);
        tracing::debug!(program = program.name(), "starts");
        self.programs.borrow_mut().push(program.clone());
        program
    }

    /// What a check came to, given how the programs ended: one whose sandbox broke was not judged, and one that
    /// could not be started is an error, as it is outside.
    pub(crate) fn allow_for_sandboxes(&self, result: Result<(), Failure>) -> Result<(), Failure> {
        let ended = |wanted: fn(Ended) -> bool| {
            let programs = self.programs.borrow();
            let found = programs.iter().find(|it| it.ended().is_some_and(wanted));
            found.map(|it| format!("`{}` {}", it.name(), it.ended().unwrap_or(Ended::NoSandbox)))
        };
        if let Some(observed) = ended(|it| it == Ended::NoSandbox) {
            let broken = std::io::Error::other(observed);
            return Err(Failure::infra("the sandbox of a program holds", &broken));
        }
        if let Some(observed) = ended(|it| matches!(it, Ended::Refused(_))) {
            return Err(Failure::error("the program can be started", observed));
        }
        for other in self.others.borrow().iter() {
            other.allow_for_sandboxes(Ok(()))?;
        }
        result
    }

    /// The lab's own connection to the broker, beside the programs.
    pub fn judge(&self) -> LocalBoxFuture<'_, Result<Rc<Judge>, Failure>> {
        // The client behind it is then not compiled again for each exercise.
        Box::pin(self.connected_judge())
    }

    async fn connected_judge(&self) -> Result<Rc<Judge>, Failure> {
        if let Some(judge) = self.judge.borrow().as_ref() {
            return Ok(judge.clone());
        }
        let judge = Rc::new(Judge::connect(&self.lease, &self.declared, &self.bell).await?);
        *self.judge.borrow_mut() = Some(judge.clone());
        Ok(judge)
    }

    /// The names of all queues in the virtual host that outlive their connection, sorted. RabbitMQ 4.3.6 lists an
    /// exclusive one for some milliseconds after its connection has ended.
    pub async fn queues(&self) -> Result<Vec<String>, Failure> {
        let topology = self.lease.topology().await.map_err(|error| {
            Failure::infra("the lab lists the queues of its virtual host", &error)
        })?;
        let mut names: Vec<String> = topology
            .queues
            .into_iter()
            .filter(|queue| !queue.exclusive)
            .map(|queue| queue.name)
            .collect();
        names.sort();
        Ok(names)
    }

    /// The broker closes every connection to the lab's virtual host, with code 320 (`CONNECTION_FORCED`).
    pub(crate) async fn closes_all_connections(&self, reason: &str) -> Checked {
        let programs: usize = self.programs.borrow().iter().map(Program::open).sum();
        let judge = usize::from(self.judge.borrow().is_some());
        let closed = self.lease.close_connections(programs + judge, reason);
        let closed = closed.await;
        closed.map_err(|error| Failure::infra("the broker closes the lab's connections", &error))
    }

    /// Adds to a failure what the broker complained about to any of the programs.
    #[must_use]
    pub fn explain(&self, failure: Failure) -> Failure {
        self.programs
            .borrow()
            .iter()
            .fold(failure, |failure, program| program.explain(failure))
    }

    /// What is known of this world, and of the others that it made.
    pub(crate) fn records(&self) -> Vec<Record> {
        let programs = self.programs.borrow();
        let own = Record {
            reports: programs.iter().map(Program::report).collect(),
            witnesses: programs.iter().map(Program::witness).collect(),
            tapes: programs
                .iter()
                .map(|program| program.tape().cloned())
                .collect(),
            given: Given {
                queues: self.declared.borrow().clone(),
                names: self.bench.given.names.iter().cloned().collect(),
                bodies: self
                    .bench
                    .given
                    .bodies
                    .iter()
                    .cloned()
                    .map(String::into_bytes)
                    .collect(),
                exchanges: self.bench.given.exchanges.iter().cloned().collect(),
                asks: self.bench.given.asks.clone(),
                fresh: true,
                left: self.left.borrow().clone(),
            },
        };
        let others = self.others.borrow();
        let others = others.iter().flat_map(|other| other.records());
        std::iter::once(own).chain(others).collect()
    }

    /// Ends everything: the programs, their taps, and the virtual host; of a lab whose body `held`, the next lab of
    /// the check may take the virtual host, when nothing can come to it any more.
    pub(crate) async fn close(self, held: bool) -> Result<(), Failure> {
        for other in self.others.take() {
            // The body is over, so nobody else holds the other world any more.
            if let Some(other) = Rc::into_inner(other) {
                Box::pin(other.close(held)).await?;
            }
        }
        let mut quiet = held;
        for program in self.programs.take() {
            program.close().await;
            quiet &= program.left_nothing_under_way();
        }
        let judge = self.judge.take();
        if let Some(own) = self.own {
            drop(judge);
            let released = self.lease.release().await;
            let gone = match released {
                Ok(()) => own.give_back().await,
                // The virtual host goes with its broker.
                Err(_) => own.stop().await,
            };
            return gone
                .map_err(|error| Failure::infra("the lab gives its own broker back", &error));
        }
        if !quiet {
            drop(judge);
            return leases::release(self.lease).await;
        }
        // A connection that does not end well may still be busy. With lapin 4.12, closing it fails when the closing of a
        // channel that was dropped a moment before is still to be sent.
        if let Some(judge) = judge
            && judge.close().await.is_err()
        {
            drop(judge);
            return leases::release(self.lease).await;
        }
        self.bench.leases.give_back(self.lease).await
    }
}

/// A command with its arguments, and with the address of its broker in all the variables that programs look at.
fn with_address(command: Command, start: Start<'_>, address: SocketAddr) -> Command {
    let Command {
        mut argv,
        directory,
        mut environment,
    } = command;
    argv.extend(start.arguments.iter().map(OsString::from));
    let url = format!("amqp://guest:guest@{address}/%2f");
    for (variable, value) in [
        ("AMQP_ADDR", url.clone()),
        ("AMQP_URL", url),
        ("RABBITMQ_HOST", address.ip().to_string()),
        ("RABBITMQ_PORT", address.port().to_string()),
    ] {
        environment.insert(variable.to_owned(), value.into());
    }
    for (variable, value) in start.variables {
        environment.insert((*variable).to_owned(), value.into());
    }
    Command {
        argv,
        directory,
        environment,
    }
}
