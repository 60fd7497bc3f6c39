//! The commands, a file each.

mod broker;
mod check;
mod doctor;
mod find;
mod hint;
mod list;
mod status;
mod tape;

use std::{env, path::Path, sync::Arc};

use workbook_broker::{BROKER_VARIABLE, Broker, Choice, Consent, Options, image::ImageOptions};
use workbook_course::{Language, Workspace};
use workbook_report::{request::Request, sentences::in_language};

use crate::{
    cli::{Cli, Command, Global, Rest},
    error::{Error, Exit},
    output,
};

/// What every command knows.
#[derive(Debug)]
pub struct Context {
    /// The checkout.
    pub workspace: Workspace,
    /// The language of messages.
    pub language: Language,
    /// The options of every command.
    pub global: Global,
}

impl Context {
    /// Where to get a broker from, as the options and the environment say.
    pub fn broker_options(&self) -> Result<Options, Error> {
        let mut options = Options::from_env()?;
        if let Some(choice) = &self.global.broker {
            options.choice = choice.parse()?;
        }
        if self.global.yes {
            options.consent = Consent::Yes;
        } else if options.consent == Consent::No {
            options.consent = Consent::Ask;
        }
        let language = self.language;
        options.progress = Arc::new(move |text| output::progress(&in_language(text, language)));
        Ok(options)
    }

    /// What every check is told: which language, and the broker that was found.
    pub fn request(&self, choice: &Choice, found: &Broker) -> Request {
        let broker = match choice {
            // The address may hold a password, and `Display` leaves that out.
            Choice::Address(_) => {
                let typed = self.global.broker.clone();
                typed.or_else(|| env::var(BROKER_VARIABLE).ok())
            }
            Choice::Auto => Some(found.kind().to_string()),
            choice => Some(choice.to_string()),
        };
        Request {
            language: self.language,
            broker,
            ..Request::default()
        }
    }
}

/// How to make the image, with the same consent and the same listener as `options`.
pub fn image_options(options: &Options) -> ImageOptions {
    let mut wanted = ImageOptions::default();
    wanted.consent = options.consent;
    wanted.progress = options.progress.clone();
    wanted
}

/// Does what was asked.
pub(crate) fn run(
    cli: Cli,
    language: Language,
    rest: impl AsyncFnOnce(&Context, Rest) -> Result<Exit, Error>,
) -> Result<Exit, Error> {
    let here = env::current_dir()?;
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = Workspace::find(&here).or_else(|_| Workspace::find(built_in))?;
    let context = Context {
        workspace,
        language,
        global: cli.global,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match cli.command {
            None => Ok(status::status(&context)),
            Some(Command::List { json }) => Ok(list::list(&context, json)),
            Some(Command::Check(arguments)) => check::check(&context, arguments).await,
            Some(Command::Tape(arguments)) => tape::tape(&context, &arguments),
            Some(Command::Hint { exercise }) => hint::hint(&context, &exercise),
            Some(Command::Broker { command }) => broker::broker(&context, command).await,
            Some(Command::Doctor) => doctor::doctor(&context).await,
            Some(Command::Rest(asked)) => rest(&context, asked).await,
        }
    })
}
