//! The command line as it is typed.

use clap::{Args, Parser, Subcommand};
use workbook_course::Language;

/// Learn RabbitMQ with Rust, checked against a real broker.
#[derive(Debug, Parser)]
#[command(
    name = "cargo workbook",
    bin_name = "cargo workbook",
    version,
    arg_required_else_help = false
)]
pub struct Cli {
    /// Options of every command
    #[command(flatten)]
    pub global: Global,
    /// What is asked for
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
pub struct Global {
    /// Install what is missing without asking
    #[arg(long, global = true)]
    pub yes: bool,
    /// Which broker: auto, docker, local, or amqp://user:password@host:port/vhost
    #[arg(long, global = true, value_name = "BROKER")]
    pub broker: Option<String>,
    /// The language of messages (otherwise the locale's)
    #[arg(long, global = true, value_name = "LANG", value_parser = ["en", "zh"])]
    pub lang: Option<String>,
}

impl Global {
    /// The language of messages.
    pub fn language(&self) -> Language {
        match &self.lang {
            Some(tag) => Language::from_tag(tag),
            None => Language::from_env(),
        }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
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
    /// Show the next hint for the checks that failed last time
    Hint {
        /// The exercise: its name or its number, as `list` shows them
        exercise: String,
    },
    /// The RabbitMQ that everything runs on
    Broker {
        /// What of it
        #[command(subcommand)]
        command: Broker,
    },
    /// Say what is here, what is missing, and the command that mends it
    Doctor,
    /// What only few need
    #[command(flatten)]
    Rest(Rest),
}

/// The commands that need much more than the others.
#[derive(Debug, Subcommand)]
pub enum Rest {
    /// Grade a class of submissions that nobody trusts
    Grade(Grade),
    /// Hold everything that must hold in this repository
    Verify,
    /// The book
    Book {
        /// What of it
        #[command(subcommand)]
        command: Book,
    },
}

/// `check EXERCISE`
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option as it is typed"
)]
pub struct Check {
    /// The exercise: its name or its number, as `list` shows them
    pub exercise: String,
    /// Run only this check (may be repeated)
    #[arg(long, value_name = "CHECK")]
    pub only: Vec<String>,
    /// Check again with each save, until Ctrl-C
    #[arg(long)]
    pub watch: bool,
    /// Tell everything: each check as it ends, and every failure in full
    #[arg(long)]
    pub verbose: bool,
    /// Check our solution instead of your programs
    #[arg(long)]
    pub solution: bool,
    /// Check another command instead of a program, in any language: --program send='python3 send.py'
    #[arg(long = "program", value_name = "NAME=COMMAND")]
    pub programs: Vec<String>,
    /// Repeat the random choices of an earlier run
    #[arg(long)]
    pub seed: Option<u64>,
    /// How many checks run at the same time (otherwise twice the cores)
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,
    /// One JSON object a line: started, check …, finished
    #[arg(long)]
    pub json: bool,
}

/// `grade PATH --out DIR`
#[derive(Debug, Args)]
pub struct Grade {
    /// A folder of submissions (folders, .zip, .tar.gz), or one submission
    pub path: std::path::PathBuf,
    /// Where the results go; what is there already is not graded again
    #[arg(long, value_name = "DIR")]
    pub out: std::path::PathBuf,
    /// Only this exercise (may be repeated; otherwise all that any submission holds)
    #[arg(long = "exercise", value_name = "NAME")]
    pub exercises: Vec<String>,
    /// How many submissions are compiled at the same time (otherwise one for each core)
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,
    /// Repeat the random choices of an earlier grading (otherwise those of DIR, or new ones)
    #[arg(long)]
    pub seed: Option<u64>,
    /// What the programs are kept in
    #[arg(long, value_enum, default_value_t = SandboxChoice::Auto)]
    pub sandbox: SandboxChoice,
    /// Grade again what is graded already
    #[arg(long)]
    pub again: bool,
    /// Also grade programs in other languages, as a submission's workbook.toml names them
    #[arg(long)]
    pub any_language: bool,
    /// A folder that programs in other languages need: they can read it, and its bin comes first on their path
    #[arg(long, value_name = "FOLDER")]
    pub tools: Vec<std::path::PathBuf>,
    /// One JSON object a line: started, graded …, finished
    #[arg(long)]
    pub json: bool,
}

/// What the programs are kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum SandboxChoice {
    /// bubblewrap, else Docker
    Auto,
    /// bubblewrap
    Bwrap,
    /// Docker
    Docker,
    /// Nothing: the programs run as you. Only for code that you trust
    None,
}

/// `tape EXERCISE`
#[derive(Debug, Args)]
pub struct Tape {
    /// The exercise: its name or its number, as `list` shows them
    pub exercise: String,
    /// The check whose tape is meant (otherwise the first that failed)
    #[arg(long, value_name = "NAME")]
    pub check: Option<String>,
    /// Write the diagram to a file as SVG
    #[arg(long, value_name = "FILE")]
    pub svg: Option<std::path::PathBuf>,
}

/// `broker …`
#[derive(Debug, Subcommand)]
pub enum Broker {
    /// Find or start a broker; it stays until `down`
    Up,
    /// Stop every broker that the workbook started, and leave nothing behind
    Down,
    /// Show the brokers that run
    Status,
    /// Empty the workbook's broker: delete the queues and exchanges that programs left in its virtual host `/`
    Reset,
    /// Show the address of the management page, and open it in a browser
    Open,
    /// Make the Docker image rabbitmq:management from Debian's packages, where none can be pulled
    Image {
        /// Replace an image that is already there
        #[arg(long)]
        replace: bool,
    },
}

/// `book …`
#[derive(Debug, Subcommand)]
pub enum Book {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

    use std::{fs, path::Path};

    use super::*;

    /// The commands in a text that begin with `cargo workbook`; one may go on in the next line.
    fn commands(text: &str) -> Vec<String> {
        let text = text.replace("\\\n", " ");
        let starts = ["", "> ", "$ ", "- ", "run: ", "\"postStartCommand\": \""];
        let command = |line: &str| {
            let line = line.trim();
            let found = starts
                .iter()
                .find_map(|start| line.strip_prefix(start)?.strip_prefix("cargo workbook "));
            found.map(|it| it.trim_end_matches("\",").to_owned())
        };
        text.lines().filter_map(command).collect()
    }

    #[test]
    fn what_people_are_told_to_type_is_understood() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut files = vec![
            root.join("README.md"),
            root.join(".devcontainer/devcontainer.json"),
        ];
        for folder in ["book/src", "harness/workbook/templates"] {
            let entries = fs::read_dir(root.join(folder)).unwrap();
            files.extend(
                entries
                    .map(|entry| entry.unwrap().path())
                    .filter(|path| path.is_file()),
            );
        }
        let mut count = 0;
        for file in files {
            for command in commands(&fs::read_to_string(&file).unwrap()) {
                let words = shell_words::split(&command).unwrap();
                let typed = ["cargo workbook".to_owned()].into_iter().chain(words);
                if let Err(error) = Cli::try_parse_from(typed) {
                    panic!("{}: cargo workbook {command}: {error}", file.display());
                }
                count += 1;
            }
        }
        assert!(count > 30, "{count} commands");
    }
}
