//! The command line as it is typed.

use clap::{Args, Parser, Subcommand};

/// Learn RabbitMQ with Rust, checked against a real broker.
#[derive(Debug, Parser)]
#[command(
    name = "cargo workbook",
    bin_name = "cargo workbook",
    version,
    arg_required_else_help = false
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
pub(crate) struct Global {
    /// Install what is missing without asking
    #[arg(long, global = true)]
    pub(crate) yes: bool,
    /// Which broker: auto, docker, local, or amqp://user:password@host:port/vhost
    #[arg(long, global = true, value_name = "BROKER")]
    pub(crate) broker: Option<String>,
    /// The language of messages (otherwise the locale's)
    #[arg(long, global = true, value_name = "LANG", value_parser = ["en", "zh"])]
    pub(crate) lang: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the exercises, their points and what you reached
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Run the checks of an exercise on your programs
    Check(Check),
    /// Show the last run's conversation with the broker as a sequence diagram
    Tape(Tape),
    /// Show the hints of the checks that failed last time
    Hint {
        /// The exercise, as `list` names it
        exercise: String,
    },
    /// The RabbitMQ that everything runs on
    Broker {
        #[command(subcommand)]
        command: Broker,
    },
    /// Say what is here, what is missing, and the command that mends it
    Doctor,
    /// Hold everything that must hold in this repository
    Verify,
    /// The book
    Book {
        #[command(subcommand)]
        command: Book,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The exercise, as `list` names it
    pub(crate) exercise: String,
    /// Check our solution instead of your programs
    #[arg(long)]
    pub(crate) solution: bool,
    /// Check another command instead of a program, in any language: --program send='python3 send.py'
    #[arg(long = "program", value_name = "NAME=COMMAND")]
    pub(crate) programs: Vec<String>,
    /// Repeat the random choices of an earlier run
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// How many checks run at the same time (otherwise twice the cores)
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
    /// One JSON object a line: started, check …, finished
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Tape {
    /// The exercise, as `list` names it
    pub(crate) exercise: String,
    /// The check whose tape is meant (otherwise the first that failed)
    #[arg(long, value_name = "NAME")]
    pub(crate) check: Option<String>,
    /// Write the diagram to a file as SVG
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<std::path::PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Broker {
    /// Find or start a broker; it stays until `down`
    Up,
    /// Stop every broker that the workbook started, and leave nothing behind
    Down,
    /// Show the brokers that run
    Status,
    /// Show the address of the management page, and open it in a browser
    Open,
    /// Make the Docker image rabbitmq:management from Debian's packages, where none can be pulled
    Image {
        /// Replace an image that is already there
        #[arg(long)]
        replace: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Book {
    /// Build the book as HTML, in every language
    Build {
        /// Where to (otherwise book/book)
        #[arg(long, value_name = "FOLDER")]
        out: Option<std::path::PathBuf>,
    },
    /// Serve the book, and build it again when its sources change
    Serve {
        /// Where to listen
        #[arg(long, default_value = "127.0.0.1:3000", value_name = "ADDRESS")]
        address: std::net::SocketAddr,
        /// Open it in a browser
        #[arg(long)]
        open: bool,
    },
    /// Be mdBook's preprocessor: a book as JSON comes on standard input
    Mdbook {
        /// mdBook's question: `supports RENDERER`
        #[arg(value_name = "QUESTION")]
        question: Vec<String>,
    },
    /// Bring the catalogue of translations up to date with the pages
    Refresh {
        /// Record the runs of the solutions again, too, on a broker
        #[arg(long)]
        runs: bool,
    },
    /// Build the book and say what is stale or broken in it; exits with 1 where there is anything
    Report,
    /// Take the pictures of the management page again, with Chromium and a broker
    Screenshots,
}
