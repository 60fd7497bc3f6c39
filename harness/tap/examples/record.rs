//! Records any client's conversation with its broker, stand-alone.
//!
//! ```text
//! record BROKER FILE                    listen, print each event, write the tape, until Ctrl-C
//! record BROKER FILE COMMAND [ARG]...   the same for as long as the command runs
//! ```
//!
//! `BROKER` is an address such as `127.0.0.1:5672`. The command finds the tap in `AMQP_ADDR`, and wherever an argument
//! says `{port}`.
#![allow(
    clippy::print_stdout,
    reason = "this is a program with something to say"
)]

use amqp_tap::{Conversation, Recording, Tap, TapOptions};
use std::{env, error::Error, path::PathBuf, process::ExitCode, time::Duration};
use tokio::{process::Command, signal::ctrl_c};

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [broker, file, command @ ..] = arguments.as_slice() else {
        println!("usage: record BROKER FILE [COMMAND [ARG]...]");
        return Ok(ExitCode::from(2));
    };
    let tap = Tap::open(TapOptions {
        recording: Recording {
            window: None,
            file: Some(PathBuf::from(file)),
        },
        ..TapOptions::recorder(broker.parse::<std::net::SocketAddr>()?)
    })
    .await?;
    println!("the tap listens on {}", tap.endpoint());

    let tape = tap.tape().clone();
    let mut progress = tape.subscribe();
    let printing = tokio::spawn(async move {
        let mut next = 0;
        loop {
            for event in tape.events().into_iter().skip(next) {
                println!("{event}");
                next += 1;
            }
            if progress.borrow_and_update().closed || progress.changed().await.is_err() {
                break;
            }
        }
    });

    match command {
        [] => ctrl_c().await?,
        [program, arguments @ ..] => {
            let port = tap.endpoint().tcp().map_or(0, |address| address.port());
            let status = Command::new(program)
                .args(
                    arguments
                        .iter()
                        .map(|argument| argument.replace("{port}", &port.to_string())),
                )
                .env("AMQP_ADDR", format!("amqp://{}/%2f", tap.endpoint()))
                .status()
                .await?;
            println!("the command ended: {status}");
            // Its last frames may still be on their way.
            let connections = tap.tape().connections();
            let _ = tap
                .tape()
                .wait_until(Duration::from_secs(5), |_| {
                    connections
                        .iter()
                        .all(|connection| tap.tape().ending(*connection).is_some())
                        .then_some(())
                })
                .await;
        }
    }
    let tape = tap.close().await;
    printing.await?;
    println!(
        "{}",
        serde_json::to_string_pretty(&Conversation::of(&tape))?
    );
    Ok(ExitCode::SUCCESS)
}
