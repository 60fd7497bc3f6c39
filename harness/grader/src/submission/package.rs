//! What a submission is packed in, as far as finding the exercises in it asks: folder and archives look the same.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    io::Read,
};

use super::{
    ALLOWED, names,
    refusal::{Odd, Refusal},
};

/// Folders whose contents are never looked at: they are large, full of links, and nobody writes programs there.
const PASSED_OVER: [&str; 9] = [
    ".git",
    ".idea",
    ".venv",
    ".vscode",
    "__MACOSX",
    "__pycache__",
    "node_modules",
    "target",
    "venv",
];

/// An entry as it is listed.
pub(super) struct Listed {
    /// Its name.
    pub(super) name: Vec<u8>,
    /// How the name is read where it is neither UTF-8 nor GBK.
    pub(super) otherwise: Option<String>,
    /// What is odd about the entry; `None`: it is a plain file.
    pub(super) odd: Option<Odd>,
}

/// Contents of entries, by number; of each as large as was asked for.
pub(super) type Contents = BTreeMap<usize, Result<Vec<u8>, Odd>>;

/// A folder or an archive. Nothing of it is read that is not asked for.
pub(super) trait Package {
    /// Every entry that is no folder. What lies in folders that are passed over may be left out; such a folder is then
    /// an entry with a `/` at its end.
    fn list(&mut self) -> Result<Vec<Listed>, Refusal>;

    /// Reads some entries, by their places in the list; of each at most so many bytes.
    fn read(&mut self, wanted: &BTreeSet<usize>, most: u64) -> Result<Contents, Refusal>;
}

/// Counts the entries of a package.
pub(super) fn count(entries: &mut usize) -> Result<(), Refusal> {
    *entries += 1;
    match *entries > ALLOWED.entries {
        true => Err(Refusal::Entries),
        false => Ok(()),
    }
}

/// Reads at most so many bytes; what a header says about a size is believed of nobody.
pub(super) fn contents(from: impl Read, most: u64) -> Result<Vec<u8>, Odd> {
    let mut bytes = Vec::new();
    let read = from.take(most + 1).read_to_end(&mut bytes);
    read.map_err(|error| Odd::Unreadable(error.to_string()))?;
    match bytes.len() as u64 > most {
        true => Err(Odd::Large),
        false => Ok(bytes),
    }
}

/// Whether a folder is passed over, given its path. Below `src` a module may have any name.
pub(super) fn is_passed_over(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    parts.next().is_some_and(|name| PASSED_OVER.contains(&name)) && !parts.any(|it| it == "src")
}

/// Whether a file or folder is hidden. A way out of a folder hides nothing.
pub(super) fn is_hidden(name: &str) -> bool {
    name.starts_with('.') && name != ".."
}

/// Whether nothing in a path is hidden, or in a folder that is passed over.
pub(super) fn is_in_sight(path: &str) -> bool {
    let mut parts = path.split('/');
    parts.all(|part| !is_hidden(part) && !PASSED_OVER.contains(&part))
}

/// An entry by its path.
#[derive(Debug)]
pub(super) struct Node {
    /// Its place in the list.
    pub(super) number: usize,
    pub(super) odd: Option<Odd>,
}

/// The entries of a package by their paths. Several may have one.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) files: BTreeMap<String, Vec<Node>>,
    /// Folders that are passed over with all that is in them, with a `/` at their end.
    pub(super) passed_over: BTreeSet<String>,
}

impl Tree {
    pub(super) fn of(listed: &[Listed]) -> Self {
        let names: Vec<_> = (listed.iter())
            .map(|it| (it.name.as_slice(), it.otherwise.as_deref()))
            .collect();
        let mut tree = Self::default();
        for (number, (text, entry)) in names::as_text(&names).iter().zip(listed).enumerate() {
            let lossy = || String::from_utf8_lossy(&entry.name);
            let name: Cow<'_, str> = text.as_deref().map_or_else(lossy, Cow::Borrowed);
            let (path, odd) = names::path(&name);
            let odd = match text {
                Some(_) => odd,
                None => Some(Odd::NotText),
            };
            let folders = path.match_indices('/').map(|(end, _)| &path[..end]);
            let whole = name.ends_with(['/', '\\']).then_some(path.as_str());
            let mut folders = folders.chain(whole);
            if let Some(folder) = folders.find(|folder| is_passed_over(folder)) {
                tree.passed_over.insert(format!("{folder}/"));
            } else if whole.is_none() && !path.is_empty() {
                let odd = entry.odd.clone().or(odd);
                tree.files
                    .entry(path)
                    .or_default()
                    .push(Node { number, odd });
            }
        }
        tree
    }

    /// The paths of all entries that are not used.
    pub(super) fn others(&self, used: &BTreeSet<String>) -> Vec<String> {
        let files = self.files.keys().filter(|path| !used.contains(*path));
        let all: BTreeSet<&String> = files.chain(&self.passed_over).collect();
        all.into_iter().cloned().collect()
    }
}
