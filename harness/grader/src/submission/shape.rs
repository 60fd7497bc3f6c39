//! What is used of a submission.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Cursor,
};

use serde::Deserialize;
use workbook_course::{Chapter, Course};

use super::{
    ALLOWED, Files, archive, is_archive,
    names::folded,
    package::{Contents, Node, Package, Tree, is_in_sight},
    places::{Place, WORKBOOK_TOML, is_rust, places, role},
    refusal::{Odd, Refusal},
};

/// What was found in a submission.
#[derive(Clone, Debug, Default)]
pub struct Handed {
    /// What is used of each exercise, by slug; or why it cannot be.
    pub exercises: BTreeMap<String, Result<Sources, Refusal>>,
    /// What is not used: files, and folders into which nobody looks.
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
        commands: BTreeMap<String, Vec<String>>,
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

/// What of a submission would be used for one exercise.
struct Plan<'a> {
    chapter: &'a Chapter,
    /// Whether the programs are in any language.
    any_language: bool,
    /// By the path in the exercise's folder: the path in the submission, and the entries that have it.
    used: BTreeMap<String, (&'a str, &'a [Node])>,
}

/// The exercises in a submission; `Err` says why it is none at all.
pub(super) fn find(
    package: &mut dyn Package,
    course: &Course,
    any_language: bool,
) -> Result<Handed, Refusal> {
    let tree = Tree::of(&package.list()?);
    if let Some(mut inner) = archive_within(&tree, package, course)? {
        let inner_tree = Tree::of(&inner.list()?);
        return handed(inner.as_mut(), &inner_tree, course, any_language);
    }
    handed(package, &tree, course, any_language)
}

/// The one archive in a submission that holds nothing else: some platforms give each learner a folder for what was
/// uploaded.
fn archive_within(
    tree: &Tree,
    package: &mut dyn Package,
    course: &Course,
) -> Result<Option<Box<dyn Package>>, Refusal> {
    if !places(tree, course).is_empty() {
        return Ok(None);
    }
    let archives = (tree.files.iter()).filter(|(path, _)| is_archive(path) && is_in_sight(path));
    let archives: Vec<_> = archives.collect();
    let number = match archives.as_slice() {
        [] => return Ok(None),
        [(_, nodes)] => nodes[0].number,
        several => {
            let names = several.iter().map(|(path, _)| (*path).clone());
            return Err(Refusal::WhichOf(names.collect()));
        }
    };
    let mut read = package.read(&BTreeSet::from([number]), ALLOWED.within)?;
    match read.remove(&number) {
        Some(Ok(bytes)) => archive::open(Box::new(Cursor::new(bytes))).map(Some),
        Some(Err(odd)) => Err(Refusal::NotTaken(vec![(archives[0].0.clone(), odd)])),
        None => Ok(None),
    }
}

fn handed(
    package: &mut dyn Package,
    tree: &Tree,
    course: &Course,
    any_language: bool,
) -> Result<Handed, Refusal> {
    let places = places(tree, course);
    if places.is_empty() {
        let slugs = course.chapters.iter().map(|it| it.slug.clone());
        return Err(Refusal::NoExercise(slugs.collect()));
    }
    let plans: Vec<_> = (places.into_iter())
        .map(|(slug, place)| (slug, plan(tree, place, any_language)))
        .collect();
    let wanted = (plans.iter().filter_map(|(_, plan)| plan.as_ref().ok()))
        .flat_map(|plan| plan.used.values())
        .flat_map(|(_, nodes)| nodes.iter().map(|node| node.number));
    let contents = package.read(&wanted.collect(), ALLOWED.file)?;
    let mut handed = Handed::default();
    let mut used = BTreeSet::new();
    for (slug, plan) in plans {
        let sources = plan.and_then(|plan| {
            let sources = sources(&plan, &contents)?;
            used.extend(plan.used.values().map(|(path, _)| (*path).to_owned()));
            Ok(sources)
        });
        handed.exercises.insert(slug.to_owned(), sources);
    }
    handed.ignored = tree.others(&used);
    Ok(handed)
}

/// What would be used of one exercise.
fn plan<'a>(tree: &'a Tree, place: Place<'a>, any_language: bool) -> Result<Plan<'a>, Refusal> {
    let mut folders = place.folders.into_iter();
    let folder = match (folders.next(), folders.next()) {
        (folder, None) => folder.unwrap_or_default(),
        (one, another) => {
            let all = one.into_iter().chain(another).chain(folders);
            return Err(Refusal::WhichOf(all.collect()));
        }
    };
    let has_settings = tree.files.contains_key(&format!("{folder}{WORKBOOK_TOML}"));
    if has_settings && !any_language {
        return Err(Refusal::OtherLanguage);
    }
    let mut plan = Plan {
        chapter: place.chapter,
        any_language: has_settings,
        used: BTreeMap::new(),
    };
    let mut obstacles = Vec::new();
    for (path, nodes) in &tree.files {
        let itself = folder.strip_suffix('/') == Some(path.as_str());
        let Some(inside) = path.strip_prefix(&folder).or(itself.then_some("")) else {
            continue;
        };
        let odd = nodes.iter().find_map(|node| node.odd.clone());
        let used = if has_settings {
            is_in_sight(inside)
        } else if place.bare {
            is_rust(inside) && is_in_sight(inside)
        } else {
            role(inside, nodes).is_some()
        };
        match odd {
            _ if !used => {}
            Some(odd) => obstacles.push((path.clone(), odd)),
            None if place.bare => {
                plan.used.insert(format!("src/bin/{inside}"), (path, nodes));
            }
            None => {
                plan.used.insert(inside.to_owned(), (path, nodes));
            }
        }
    }
    if !obstacles.is_empty() {
        return Err(Refusal::NotTaken(obstacles));
    }
    if plan.used.len() > ALLOWED.files {
        return Err(Refusal::Files);
    }
    Ok(plan)
}

/// What is built and run, of what was read.
fn sources(plan: &Plan<'_>, contents: &Contents) -> Result<Sources, Refusal> {
    let mut files = Files::new();
    let mut obstacles = Vec::new();
    for (inside, (path, nodes)) in &plan.used {
        match contents_of(nodes, contents) {
            Ok(bytes) => {
                files.insert(inside.clone(), bytes);
            }
            Err(odd) => obstacles.push(((*path).to_owned(), odd)),
        }
    }
    if !obstacles.is_empty() {
        return Err(Refusal::NotTaken(obstacles));
    }
    within_bounds(&files)?;
    if plan.any_language {
        let commands = commands(&files[WORKBOOK_TOML], plan.chapter)?;
        return Ok(Sources::Any { files, commands });
    }
    for program in &plan.chapter.programs {
        let both = ["", "/main"].map(|end| format!("src/bin/{program}{end}.rs"));
        if both.iter().all(|path| files.contains_key(path)) {
            return Err(Refusal::WhichOf(both.to_vec()));
        }
    }
    Ok(Sources::Rust(files))
}

/// The contents that all entries of one path have.
fn contents_of(nodes: &[Node], contents: &Contents) -> Result<Vec<u8>, Odd> {
    let mut all = nodes.iter().filter_map(|node| contents.get(&node.number));
    let first = (all.next().cloned()).unwrap_or(Err(Odd::Unreadable("it is gone".to_owned())))?;
    match all.all(|other| other.as_ref() == Ok(&first)) {
        true => Ok(first),
        false => Err(Odd::Twice),
    }
}

/// The commands of programs in any language, in words.
fn commands(settings: &[u8], chapter: &Chapter) -> Result<BTreeMap<String, Vec<String>>, Refusal> {
    let text = std::str::from_utf8(settings).map_err(|it| Refusal::Settings(it.to_string()))?;
    let settings: Settings =
        toml::from_str(text).map_err(|it| Refusal::Settings(it.message().to_owned()))?;
    let mut names = settings.programs.keys();
    match names.find(|name| !chapter.programs.contains(name)) {
        Some(stranger) => Err(Refusal::Stranger(
            super::shown(stranger.as_bytes()),
            chapter.programs.clone(),
        )),
        None => (settings.programs.into_iter())
            .map(|(name, line)| Ok((name.clone(), words(&name, &line)?)))
            .collect(),
    }
}

/// The words of a command, as a shell would split it.
fn words(program: &str, line: &str) -> Result<Vec<String>, Refusal> {
    match shell_words::split(line) {
        Ok(words) if words.is_empty() => Err(Refusal::NoCommand(program.to_owned())),
        Ok(words) => Ok(words),
        Err(_) => Err(Refusal::OpenQuote(program.to_owned())),
    }
}

fn within_bounds(files: &Files) -> Result<(), Refusal> {
    let bytes: usize = files.values().map(Vec::len).sum();
    if bytes as u64 > ALLOWED.bytes {
        return Err(Refusal::Bytes);
    }
    let mut known: BTreeMap<String, &str> = BTreeMap::new();
    for path in files.keys() {
        // Each folder on the way counts, too: on some systems `Bin/` is `bin/`.
        let folders = path.match_indices('/').map(|(end, _)| &path[..end]);
        for part in folders.chain([path.as_str()]) {
            if let Some(other) = known.insert(folded(part), part)
                && other != part
            {
                return Err(Refusal::SameName(other.to_owned(), part.to_owned()));
            }
        }
        let within = format!("{path}/");
        if files.keys().any(|other| other.starts_with(&within)) {
            return Err(Refusal::FileAndFolder(path.clone()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_split_where_it_is_typed_and_refused_where_it_cannot_be() {
        let split = words("send", "python3 'my send.py' \"\"").unwrap();
        assert_eq!(split, ["python3", "my send.py", ""]);
        let refused = |line| words("send", line).unwrap_err();
        assert_eq!(refused("  "), Refusal::NoCommand("send".to_owned()));
        assert_eq!(
            refused("python3 'send.py"),
            Refusal::OpenQuote("send".to_owned())
        );
    }
}
