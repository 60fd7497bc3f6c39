//! `cargo workbook broker …`

use std::process::{Command, Stdio};

use workbook_broker::{Broker, Choice, IMAGE, Kind, Options, image};
use workbook_course::Language;

use super::Context;
use crate::{
    cli,
    error::{Error, Exit},
    output,
};

pub(super) async fn broker(context: &Context, command: cli::Broker) -> Result<Exit, Error> {
    let options = context.broker_options()?;
    let say = |english: &'static str, chinese: &'static str| match context.language {
        Language::English => english,
        Language::Chinese => chinese,
    };
    match command {
        cli::Broker::Up => {
            let broker = Broker::find_or_start(&options).await?;
            show(context, &broker);
        }
        cli::Broker::Status => {
            let running = Broker::running(&options).await?;
            if running.is_empty() {
                output::line(say(
                    "no broker of the workbook runs; start one: cargo workbook broker up",
                    "练习册的代理没有在运行；启动：cargo workbook broker up",
                ));
            }
            for broker in &running {
                show(context, broker);
            }
            if Broker::has_spare(&options) {
                output::line(say(
                    "one more waits for the next check that restarts a broker; cargo workbook broker down stops it, too",
                    "另有一个代理，留给下一项要重启代理的检查；cargo workbook broker down 也会停止它",
                ));
            }
        }
        cli::Broker::Down => {
            let stopped = Broker::down(&options).await?;
            if stopped.is_empty() {
                output::line(say(
                    "no broker of the workbook was running",
                    "练习册的代理没有在运行",
                ));
            }
            for broker in stopped {
                let stopped = say("stopped", "已停止");
                output::line(&format!("{stopped} {} ({})", broker.name, broker.kind));
            }
        }
        cli::Broker::Open => {
            let broker = Broker::find_or_start(&options).await?;
            show(context, &broker);
            open(context, broker.management_url().as_str());
        }
        cli::Broker::Image { replace } => {
            let mut wanted = super::image_options(&options);
            wanted.replace = replace;
            let built = image::build(wanted).await?;
            let seconds = built.elapsed.as_secs();
            let megabytes = built.bytes / 1_000_000;
            let version = built.version.as_deref();
            let version = version.unwrap_or(say("of an unknown version", "（版本未知）"));
            let id = &built.id;
            output::line(&match (built.is_new, context.language) {
                (true, Language::English) => format!(
                    "made {IMAGE} with RabbitMQ {version} in {seconds} s: {megabytes} MB ({id})"
                ),
                (true, Language::Chinese) => format!(
                    "已制作 {IMAGE}，含 RabbitMQ {version}，用时 {seconds} 秒，{megabytes} MB（{id}）"
                ),
                (false, Language::English) => {
                    format!("{IMAGE} is there already ({id}); --replace makes it anew")
                }
                (false, Language::Chinese) => {
                    format!("{IMAGE} 已经存在（{id}）；--replace 可重新制作")
                }
            });
        }
        cli::Broker::Reset => reset(context, &options).await?,
    }
    Ok(Exit::Ok)
}

/// Empties the vhost `/` of the workbook's brokers that run; none is started for it.
async fn reset(context: &Context, options: &Options) -> Result<(), Error> {
    let wanted = match &options.choice {
        // Somebody else's: it says so.
        Choice::Address(_) => vec![Broker::find_or_start(options).await?],
        Choice::Docker => of_kind(options, Kind::Docker).await?,
        Choice::Local => of_kind(options, Kind::Local).await?,
        Choice::Auto => Broker::running(options).await?,
    };
    if wanted.is_empty() {
        output::line(match context.language {
            Language::English => "no broker of the workbook runs, so there is nothing to empty",
            Language::Chinese => "练习册的代理没有在运行，没有需要清空的内容",
        });
    }
    for broker in wanted {
        let removed = broker.reset().await?;
        let (version, kind) = (broker.version(), broker.kind());
        let names = |names: Vec<&str>| match (names.is_empty(), context.language) {
            (true, Language::English) => "none".to_owned(),
            (true, Language::Chinese) => "无".to_owned(),
            (false, Language::English) => names.join(", "),
            (false, Language::Chinese) => names.join("、"),
        };
        let queues = names(removed.queues.iter().map(|it| it.name.as_str()).collect());
        let exchanges = names(
            removed
                .exchanges
                .iter()
                .map(|it| it.name.as_str())
                .collect(),
        );
        output::line(&match context.language {
            Language::English => format!(
                "emptied RabbitMQ {version} ({kind}): queues deleted: {queues}; exchanges deleted: {exchanges}"
            ),
            Language::Chinese => format!(
                "已清空 RabbitMQ {version}（{kind}）：删除的队列：{queues}；删除的交换机：{exchanges}"
            ),
        });
    }
    Ok(())
}

async fn of_kind(options: &Options, kind: Kind) -> Result<Vec<Broker>, Error> {
    let mut running = Broker::running(options).await?;
    running.retain(|broker| broker.kind() == kind);
    Ok(running)
}

fn show(context: &Context, broker: &Broker) {
    let (programs, management) = match context.language {
        Language::English => ("programs    ", "management  "),
        Language::Chinese => ("程序地址    ", "管理页面    "),
    };
    output::line(&format!(
        "RabbitMQ {} ({})",
        broker.version(),
        broker.kind()
    ));
    output::line(&format!("  {programs}{}", broker.amqp_url()));
    output::line(&format!("  {management}{}", broker.management_url()));
}

/// Opens an address in the browser, where there is one.
fn open(context: &Context, url: &str) {
    for opener in ["xdg-open", "open", "wslview"] {
        let started = Command::new(opener)
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        if started.is_ok() {
            return;
        }
    }
    output::line(match context.language {
        Language::English => {
            "no browser was found on this machine: open the management address in yours"
        }
        Language::Chinese => "本机没有找到浏览器：请在你的浏览器中打开管理页面地址",
    });
}
