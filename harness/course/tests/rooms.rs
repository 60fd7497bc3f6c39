//! The rooms of the harness are as the page about them says: arrows run one way, and no two files of a room import each
//! other, not even by way of a third.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test stops at what it did not expect"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use syn::visit::{self, Visit};
use workbook_course::cargo;

fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().expect("the checkout")
}

/// The rooms in the order of the page, each with those that it uses.
fn on_the_page() -> Vec<(String, BTreeSet<String>)> {
    let page = fs::read_to_string(root().join("book/src/contributing.md")).expect("the page");
    let lines = page.lines().filter_map(|line| line.split_once('→'));
    let rooms = lines.map(|(room, used)| {
        let used = used.split(',').map(str::trim).filter(|it| !it.is_empty());
        (room.trim().to_owned(), used.map(str::to_owned).collect())
    });
    rooms.collect()
}

/// The rooms as cargo knows them.
fn in_cargo() -> BTreeMap<String, BTreeSet<String>> {
    let output = cargo::command()
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("metadata");
    let packages = metadata["packages"].as_array().expect("packages");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let folder = |package: &Value| {
        let manifest = PathBuf::from(text(&package["manifest_path"]));
        let folder = manifest.parent()?.strip_prefix(root().join("harness"));
        Some(folder.ok()?.to_str()?.to_owned())
    };
    let rooms: BTreeMap<String, String> = packages
        .iter()
        .filter_map(|it| Some((text(&it["name"]), folder(it)?)))
        .collect();
    let used = |package: &Value| {
        let dependencies = package["dependencies"].as_array().expect("dependencies");
        let own = dependencies.iter().filter(|it| it["kind"].is_null());
        own.filter_map(|it| rooms.get(&text(&it["name"])).cloned())
            .collect()
    };
    packages
        .iter()
        .filter_map(|it| Some((folder(it)?, used(it))))
        .collect()
}

#[test]
fn arrows_are_those_of_the_page_and_run_one_way() {
    let page = on_the_page();
    let told: BTreeMap<_, _> = page.iter().cloned().collect();
    assert_eq!(told, in_cargo(), "left: the page, right: the packages");
    for (place, (room, used)) in page.iter().enumerate() {
        let below: BTreeSet<_> = page[place + 1..].iter().map(|(it, _)| it.clone()).collect();
        let up: Vec<_> = used.difference(&below).collect();
        assert!(up.is_empty(), "{room} uses {up:?}, which stand above it");
    }
}

#[test]
fn no_file_stands_in_a_circle() {
    for (room, _) in on_the_page() {
        let sources = root().join("harness").join(&room).join("src");
        let house = House::read(&sources);
        let circle = house.circle();
        assert_eq!(circle, None, "{room}: each of these imports the next");
    }
}

#[test]
fn a_circle_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("lib.rs", "mod a; mod b; mod c;");
    write("a.rs", "use crate::b::B; pub struct A(B);");
    write("b.rs", "use crate::c::C; pub struct B(C);");
    write("c.rs", "pub struct C; fn f(_: super::d::D) {}");
    assert_eq!(House::read(folder.path()).circle(), None);
    write("c.rs", "use super::a; pub struct C; fn f(_: a::A) {}");
    let house = House::read(folder.path());
    let circle = house.circle().unwrap();
    let shown = circle.iter().map(|(file, name)| {
        let file = file.file_name().unwrap().to_str().unwrap();
        format!("{file} imports {name}")
    });
    let shown: BTreeSet<String> = shown.collect();
    let wanted = [
        "a.rs imports b::B",
        "b.rs imports c::C",
        "c.rs imports a::A",
    ];
    assert_eq!(shown, BTreeSet::from(wanted.map(str::to_owned)));
}

/// The names on the way to something.
type Names = Vec<String>;

/// The files of a room.
struct House {
    /// By the path of their module.
    files: BTreeMap<Names, File>,
}

/// What is seen of a file.
#[derive(Default)]
struct File {
    path: PathBuf,
    /// The names that it defines.
    defines: BTreeSet<String>,
    /// The names that stand in it for others: imported or handed on.
    names: BTreeMap<String, Names>,
    /// All absolute paths in it.
    paths: BTreeSet<Names>,
}

impl House {
    fn read(sources: &Path) -> Self {
        let mut files = BTreeMap::new();
        let mut folders = vec![sources.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|it| it == "rs") {
                    let within = path.strip_prefix(sources).unwrap().with_extension("");
                    let parts = within.iter().map(|part| part.to_str().unwrap().to_owned());
                    let mut module: Names = parts.collect();
                    // What only tests use may stand anywhere.
                    if module.iter().any(|it| it == "tests" || it == "testing") {
                        continue;
                    }
                    module.pop_if(|it| it == "lib" || it == "main");
                    files.insert(module.clone(), File::read(path, module));
                }
            }
        }
        Self { files }
    }

    /// The file that defines what a path names.
    fn home(&self, path: &[String]) -> Option<&File> {
        let (length, file) = (0..path.len())
            .rev()
            .find_map(|length| Some((length, self.files.get(&path[..length])?)))?;
        let name = &path[length];
        if file.defines.contains(name) {
            return Some(file);
        }
        let target = file.names.get(name)?;
        let whole = [target, &path[length + 1..]].concat();
        (whole != path).then(|| self.home(&whole)).flatten()
    }

    /// Who imports whom, and by which name.
    fn arrows(&self) -> BTreeMap<&Path, BTreeMap<&Path, String>> {
        // A file and those of its folder are one thing in parts.
        let apart = |one: &File, other: &File| {
            let [one, other] = [one, other].map(|it| it.path.with_extension(""));
            !one.starts_with(&other) && !other.starts_with(&one)
        };
        let arrows = self.files.values().map(|file| {
            let homes = file.paths.iter().filter_map(|path| {
                let home = self.home(path).filter(|home| apart(home, file))?;
                Some((home.path.as_path(), path.join("::")))
            });
            (file.path.as_path(), homes.collect())
        });
        arrows.collect()
    }

    /// Files of which each imports the next, and the last one the first; each with the name that it imports.
    fn circle(&self) -> Option<Vec<(&Path, String)>> {
        let mut arrows = self.arrows();
        // Whoever imports nobody that is left is in no circle.
        loop {
            let free = arrows.iter().filter(|(_, used)| used.is_empty());
            let free: Vec<&Path> = free.map(|(file, _)| *file).collect();
            if free.is_empty() {
                break;
            }
            arrows.retain(|file, _| !free.contains(file));
            for used in arrows.values_mut() {
                used.retain(|it, _| !free.contains(it));
            }
        }
        let mut here = *arrows.keys().next()?;
        let mut walk: Vec<(&Path, String)> = Vec::new();
        loop {
            if let Some(place) = walk.iter().position(|(it, _)| *it == here) {
                return Some(walk.split_off(place));
            }
            let (next, name) = arrows[here].first_key_value()?;
            walk.push((here, name.clone()));
            here = next;
        }
    }
}

impl File {
    fn read(path: PathBuf, module: Names) -> Self {
        let source = fs::read_to_string(&path).expect("a source");
        let parsed = syn::parse_file(&source).expect("it compiles");
        let mut reader = Reader {
            module,
            file: Self {
                path,
                ..Self::default()
            },
            relative: Vec::new(),
        };
        reader.visit_file(&parsed);
        let Reader {
            module,
            mut file,
            relative,
        } = reader;
        // `a::A`, where `a` was imported, or is a module below this one.
        for path in relative {
            let absolute = match file.names.get(&path[0]) {
                Some(target) => [target, &path[1..]].concat(),
                None => [&module[..], &path].concat(),
            };
            file.paths.insert(absolute);
        }
        file
    }
}

struct Reader {
    module: Names,
    file: File,
    relative: Vec<Names>,
}

impl Reader {
    /// A path from the top of the room; `None`: it is of another crate, or begins with a name of this file.
    fn absolute(&self, path: &[String]) -> Option<Names> {
        match path.first()?.as_str() {
            "crate" => Some(path[1..].to_vec()),
            "self" => Some([&self.module[..], &path[1..]].concat()),
            "super" => {
                let ups = path.iter().take_while(|it| *it == "super").count();
                let left = self.module.len().checked_sub(ups)?;
                Some([&self.module[..left], &path[ups..]].concat())
            }
            _ => None,
        }
    }

    fn import(&mut self, before: &[String], tree: &syn::UseTree, own: bool) {
        let with = |ident: &syn::Ident| [before, &[ident.to_string()]].concat();
        let (path, name) = match tree {
            syn::UseTree::Path(path) => return self.import(&with(&path.ident), &path.tree, own),
            syn::UseTree::Group(group) => {
                return group
                    .items
                    .iter()
                    .for_each(|it| self.import(before, it, own));
            }
            syn::UseTree::Name(name) if name.ident == "self" => {
                (before.to_vec(), before.last().cloned())
            }
            syn::UseTree::Name(name) => (with(&name.ident), Some(name.ident.to_string())),
            syn::UseTree::Rename(name) => (with(&name.ident), Some(name.rename.to_string())),
            syn::UseTree::Glob(_) => return,
        };
        let below = [&self.module[..], &path].concat();
        let absolute = self.absolute(&path).unwrap_or(below);
        if let Some(name) = name {
            self.file.names.insert(name, absolute.clone());
        }
        if own {
            self.file.paths.insert(absolute);
        }
    }
}

fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|it| {
        let condition = it.parse_args::<syn::Path>();
        it.path().is_ident("cfg") && condition.is_ok_and(|it| it.is_ident("test"))
    })
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let (name, attributes) = match item {
            syn::Item::Const(it) => (Some(&it.ident), &it.attrs),
            syn::Item::Enum(it) => (Some(&it.ident), &it.attrs),
            syn::Item::Fn(it) => (Some(&it.sig.ident), &it.attrs),
            syn::Item::Static(it) => (Some(&it.ident), &it.attrs),
            syn::Item::Struct(it) => (Some(&it.ident), &it.attrs),
            syn::Item::Trait(it) => (Some(&it.ident), &it.attrs),
            syn::Item::Type(it) => (Some(&it.ident), &it.attrs),
            syn::Item::Mod(it) => (None, &it.attrs),
            syn::Item::Use(it) => (None, &it.attrs),
            _ => return visit::visit_item(self, item),
        };
        if is_for_tests(attributes) {
            return;
        }
        if let Some(name) = name {
            self.file.defines.insert(name.to_string());
        }
        match item {
            // Whoever only hands a name on does not need it.
            syn::Item::Use(item) => {
                let own = matches!(item.vis, syn::Visibility::Inherited);
                self.import(&[], &item.tree, own);
            }
            _ => visit::visit_item(self, item),
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts = path.segments.iter().map(|it| it.ident.to_string());
        let parts: Names = parts.collect();
        // A name alone is of this file, or was imported; `self` is a value.
        if parts.len() > 1 {
            match self.absolute(&parts) {
                Some(absolute) => drop(self.file.paths.insert(absolute)),
                None => self.relative.push(parts),
            }
        }
        visit::visit_path(self, path);
    }
}
