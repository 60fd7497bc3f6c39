//! The broker by hand, and the process that this crate's own tests start, hold and kill.
//!
//! ```text
//! broker-by-hand up       find or start it, and tell its address
//! broker-by-hand status   what runs
//! broker-by-hand hold     take a lease, tell its name, and keep it until standard input ends
//! broker-by-hand own      start one for this process alone, and keep it until standard input ends
//! broker-by-hand image    make the image (`image --replace`: also when there is one)
//! broker-by-hand down     stop everything of ours
//! ```
//! Learners and teachers use `cargo workbook broker`, which says the same in more words.

use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use workbook_broker::image::{self, ImageOptions};
use workbook_broker::{Broker, Error, Options};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let command = std::env::args().nth(1).unwrap_or_default();
    match run(&command).await {
        Ok(code) => code,
        Err(error) => {
            // With standard error closed there is nobody left to tell.
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::from(if error.is_no_broker() { 4 } else { 5 })
        }
    }
}

async fn run(command: &str) -> Result<ExitCode, Error> {
    let mut options = Options::from_env()?;
    options.progress = Arc::new(|line| {
        let _ = writeln!(io::stderr(), "{line}");
    });
    match command {
        "up" => tell(&describe(&Broker::find_or_start(&options).await?)),
        "status" => {
            for broker in Broker::running(&options).await? {
                tell(&describe(&broker));
            }
        }
        "hold" => {
            let lease = Broker::find_or_start(&options).await?.lease().await?;
            tell(lease.vhost());
            let _ = io::stdin().read_to_end(&mut Vec::new());
            lease.release().await?;
        }
        "own" => {
            let own = Broker::start_own(&options).await?;
            tell(&describe(own.broker()));
            let _ = io::stdin().read_to_end(&mut Vec::new());
            own.stop().await?;
        }
        "image" => {
            let mut wanted = ImageOptions::default();
            wanted.replace = std::env::args().any(|word| word == "--replace");
            wanted.consent = options.consent;
            wanted.progress = Arc::clone(&options.progress);
            tell(&format!("{:?}", image::build(wanted).await?));
        }
        "down" => {
            for stopped in Broker::down(&options).await? {
                tell(&format!("{} {}", stopped.kind, stopped.name));
            }
        }
        _ => {
            let _ = writeln!(
                io::stderr(),
                "usage: broker-by-hand up|status|hold|own|image|down"
            );
            return Ok(ExitCode::from(2));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn describe(broker: &Broker) -> String {
    format!(
        "{} {} {} {}",
        broker.kind(),
        broker.version(),
        broker.amqp_address(),
        broker.management_url()
    )
}

fn tell(line: &str) {
    let mut out = io::stdout().lock();
    // A closed pipe is the reader's wish.
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}
