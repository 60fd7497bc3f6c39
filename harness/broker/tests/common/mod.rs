//! What the tests of this crate share: a state folder of their own, processes of ours, a look at what
//! is left, and loud skipping.

// Every test binary uses a part of it.
#![allow(dead_code, unreachable_pub)]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tempfile::TempDir;
use workbook_broker::{Broker, Choice, Kind, Options, StateDir};

/// What a test needs and this machine may lack.
pub fn have(kind: Kind) -> bool {
    let (is_here, what) = match kind {
        Kind::Docker => (has_image(), "Docker with the image rabbitmq:management"),
        Kind::Local => (has_server(), "rabbitmq-server"),
        Kind::Address => (true, "nothing"),
    };
    if !is_here {
        assert!(
            std::env::var_os("WORKBOOK_NO_SKIP").is_none_or(|value| value != "1"),
            "WORKBOOK_NO_SKIP=1, and there is no {what}"
        );
        // Past the test harness, which would keep it for failing tests only.
        let _ = writeln!(std::io::stderr().lock(), "SKIPPED: this needs {what}");
    }
    is_here
}

fn has_image() -> bool {
    Command::new("docker")
        .args(["image", "inspect", workbook_broker::IMAGE])
        .output()
        .is_ok_and(|output| output.status.success())
}

fn has_server() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain([
            PathBuf::from("/usr/sbin"),
            PathBuf::from("/usr/lib/rabbitmq/bin"),
        ])
        .any(|folder| folder.join("rabbitmq-server").exists())
}

/// A state folder of a test's own. Whatever the test leaves in it is stopped when it goes.
pub struct World {
    pub options: Options,
    said: Arc<Mutex<Vec<String>>>,
    folder: TempDir,
}

impl World {
    pub fn new(choice: Choice) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // A node of ours runs as another user when the tests run as root, and must reach its data
        // and a fake server.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let said = Arc::<Mutex<Vec<String>>>::default();
        let mut options = Options::new(StateDir::at(folder.path().join("state")));
        options.choice = choice;
        options.data = Some(folder.path().join("data/workbook"));
        options.progress = Arc::new({
            let said = Arc::clone(&said);
            move |line| said.lock().unwrap().push(line.to_owned())
        });
        Self {
            options,
            said,
            folder,
        }
    }

    pub fn of_kind(kind: Kind) -> Self {
        Self::new(kind.to_string().parse().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// What progress was told so far.
    pub fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    /// A process of ours in this world.
    pub fn command(&self, word: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_broker-by-hand"));
        command
            .arg(word)
            .env("WORKBOOK_STATE_DIR", self.options.state.path())
            .env("WORKBOOK_DATA_DIR", self.options.data.as_ref().unwrap())
            .env("WORKBOOK_BROKER", self.options.choice.to_string())
            .env_remove("WORKBOOK_YES")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// What is written down about the broker of a kind.
    pub fn record(&self, kind: Kind) -> Value {
        let path = self.options.state.path().join(format!("{kind}.json"));
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
    }

    /// The administrator's name and password, which only the state knows.
    pub fn administrator(&self, kind: Kind) -> (String, String) {
        let record = self.record(kind);
        let text = |key: &str| record[key].as_str().unwrap().to_owned();
        (text("user"), text("password"))
    }

    /// Writes an executable `rabbitmq-server` that is none, and makes it the only one to be found.
    pub fn fake_server(&mut self, body: &str) {
        let folder = self.path().join("fake");
        fs::create_dir(&folder).unwrap();
        let path = folder.join("rabbitmq-server");
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        self.options.path = Some(folder.into());
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // Also when the test failed: no broker of a test outlives it.
        let _ = self.command("down").output();
    }
}

/// A process that holds a lease or a broker, and told which in a line.
pub struct Holder {
    pub child: Child,
    pub told: String,
    stdin: Option<ChildStdin>,
}

impl Holder {
    /// One that holds a lease.
    pub fn start(world: &World) -> Self {
        let holder = Self::of(world, "hold");
        assert!(
            holder.told.starts_with("lab-"),
            "no lease but {:?}",
            holder.told
        );
        holder
    }

    /// One that runs the command.
    pub fn of(world: &World, word: &str) -> Self {
        let mut child = world.command(word).stdin(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take();
        let mut told = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut told)
            .unwrap();
        Self {
            child,
            told: told.trim().to_owned(),
            stdin,
        }
    }

    /// `kill -9`.
    pub fn kill(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.told
    }

    /// Ends in peace.
    pub fn end(mut self) {
        drop(self.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }
}

pub fn text(output: &Output) -> (String, String) {
    let utf8 = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (utf8(&output.stdout), utf8(&output.stderr))
}

/// What the management API answers, asked in a way of the test's own: its status and its JSON.
pub fn asked(broker: &Broker, (user, password): (&str, &str), path: &str) -> (u16, Value) {
    let url = broker.management_url();
    let address = (url.host_str().unwrap(), url.port().unwrap());
    let login = data_encoding::BASE64.encode(format!("{user}:{password}").as_bytes());
    let mut stream = TcpStream::connect(address).unwrap();
    // With this version nothing comes in pieces, and the connection ends with the answer.
    let request = format!("GET /api/{path} HTTP/1.0\r\nAuthorization: Basic {login}\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or_default())
}

/// The names in a list of the management API.
fn listed(broker: &Broker, (user, password): &(String, String), list: &str) -> Vec<String> {
    let (status, found) = asked(broker, (user, password), list);
    assert_eq!(status, 200, "{found}");
    let name = |it: &Value| it["name"].as_str().map(str::to_owned);
    found.as_array().unwrap().iter().filter_map(name).collect()
}

/// The vhosts and users of leases that a broker has now.
pub fn leases_on(world: &World, broker: &Broker) -> Vec<String> {
    let login = world.administrator(broker.kind());
    let (vhosts, users) = (
        listed(broker, &login, "vhosts"),
        listed(broker, &login, "users"),
    );
    let mut names: Vec<String> = [vhosts, users]
        .concat()
        .into_iter()
        .filter(|name| name.starts_with("lab-"))
        .collect();
    names.sort();
    names
}

/// Everything that a running broker of ours occupies, to see later that nothing of it is left.
pub struct Traces {
    ports: Vec<u16>,
    paths: Vec<PathBuf>,
    marks: Vec<String>,
    container: Option<String>,
    volumes: Vec<String>,
}

impl Traces {
    pub fn of(world: &World, broker: &Broker) -> Self {
        let record = world.record(broker.kind());
        let mut traces = Self {
            ports: vec![
                broker.amqp_address().port(),
                broker.management_url().port().unwrap(),
            ],
            paths: vec![
                world.options.state.path().to_owned(),
                world.options.data.clone().unwrap(),
            ],
            marks: vec![record["id"].as_str().unwrap().to_owned()],
            container: None,
            volumes: Vec::new(),
        };
        let node = &record["place"]["node"];
        if node.is_object() {
            for port in ["distribution", "epmd"] {
                traces
                    .ports
                    .push(node["ports"][port].as_u64().unwrap().try_into().unwrap());
            }
            traces.paths.push(node["data"].as_str().unwrap().into());
        }
        if let Some(name) = record["place"]["container"].as_str() {
            traces.container = Some(name.to_owned());
            let format = "{{range .Mounts}}{{.Name}}\n{{end}}";
            let mounts = docker(&["inspect", "--format", format, name]).expect("it runs");
            traces.volumes = mounts.split_whitespace().map(str::to_owned).collect();
        }
        traces
    }

    /// What is still there of them.
    pub fn left(&self) -> Vec<String> {
        let mut left = Vec::new();
        for port in &self.ports {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, *port));
            if TcpStream::connect(address).is_ok() {
                left.push(format!("somebody listens on {address}"));
            }
        }
        left.extend(
            self.paths
                .iter()
                .filter(|path| path.exists())
                .map(|path| path.display().to_string()),
        );
        left.extend(processes_with(&self.marks));
        if let Some(name) = &self.container
            && docker(&["inspect", name]).is_some()
        {
            left.push(format!("container {name}"));
        }
        for volume in &self.volumes {
            if docker(&["volume", "inspect", volume]).is_some() {
                left.push(format!("volume {volume}"));
            }
        }
        left
    }
}

/// Processes whose command line or environment names one of these.
fn processes_with(marks: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let process = entry.path();
        for file in ["cmdline", "environ"] {
            let text = fs::read(process.join(file)).unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            if marks.iter().any(|mark| text.contains(mark.as_str())) {
                let line = fs::read(process.join("cmdline")).unwrap_or_default();
                let line = String::from_utf8_lossy(&line).replace('\0', " ");
                found.push(format!("{}: {line}", process.display()));
                break;
            }
        }
    }
    found
}

pub fn docker(arguments: &[&str]) -> Option<String> {
    let output = Command::new("docker").args(arguments).output().ok()?;
    output.status.success().then(|| text(&output).0)
}
