//! `cargo workbook broker …`

use std::process::{Command, Stdio};

use workbook_broker::{Broker, IMAGE, image};

use super::Context;
use crate::{
    cli,
    error::{Error, Exit},
    output,
};

pub(super) async fn broker(context: &Context, command: cli::Broker) -> Result<Exit, Error> {
    let options = context.broker_options()?;
    match command {
        cli::Broker::Up => {
            let broker = Broker::find_or_start(&options).await?;
            show(&broker);
        }
        cli::Broker::Status => {
            let running = Broker::running(&options).await?;
            if running.is_empty() {
                output::line("no broker of the workbook runs; start one: cargo workbook broker up");
            }
            running.iter().for_each(show);
        }
        cli::Broker::Down => {
            let stopped = Broker::down(&options).await?;
            if stopped.is_empty() {
                output::line("no broker of the workbook was running");
            }
            for broker in stopped {
                output::line(&format!("stopped {} ({})", broker.name, broker.kind));
            }
        }
        cli::Broker::Open => {
            let broker = Broker::find_or_start(&options).await?;
            show(&broker);
            open(broker.management_url().as_str());
        }
        cli::Broker::Image { replace } => {
            let mut wanted = super::image_options(&options);
            wanted.replace = replace;
            let built = image::build(wanted).await?;
            output::line(&if built.is_new {
                let seconds = built.elapsed.as_secs();
                let megabytes = built.bytes / 1_000_000;
                let version = built.version.as_deref().unwrap_or("of an unknown version");
                format!(
                    "made {IMAGE} with RabbitMQ {version} in {seconds} s: {megabytes} MB ({})",
                    built.id
                )
            } else {
                format!(
                    "{IMAGE} is there already ({}); --replace makes it anew",
                    built.id
                )
            });
        }
    }
    Ok(Exit::Ok)
}

fn show(broker: &Broker) {
    output::line(&format!(
        "RabbitMQ {} ({})",
        broker.version(),
        broker.kind()
    ));
    output::line(&format!("  programs    {}", broker.amqp_url()));
    output::line(&format!("  management  {}", broker.management_url()));
}

/// Opens an address in the browser, where there is one.
fn open(url: &str) {
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
    output::line("no browser was found on this machine: open the management address in yours");
}
