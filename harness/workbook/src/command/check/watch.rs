//! `check --watch`: again with each save; a run that is under way when a file is saved is stopped.

use std::{path::PathBuf, pin::pin, time::Duration};

use notify_debouncer_full::{
    DebounceEventResult, new_debouncer,
    notify::{self, RecursiveMode},
};
use tokio::sync::watch;
use workbook_course::Language;

use crate::{
    error::{Error, Exit},
    output,
};

/// An editor writes a file in several steps; they are taken as one.
const QUIET: Duration = Duration::from_millis(100);

/// Does something, and again whenever one of the files or folders changes, until Ctrl-C. Returns how the last one that
/// came to its end did.
pub(super) async fn again_and_again(
    language: Language,
    watched: &[PathBuf],
    something: impl AsyncFn() -> Result<Exit, Error>,
) -> Result<Exit, Error> {
    let (changed, mut hears) = watch::channel(());
    let files = watched.to_vec();
    let mut watcher = new_debouncer(QUIET, None, move |events: DebounceEventResult| {
        let concerns = |path: &PathBuf| files.iter().any(|file| path.starts_with(file));
        // Reading a file is an event, too, and building reads them all.
        let is_change = |event: &notify_debouncer_full::DebouncedEvent| {
            let kind = event.kind;
            (kind.is_create() || kind.is_modify() || kind.is_remove())
                && event.paths.iter().any(concerns)
        };
        if events.is_ok_and(|events| events.iter().any(is_change)) {
            changed.send_replace(());
        }
    })
    .map_err(|error| broken(&error))?;
    for path in watched {
        // An editor may put a new file in the place of the old one, so a file's folder is watched.
        let folder = if path.is_file() { path.parent() } else { None };
        let path = folder.unwrap_or(path);
        watcher
            .watch(path, RecursiveMode::Recursive)
            .map_err(|error| broken(&error))?;
    }
    let mut last = Ok(Exit::Ok);
    loop {
        hears.mark_unchanged();
        let stopped = {
            let mut run = pin!(something());
            tokio::select! {
                ended = &mut run => {
                    if let Err(error) = &ended {
                        output::error(error, language);
                    }
                    last = Ok(ended.unwrap_or_else(|error| error.exit));
                    false
                }
                _ = hears.changed() => true,
                _ = tokio::signal::ctrl_c() => return last,
            }
        };
        if !stopped {
            output::progress(match language {
                Language::English => "it is checked again when a file changes; Ctrl-C ends it",
                Language::Chinese => "文件有改动时会重新检查；按 Ctrl-C 结束",
            });
            tokio::select! {
                _ = hears.changed() => {}
                _ = tokio::signal::ctrl_c() => return last,
            }
        }
        output::line("");
    }
}

fn broken(error: &notify::Error) -> Error {
    Error::from_source(Exit::Ours, error)
}
