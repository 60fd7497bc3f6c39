//! What the broker's crate asks of Docker, through testcontainers: one question a process.
//!
//! The question comes on standard input and the answer goes to standard output, both as JSON
//! ([`workbook_broker::engine`]). Nobody else needs this program: it is one of its own because of what it takes to
//! compile it, which a check that finds a broker does without.

#![forbid(unsafe_code)]

mod docker;

use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;

use workbook_broker::engine::{Answer, Asked};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match question() {
        Ok(asked) => tell(&docker::answer(asked).await),
        Err(error) => {
            // Whoever asks reads this; with standard error closed there is nobody.
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::from(2)
        }
    }
}

fn question() -> io::Result<Asked> {
    let mut json = Vec::new();
    io::stdin().read_to_end(&mut json)?;
    Ok(serde_json::from_slice(&json)?)
}

fn tell(answer: &Answer) -> ExitCode {
    let told = serde_json::to_writer(io::stdout(), answer);
    ExitCode::from(u8::from(told.is_err()))
}
