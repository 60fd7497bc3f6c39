//! `cargo workbook doctor`: what is here, what is missing, and the command that mends it.

use std::process::{Command, Stdio};

use workbook_broker::{Broker, Choice, IMAGE, Kind};
use workbook_course::Language;
use workbook_report::sentences::in_language;

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
    why: Both,
    cure: Both,
}

/// A text in English and in Chinese.
type Both = (&'static str, &'static str);

const TOOLS: [Tool; 6] = [
    Tool {
        name: "cargo",
        probe: &["cargo", "--version"],
        why: ("builds everything", "编译一切"),
        cure: ("install Rust with rustup", "用 rustup 安装 Rust"),
    },
    Tool {
        name: "Docker",
        probe: &["docker", "version", "--format", "{{.Server.Version}}"],
        why: (
            "one of the two ways to a RabbitMQ",
            "获得 RabbitMQ 的两种途径之一",
        ),
        cure: (
            "apt-get install docker.io, and start the daemon",
            "apt-get install docker.io，并启动守护进程",
        ),
    },
    Tool {
        name: IMAGE,
        probe: &["docker", "image", "inspect", "--format", "{{.Id}}", IMAGE],
        why: ("the image of that RabbitMQ", "这种 RabbitMQ 的镜像"),
        cure: (
            "docker pull rabbitmq:management, or where nothing can be pulled: cargo workbook broker image",
            "docker pull rabbitmq:management；无法拉取时：cargo workbook broker image",
        ),
    },
    Tool {
        name: "rabbitmq-server",
        probe: &[
            "sh",
            "-c",
            "PATH=$PATH:/usr/sbin command -v rabbitmq-server",
        ],
        why: ("the other way to a RabbitMQ", "获得 RabbitMQ 的另一种途径"),
        cure: (
            "apt-get install rabbitmq-server",
            "apt-get install rabbitmq-server",
        ),
    },
    Tool {
        name: "bubblewrap",
        probe: &["bwrap", "--version"],
        why: (
            "keeps the programs of strangers in; only `grade` needs it",
            "隔离他人的程序；只有 `grade` 需要",
        ),
        cure: ("apt-get install bubblewrap", "apt-get install bubblewrap"),
    },
    Tool {
        name: "python3",
        probe: &["python3", "--version"],
        why: (
            "runs the original tutorial's programs; only `verify` needs it",
            "运行原教程的程序；只有 `verify` 需要",
        ),
        cure: (
            "apt-get install python3-venv",
            "apt-get install python3-venv",
        ),
    },
];

pub(super) async fn doctor(context: &Context) -> Result<Exit, Error> {
    let language = context.language;
    let say = |both: Both| match language {
        Language::English => both.0,
        Language::Chinese => both.1,
    };
    let here = say(("here   ", "已有   "));
    let missing = say(("missing", "缺少   "));
    let mend = say(("mend:", "补救："));
    for tool in TOOLS {
        match answer(tool.probe) {
            Some(said) => output::line(&format!("  {here}  {:<20} {said}", tool.name)),
            None => {
                output::line(&format!("  {missing}  {:<20} {}", tool.name, say(tool.why)));
                output::line(&format!("{:32}{mend} {}", "", say(tool.cure)));
            }
        }
    }
    let options = context.broker_options()?;
    let running = Broker::running(&options).await?;
    for broker in &running {
        let (version, kind) = (broker.version(), broker.kind());
        output::line(&format!(
            "  {here}  {} RabbitMQ {version} ({kind})",
            say(("a running broker    ", "运行中的代理        "))
        ));
    }
    output::line("");
    output::line(&taken(context, &running).await?);
    Ok(Exit::Ok)
}

/// Which broker is used: where nothing is asked for, which one `auto` takes.
async fn taken(context: &Context, running: &[Broker]) -> Result<String, Error> {
    let options = context.broker_options()?;
    let say = |english: String, chinese: String| match context.language {
        Language::English => english,
        Language::Chinese => chinese,
    };
    if options.choice != Choice::Auto {
        let choice = &options.choice;
        return Ok(say(
            format!("the broker that is asked for: {choice}"),
            format!("指定使用的代理：{choice}"),
        ));
    }
    if let Some(broker) = running.first() {
        let (version, kind) = (broker.version(), broker.kind());
        return Ok(say(
            format!("`auto` takes the broker that runs: RabbitMQ {version} ({kind})"),
            format!("`auto` 会使用正在运行的代理：RabbitMQ {version}（{kind}）"),
        ));
    }
    let docker = Broker::could_start(&options, Kind::Docker).await;
    if docker.is_ok() {
        return Ok(say(
            format!("`auto` starts a container of {IMAGE} when something needs a broker"),
            format!("需要代理时，`auto` 会启动 {IMAGE} 的容器"),
        ));
    }
    let reason = in_language(&docker.err().unwrap_or_default(), context.language);
    Ok(match Broker::could_start(&options, Kind::Local).await {
        Ok(()) => say(
            format!(
                "`auto` starts this machine's rabbitmq-server when something needs a broker (Docker: {reason})"
            ),
            format!("需要代理时，`auto` 会启动本机的 rabbitmq-server（Docker：{reason}）"),
        ),
        Err(_) => say(
            format!(
                "`auto` tries to fetch {IMAGE} with Docker, and else asks whether it may install rabbitmq-server (Docker: {reason})"
            ),
            format!(
                "`auto` 会尝试用 Docker 获取 {IMAGE}，否则询问是否可以安装 rabbitmq-server（Docker：{reason}）"
            ),
        ),
    })
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
