//! `cargo workbook doctor`: what is here, what is missing, and the command that mends it.

use std::process::{Command, Stdio};

use workbook_broker::{Broker, IMAGE};

use super::Context;
use crate::{
    error::{Error, Exit},
    output,
};

/// Something that the workbook uses when it is there.
struct Tool {
    name: &'static str,
    /// The command that shows that it works.
    probe: &'static [&'static str],
    why: &'static str,
    cure: &'static str,
}

const TOOLS: [Tool; 6] = [
    Tool {
        name: "cargo",
        probe: &["cargo", "--version"],
        why: "builds everything",
        cure: "install Rust with rustup",
    },
    Tool {
        name: "Docker",
        probe: &["docker", "version", "--format", "{{.Server.Version}}"],
        why: "one of the two ways to a RabbitMQ",
        cure: "apt-get install docker.io, and start the daemon",
    },
    Tool {
        name: IMAGE,
        probe: &["docker", "image", "inspect", "--format", "{{.Id}}", IMAGE],
        why: "the image of that RabbitMQ",
        cure: "docker pull rabbitmq:management, or where nothing can be pulled: cargo workbook broker image",
    },
    Tool {
        name: "rabbitmq-server",
        probe: &[
            "sh",
            "-c",
            "PATH=$PATH:/usr/sbin command -v rabbitmq-server",
        ],
        why: "the other way to a RabbitMQ",
        cure: "apt-get install rabbitmq-server",
    },
    Tool {
        name: "bubblewrap",
        probe: &["bwrap", "--version"],
        why: "keeps the programs of strangers in; only `grade` needs it",
        cure: "apt-get install bubblewrap",
    },
    Tool {
        name: "python3",
        probe: &["python3", "--version"],
        why: "runs the original tutorial's programs; only `verify` needs it",
        cure: "apt-get install python3-venv",
    },
];

pub(super) async fn doctor(context: &Context) -> Result<Exit, Error> {
    for tool in TOOLS {
        match answer(tool.probe) {
            Some(said) => output::line(&format!("  here     {:<20} {said}", tool.name)),
            None => {
                output::line(&format!("  missing  {:<20} {}", tool.name, tool.why));
                output::line(&format!("           {:<20} mend: {}", "", tool.cure));
            }
        }
    }
    let running = Broker::running(&context.broker_options()?).await?;
    for broker in &running {
        output::line(&format!(
            "  here     {:<20} RabbitMQ {} ({})",
            "a running broker",
            broker.version(),
            broker.kind()
        ));
    }
    if running.is_empty() {
        output::line(&format!(
            "  missing  {:<20} it is started when something needs it",
            "a running broker"
        ));
        output::line(&format!(
            "           {:<20} start it now: cargo workbook broker up",
            ""
        ));
    }
    Ok(Exit::Ok)
}

/// The first line that a command prints, where it succeeds.
fn answer(command: &[&str]) -> Option<String> {
    let output = Command::new(command[0])
        .args(&command[1..])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&output.stdout)
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned();
    output.status.success().then_some(said)
}
