//! Where the exercises lie in what was handed in.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use workbook_course::{Chapter, Course};

use super::{
    package::{Node, Tree, is_hidden, is_in_sight},
    refusal::Odd,
};

/// The file that says how programs in another language are started.
pub(super) const WORKBOOK_TOML: &str = "workbook.toml";

/// How many folders may be around everything.
const AROUND: usize = 5;

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

/// Whether a file is one that Rust compiles. Exactly so: `.RS` is no source to cargo either.
pub(super) fn is_rust(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|it| it == "rs")
}

/// What an entry is to an exercise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// It is no plain file, and is where a source would be, or a folder of sources.
    Obstacle,
    /// It is used.
    Source,
}

/// What an entry is to an exercise in whose folder it has this path, as far as Rust and `workbook.toml` go; `None`:
/// nothing.
pub(super) fn role(inside: &str, nodes: &[Node]) -> Option<Role> {
    let odd = nodes.iter().find_map(|node| node.odd.as_ref());
    let is_link = odd == Some(&Odd::SymbolicLink);
    let used = match inside.strip_prefix("src/") {
        None if inside == WORKBOOK_TOML => true,
        None => is_link && ["", "src"].contains(&inside),
        // Editors and systems leave hidden files, and some are called as a source is.
        Some(below) if below.split('/').any(is_hidden) => false,
        Some(below) if is_rust(below) => odd.is_none() || is_in_sight(below),
        // It may lead to a folder of sources.
        Some(below) => is_link && is_in_sight(below) && Path::new(below).extension().is_none(),
    };
    used.then_some(match odd {
        Some(_) => Role::Obstacle,
        None => Role::Source,
    })
}

/// Where an exercise lies.
#[derive(Debug)]
pub(super) struct Place<'a> {
    pub(super) chapter: &'a Chapter,
    /// The folders that may be meant, with a `/` at their end.
    pub(super) folders: BTreeSet<String>,
    /// Whether the programs lie there as they are, and not in `src/bin`.
    pub(super) bare: bool,
}

/// Folders that may be an exercise's, each with the best that is in it.
type Found<'a> = BTreeMap<&'a str, (&'a Chapter, BTreeMap<String, Role>)>;

fn add<'a>(found: &mut Found<'a>, chapter: &'a Chapter, folder: String, role: Role) {
    let (_, folders) = found
        .entry(&chapter.slug)
        .or_insert((chapter, BTreeMap::new()));
    let best = folders.entry(folder).or_insert(role);
    *best = role.max(*best);
}

/// The places of the exercises, by slug.
///
/// Often one folder holds everything, with this and that beside it; or each week has one. So the fewest folders are
/// looked for that have to be entered to find a source, and what lies deeper is passed over.
pub(super) fn places<'a>(tree: &Tree, course: &'a Course) -> BTreeMap<&'a str, Place<'a>> {
    let levels: Vec<Found<'_>> = (0..=AROUND)
        .map(|around| level(tree, course, around))
        .collect();
    let has = |level: &&Found<'_>, role: Role| {
        (level.values()).any(|(_, folders)| folders.values().any(|it| *it == role))
    };
    let level = (levels.iter().find(|it| has(it, Role::Source)))
        .or_else(|| levels.iter().find(|it| has(it, Role::Obstacle)));
    let Some(level) = level else {
        return bare(tree, course);
    };
    let place = |(slug, (chapter, folders)): (&&'a str, &(&'a Chapter, BTreeMap<String, Role>))| {
        // A link beside the folder that it leads to is no second one.
        let best = folders.values().max();
        let folders = folders.iter().filter(|(_, role)| Some(*role) == best);
        let place = Place {
            chapter,
            folders: folders.map(|(folder, _)| folder.clone()).collect(),
            bare: false,
        };
        (*slug, place)
    };
    level.iter().map(place).collect()
}

/// The exercises that have so many folders around them.
fn level<'a>(tree: &Tree, course: &'a Course, around: usize) -> Found<'a> {
    let mut named = Found::new();
    let mut unnamed = Found::new();
    for (path, nodes) in &tree.files {
        let Some((top, rest)) = split(path, around).filter(|(top, _)| may_hold(top)) else {
            continue;
        };
        let (room, within) = match rest.strip_prefix("exercises/") {
            Some(within) => ("exercises/", within),
            None => ("", rest),
        };
        let (folder, inside) = within.split_once('/').unwrap_or((within, ""));
        if let Some(role) = role(inside, nodes) {
            let mut chapters = course.chapters.iter();
            if let Some(chapter) = chapters.find(|it| is_folder_of(folder, &it.slug)) {
                add(&mut named, chapter, format!("{top}{room}{folder}/"), role);
            }
        }
        // Only a `src` folder: the names of its programs tell whose it is.
        if let Some(program) = rest.strip_prefix("src/bin/")
            && let Some(role) = role(rest, nodes)
        {
            let program = program
                .strip_suffix("/main.rs")
                .or(program.strip_suffix(".rs"));
            if let Some(chapter) = program.and_then(|it| chapter_of(it, course)) {
                add(&mut unnamed, chapter, top.to_owned(), role);
            }
        }
    }
    if named.is_empty() { unnamed } else { named }
}

/// The chapter that alone has a program of this name.
fn chapter_of<'a>(program: &str, course: &'a Course) -> Option<&'a Chapter> {
    let has = |chapter: &&Chapter| chapter.programs.iter().any(|it| it == program);
    let mut chapters = course.chapters.iter().filter(has);
    chapters.next().filter(|_| chapters.next().is_none())
}

/// A path cut after so many folders.
fn split(path: &str, folders: usize) -> Option<(&str, &str)> {
    match folders {
        0 => Some(("", path)),
        folders => {
            let (end, _) = path.match_indices('/').nth(folders - 1)?;
            Some(path.split_at(end + 1))
        }
    }
}

/// Whether folders may be around everything.
fn may_hold(top: &str) -> bool {
    top.is_empty() || is_in_sight(top.trim_end_matches('/'))
}

/// Programs that were packed without the folders that they belong to: their names tell whose they are.
fn bare<'a>(tree: &Tree, course: &'a Course) -> BTreeMap<&'a str, Place<'a>> {
    let mut found: BTreeMap<usize, BTreeMap<&str, Place<'_>>> = BTreeMap::new();
    for (path, nodes) in &tree.files {
        let plain = nodes.iter().all(|node| node.odd.is_none());
        let (folder, name) = path
            .rfind('/')
            .map_or(("", path.as_str()), |end| path.split_at(end + 1));
        let chapter = name
            .strip_suffix(".rs")
            .and_then(|it| chapter_of(it, course));
        if let Some(chapter) = chapter.filter(|_| plain && may_hold(folder)) {
            let level = found.entry(folder.matches('/').count()).or_default();
            let place = level.entry(&chapter.slug).or_insert(Place {
                chapter,
                folders: BTreeSet::new(),
                bare: true,
            });
            place.folders.insert(folder.to_owned());
        }
    }
    found
        .pop_first()
        .map(|(_, places)| places)
        .unwrap_or_default()
}
