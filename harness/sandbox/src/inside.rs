//! The first process of a sandbox: it listens, starts the program, minds it, and tells how it ended.
//!
//! It is process 1 of its namespace: nothing inside can kill it, and its end kills
//! everything else. Nobody inside can look into it or take its descriptors, as it is
//! not dumpable. When the control ends (whoever is outside died), so does it.

use std::{
    convert::Infallible,
    fs,
    io::{self, BufRead, BufReader, Write},
    net::{Ipv4Addr, TcpListener},
    os::{
        fd::{AsFd, OwnedFd},
        unix::{net::UnixStream, process::CommandExt},
    },
    path::Path,
    process::{Command, ExitCode, Stdio},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{
        DumpableBehavior, Pid, Resource, Rlimit, Signal, WaitOptions, kill_process, nice,
        set_dumpable_behavior, setrlimit, wait,
    },
};

use crate::{
    limits::{Limits, Tripped},
    wire::{
        CONTINUE, CONTROL_FOLDER, CONTROL_NAME, Go, INTERRUPT, Opening, Over, STOP, hand_over,
        take_over,
    },
};

/// How often the use of memory, time and processes is looked at. A program that is over sooner was within them.
const LOOK: Duration = Duration::from_millis(25);

/// How much nicer the program is than whoever watches it: a thousand processes leave no turn to one of their like.
const BEHIND: i32 = 5;

/// The exit code of an entry that could not do its part; whoever is outside then finds no [`Over`].
const BROKEN: u8 = 125;

/// Does everything; returns when the program is over.
pub fn main() -> ExitCode {
    match mind() {
        Ok(never) => match never {},
        Err(error) => {
            // The only words that this process ever says; outside they are an `infra`.
            let _ = writeln!(io::stderr(), "sandbox: {error}");
            ExitCode::from(BROKEN)
        }
    }
}

fn mind() -> io::Result<Infallible> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    // Whoever made the sandbox may have had files open, and its parents theirs: none of that is for what runs inside.
    close_fds::set_fds_cloexec(3, &[]);
    let control = UnixStream::connect(Path::new(CONTROL_FOLDER).join(CONTROL_NAME))?;
    let terminal = take_over(&control)?.pop();
    let mut lines = BufReader::new(control.try_clone()?);
    let opening: Opening = serde_json::from_str(&line(&mut lines)?)?;
    hand_out(&control, &opening.ports)?;
    let go: Go = serde_json::from_str(&line(&mut lines)?)?;
    bound(&opening)?;

    let end = Arc::new(End(Mutex::new(control.try_clone()?)));
    let (tell, program) = mpsc::channel();
    // Before the program runs: it may leave no thread to us, and no turn of the processor.
    let early = lines.buffer().to_vec();
    thread::Builder::new().spawn({
        let end = Arc::clone(&end);
        move || {
            if let Ok(program) = program.recv() {
                watch(program, &early, &control, &opening.limits, &end);
            }
        }
    })?;
    // Of this thread only, and of all that it starts: whoever watches goes first.
    nice(BEHIND)?;
    let over = match start(&go, terminal) {
        Ok(pid) => {
            // The receiver lives as long as we do.
            let _ = tell.send(pid);
            end_of(pid, &opening.limits)?
        }
        Err(error) => Over::Refused(error.raw_os_error().unwrap_or_default()),
    };
    end.comes(Some(over))
}

/// The end of everything inside, which comes once.
struct End(Mutex<UnixStream>);

impl End {
    /// Tells how it ended, where somebody is left to hear it, and ends this process: the kernel then kills all others
    /// at once, however many there are.
    #[expect(clippy::disallowed_methods, reason = "nothing inside is to go on")]
    fn comes(&self, over: Option<Over>) -> ! {
        // It is kept: a second end has nothing to say.
        let mut control = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(over) = over {
            let mut told = serde_json::to_vec(&over).unwrap_or_default();
            told.push(b'\n');
            // Whoever does not hear it sees a sandbox that broke.
            let _ = control.write_all(&told);
        }
        std::process::exit(0)
    }
}

fn line(lines: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    lines.read_line(&mut line)?;
    Ok(line)
}

/// Listens on each port, and gives the sockets away.
fn hand_out(control: &UnixStream, ports: &[u16]) -> io::Result<()> {
    let sockets = ports
        .iter()
        .map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)))
        .collect::<io::Result<Vec<_>>>()?;
    let descriptors: Vec<_> = sockets.iter().map(AsFd::as_fd).collect();
    hand_over(control, &descriptors)
}

/// Sets the limits that the kernel itself holds; they are those of every process inside.
fn bound(opening: &Opening) -> io::Result<()> {
    let limits = &opening.limits;
    // Where it counts what our user runs outside, too, it would be a limit on that.
    let threads = (opening.own_uid || counts_by_namespace()).then_some(limits.threads);
    let all = [
        (Resource::Core, 0),
        // Whoever watches is to be first: only they tell why. The kernel was faster even with a limit of 31 s where they
        // had one of 30; it seems to count in another way.
        (Resource::Cpu, limits.cpu.saturating_mul(2)),
        // Of one process; all together are watched.
        (Resource::Data, limits.memory.saturating_mul(2)),
        (Resource::Fsize, limits.file),
        (Resource::Nofile, limits.descriptors),
        (Resource::Nproc, threads.unwrap_or(u64::MAX)),
        (Resource::Memlock, 0),
        (Resource::Msgqueue, 0),
    ];
    for (resource, limit) in all {
        // One that is lower already stays.
        let limit = rustix::process::getrlimit(resource)
            .maximum
            .map_or(limit, |most| most.min(limit));
        setrlimit(
            resource,
            Rlimit {
                current: Some(limit),
                maximum: Some(limit),
            },
        )?;
    }
    Ok(())
}

/// Whether the kernel counts a user's processes for each user namespace by itself: Linux 5.14 and later.
fn counts_by_namespace() -> bool {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut numbers = release
        .split(|c: char| !c.is_ascii_digit())
        .map(str::parse::<u32>);
    let mut next = || numbers.next().and_then(Result::ok).unwrap_or_default();
    (next(), next()) >= (5, 14)
}

/// Starts the program; without a terminal its standard output is ours.
fn start(go: &Go, terminal: Option<OwnedFd>) -> io::Result<Pid> {
    let (program, arguments) = go
        .argv
        .split_first()
        .ok_or_else(|| io::Error::from_raw_os_error(rustix::io::Errno::NOENT.raw_os_error()))?;
    let child = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(&go.environment)
        .current_dir(&go.directory)
        .stdin(Stdio::inherit())
        .stdout(terminal.map_or_else(Stdio::inherit, Stdio::from))
        .process_group(0)
        .spawn()?;
    // The handle is not waited for: `wait` below takes every child that ends, orphans too.
    Pid::from_raw(child.id().cast_signed()).ok_or_else(|| io::Error::other("a process without id"))
}

/// Waits for the program; orphans that end before it are taken away.
fn end_of(program: Pid, limits: &Limits) -> io::Result<Over> {
    loop {
        let Some((pid, status)) = wait(WaitOptions::empty())? else {
            continue;
        };
        if pid != program {
            continue;
        }
        if let Some(code) = status.exit_status() {
            return Ok(Over::Code(code));
        }
        if let Some(signal) = status.terminating_signal() {
            // On a machine that gives whoever watches no turn, the kernel kills for its own limit.
            if signal == Signal::KILL.as_raw() && passed(limits) == Some(Tripped::Cpu) {
                return Ok(Over::Tripped(Tripped::Cpu));
            }
            return Ok(Over::Signal(signal));
        }
    }
}

/// Does what comes from outside, and looks at what is used; ends the program when either asks for it.
fn watch(program: Pid, early: &[u8], control: &UnixStream, limits: &Limits, end: &End) {
    for byte in early {
        obey(program, *byte);
    }
    let look = Timespec {
        tv_sec: 0,
        tv_nsec: i64::try_from(LOOK.as_nanos()).unwrap_or_default(),
    };
    loop {
        let mut waiting = [PollFd::new(control, PollFlags::IN)];
        match poll(&mut waiting, Some(&look)) {
            Ok(0) | Err(_) => {}
            Ok(_) => {
                let mut bytes = [0; 16];
                match rustix::io::read(control, &mut bytes) {
                    Ok(count) if count > 0 => {
                        bytes[..count].iter().for_each(|byte| obey(program, *byte));
                    }
                    // Nobody is outside any more.
                    _ => end.comes(None),
                }
            }
        }
        if let Some(limit) = passed(limits) {
            end.comes(Some(Over::Tripped(limit)));
        }
    }
}

fn obey(program: Pid, order: u8) {
    let signal = match order {
        INTERRUPT => Signal::INT,
        STOP => Signal::STOP,
        CONTINUE => Signal::CONT,
        _ => return,
    };
    // It may have ended at this very moment.
    let _ = kill_process(program, signal);
}

/// The first limit that all processes but this one have passed together.
fn passed(limits: &Limits) -> Option<Tripped> {
    let page = rustix::param::page_size() as u64;
    let ticks = rustix::param::clock_ticks_per_second();
    let (mut memory, mut cpu, mut threads, mut processes) = (0_u64, 0_u64, 0_u64, 0_u64);
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        // After the name in parentheses, which may hold anything, field 3 comes first.
        let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
        let fields: Vec<&str> = after.split_whitespace().collect();
        let number = |field: usize| {
            let text = fields.get(field - 3).copied().unwrap_or_default();
            text.parse::<u64>().unwrap_or_default()
        };
        if pid == 1 {
            // Of those that ended and were taken away, their time is here.
            cpu += number(16) + number(17);
            continue;
        }
        cpu += number(14) + number(15) + number(16) + number(17);
        threads += number(20);
        memory = memory.saturating_add(number(24).saturating_mul(page));
        processes += 1;
    }
    if memory > limits.memory {
        Some(Tripped::Memory)
    } else if cpu > limits.cpu.saturating_mul(ticks) {
        Some(Tripped::Cpu)
    } else if processes >= limits.processes || threads >= limits.threads {
        Some(Tripped::Processes)
    } else {
        None
    }
}
