//! Finding the exercises in what was handed in.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde::Deserialize;
use workbook_lab::course::{Chapter, Course};

use super::{ALLOWED, Files, Tree, names::folded};

/// The file that says how programs in another language are started.
pub(super) const WORKBOOK_TOML: &str = "workbook.toml";

/// How many names a sentence holds.
const NAMED: usize = 5;

/// What was found in a submission.
#[derive(Clone, Debug, Default)]
pub struct Handed {
    /// What is used of each exercise, by slug; `Err` says in a sentence why it cannot be.
    pub exercises: BTreeMap<String, Result<Sources, String>>,
    /// Files that are not used.
    pub ignored: Vec<String>,
}

/// What is built and run of one exercise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sources {
    /// Rust: `src/**/*.rs`.
    Rust(Files),
    /// Any language: all files of the exercise's folder, and the command of each program.
    Any {
        /// The files, by their path in the exercise's folder.
        files: Files,
        /// The commands, by program.
        commands: BTreeMap<String, String>,
    },
}

impl Sources {
    /// The files that are used.
    pub fn files(&self) -> &Files {
        match self {
            Self::Rust(files) | Self::Any { files, .. } => files,
        }
    }
}

/// What a submission's `workbook.toml` may say; everything else in it is an error.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    programs: BTreeMap<String, String>,
}

/// Whether a folder is itself a submission, and not a class of them.
pub(super) fn is_submission(path: &Path, course: &Course) -> bool {
    let has_sources =
        |folder: &Path| folder.join("src").is_dir() || folder.join(WORKBOOK_TOML).is_file();
    let holds_exercise = |folder: &Path| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.into_iter().any(|entry| {
            let name = entry.file_name();
            let known = |chapter: &Chapter| is_folder_of(&name.to_string_lossy(), &chapter.slug);
            course.chapters.iter().any(known) && has_sources(&entry.path())
        })
    };
    has_sources(path) || holds_exercise(path) || holds_exercise(&path.join("exercises"))
}

/// `hello-world`, or `01-hello-world` as the exercises' own folders are called.
fn is_folder_of(name: &str, slug: &str) -> bool {
    name.strip_suffix(slug).is_some_and(|number| {
        number.is_empty()
            || number.strip_suffix('-').is_some_and(|digits| {
                !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit())
            })
    })
}

/// Whether a file of an exercise is one that is compiled. Exactly so: `.RS` is no source to cargo either.
fn is_source(path: &str) -> bool {
    path.starts_with("src/") && Path::new(path).extension().is_some_and(|it| it == "rs")
}

/// The exercises in a submission; `Err` says in a sentence why it is none at all.
pub(super) fn find(tree: &Tree, course: &Course, any_language: bool) -> Result<Handed, String> {
    if !tree.refused.is_empty() {
        let some: Vec<String> = (tree.refused.iter().take(NAMED))
            .map(|(path, reason)| format!("`{}`: {reason}", super::shown(path.as_bytes())))
            .collect();
        let more = tree.refused.len().saturating_sub(NAMED);
        let more = if more > 0 {
            format!("; and {more} more")
        } else {
            String::new()
        };
        return Err(format!("not taken: {}{more}", some.join("; ")));
    }
    let mut top = String::new();
    // An archive often holds one folder that holds everything.
    for _ in 0..3 {
        let found = candidates(tree, &top, course);
        if !found.is_empty() {
            return Ok(handed(tree, &found, any_language));
        }
        match only_folder(tree, &top) {
            Some(folder) => top = folder,
            None => break,
        }
    }
    let slugs: Vec<&str> = course.chapters.iter().map(|it| it.slug.as_str()).collect();
    Err(format!(
        "there is no exercise in it: expected exercises/NAME/src/**/*.rs, or NAME/src/**/*.rs, where NAME is one of {}",
        slugs.join(", ")
    ))
}

/// The folders that may be each exercise's, with a `/` at their end.
fn candidates<'a>(
    tree: &Tree,
    top: &str,
    course: &'a Course,
) -> BTreeMap<&'a str, (&'a Chapter, BTreeSet<String>)> {
    let mut found: BTreeMap<&str, (&Chapter, BTreeSet<String>)> = BTreeMap::new();
    for path in tree.files.keys() {
        let Some(within) = path.strip_prefix(top) else {
            continue;
        };
        let (room, rest) = match within.strip_prefix("exercises/") {
            Some(rest) => ("exercises/", rest),
            None => ("", within),
        };
        let Some((folder, inside)) = rest.split_once('/') else {
            continue;
        };
        let used = inside == WORKBOOK_TOML || (is_source(inside));
        for chapter in course.chapters.iter().filter(|_| used) {
            if is_folder_of(folder, &chapter.slug) {
                let (_, folders) = found
                    .entry(&chapter.slug)
                    .or_insert((chapter, BTreeSet::new()));
                folders.insert(format!("{top}{room}{folder}/"));
            }
        }
    }
    if found.is_empty() {
        // Only a `src` folder: the names of its programs tell whose it is.
        let has = |path: String| tree.files.contains_key(&path);
        let of = |chapter: &&Chapter| {
            chapter.programs.iter().any(|program| {
                has(format!("{top}src/bin/{program}.rs"))
                    || has(format!("{top}src/bin/{program}/main.rs"))
            })
        };
        let mut chapters = course.chapters.iter().filter(of);
        if let (Some(chapter), None) = (chapters.next(), chapters.next()) {
            found.insert(&chapter.slug, (chapter, BTreeSet::from([top.to_owned()])));
        }
    }
    found
}

/// The one folder that holds everything, with a `/` at its end.
fn only_folder(tree: &Tree, top: &str) -> Option<String> {
    let within = |path: &String| path.strip_prefix(top).map(str::to_owned);
    let mut folders = BTreeSet::new();
    for path in tree.files.keys().filter_map(within) {
        let (folder, _) = path.split_once('/')?;
        folders.insert(folder.to_owned());
    }
    let mut folders = folders.into_iter().filter(|name| name != "__MACOSX");
    match (folders.next(), folders.next()) {
        (Some(folder), None) => Some(format!("{top}{folder}/")),
        _ => None,
    }
}

fn handed(
    tree: &Tree,
    found: &BTreeMap<&str, (&Chapter, BTreeSet<String>)>,
    any_language: bool,
) -> Handed {
    let mut handed = Handed::default();
    let mut used: BTreeSet<String> = BTreeSet::new();
    for (slug, (chapter, folders)) in found {
        let sources = if folders.len() > 1 {
            let folders: Vec<String> = folders.iter().map(|it| format!("`{it}`")).collect();
            Err(format!(
                "which of these is meant? {}: keep one",
                folders.join(", ")
            ))
        } else {
            let folder = folders.first().cloned().unwrap_or_default();
            let sources = sources(tree, &folder, chapter, any_language);
            if let Ok(sources) = &sources {
                used.extend(sources.files().keys().map(|path| format!("{folder}{path}")));
            }
            sources
        };
        handed.exercises.insert((*slug).to_owned(), sources);
    }
    let ignored = tree.files.keys().filter(|path| !used.contains(*path));
    handed.ignored = ignored.cloned().collect();
    handed
}

fn sources(
    tree: &Tree,
    folder: &str,
    chapter: &Chapter,
    any_language: bool,
) -> Result<Sources, String> {
    let inside = |wanted: &dyn Fn(&str) -> bool| -> Files {
        let files = tree.files.iter();
        files
            .filter_map(|(path, contents)| {
                let path = path.strip_prefix(folder)?;
                Some((path.to_owned(), contents.clone()?)).filter(|(path, _)| wanted(path))
            })
            .collect()
    };
    if let Some(Some(settings)) = tree.files.get(&format!("{folder}{WORKBOOK_TOML}")) {
        if !any_language {
            return Err(format!(
                "its {WORKBOOK_TOML} names programs in another language; --any-language allows that"
            ));
        }
        let settings = std::str::from_utf8(settings).map_err(|error| error.to_string());
        let settings = settings.and_then(|it| {
            toml::from_str::<Settings>(it).map_err(|error| error.message().to_owned())
        });
        let settings = settings.map_err(|error| format!("its {WORKBOOK_TOML}: {error}"))?;
        if let Some(stranger) =
            (settings.programs.keys()).find(|name| !chapter.programs.contains(name))
        {
            return Err(format!(
                "its {WORKBOOK_TOML} names a program `{}`; the programs are {}",
                super::shown(stranger.as_bytes()),
                chapter.programs.join(", ")
            ));
        }
        let files = inside(&|_| true);
        within_bounds(&files)?;
        return Ok(Sources::Any {
            files,
            commands: settings.programs,
        });
    }
    let files = inside(&is_source);
    within_bounds(&files)?;
    for program in &chapter.programs {
        let both = [
            format!("src/bin/{program}.rs"),
            format!("src/bin/{program}/main.rs"),
        ];
        if both.iter().all(|path| files.contains_key(path)) {
            return Err(format!(
                "which of these is meant? `{}`: keep one",
                both.join("`, `")
            ));
        }
    }
    Ok(Sources::Rust(files))
}

fn within_bounds(files: &Files) -> Result<(), String> {
    if files.len() > ALLOWED.files {
        return Err(format!("it has more than {} files", ALLOWED.files));
    }
    let bytes: usize = files.values().map(Vec::len).sum();
    if bytes as u64 > ALLOWED.bytes {
        return Err(format!("its files hold more than {} bytes", ALLOWED.bytes));
    }
    let mut known: BTreeMap<String, &str> = BTreeMap::new();
    for path in files.keys() {
        // Each folder on the way counts, too: on some systems `Bin/` is `bin/`.
        let folders = path.match_indices('/').map(|(end, _)| &path[..end]);
        for part in folders.chain([path.as_str()]) {
            if let Some(other) = known.insert(folded(part), part)
                && other != part
            {
                return Err(format!(
                    "`{other}` and `{part}` are the same name on some systems"
                ));
            }
        }
        if files.keys().any(|other| {
            other
                .strip_prefix(path.as_str())
                .is_some_and(|rest| rest.starts_with('/'))
        }) {
            return Err(format!("`{path}` is a file and a folder"));
        }
    }
    Ok(())
}
