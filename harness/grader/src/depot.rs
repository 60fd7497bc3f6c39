//! What all builds of submissions have in common: the toolchain, the dependencies, and how the compiler is called.
//!
//! The dependencies of the exercises are compiled once, from our own manifests, over programs that do nothing. What
//! cargo told the compiler to do for each program is recorded, and then done again for each submission, by the
//! compiler alone and in a sandbox: a submission has no manifest, no settings and no build script, and cargo is not
//! started for it.

use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use workbook_course::{Edition, Workspace, cargo};

use crate::submission::hex;

/// Why nothing can be built.
#[derive(Debug, thiserror::Error)]
pub enum DepotError {
    /// A file or folder of ours.
    #[error("{what} {}", path.display())]
    File {
        /// What could not be done.
        what: &'static str,
        /// With what.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A command of the toolchain.
    #[error("`{command}` failed: {said}")]
    Tool {
        /// The command.
        command: String,
        /// What it said.
        said: String,
    },
    /// A manifest of ours.
    #[error("{} cannot be used: {reason}", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
}

/// What is there for every build.
#[derive(Debug)]
pub struct Depot {
    /// A folder that every uid can go through, for what lives as long as this run.
    pub scratch: TempDir,
    /// What is inside of sandboxes as `/etc`.
    pub etc: PathBuf,
    /// The toolchain.
    pub toolchain: PathBuf,
    /// The compiler's version: `1.95.0`.
    pub version: String,
    /// The compiled dependencies.
    pub dependencies: PathBuf,
    /// How each exercise's programs are compiled, by slug.
    pub recipes: BTreeMap<String, Vec<String>>,
    /// Locks that keep other runs from removing what this one uses.
    _used: Vec<fs::File>,
}

/// Changes whenever dependencies or programs are compiled, or recipes written, in another way.
const FORMAT: &str = "4";

/// Stands in a recipe for the folder of the compiled dependencies.
pub const DEPENDENCIES: &str = "{dependencies}";

impl Depot {
    /// Opens the depot of a workspace; compiles the dependencies if they are not there.
    pub fn open(workspace: &Workspace, say: &dyn Fn(&str)) -> Result<Self, DepotError> {
        let root = place(workspace)?;
        let lock = root.join("lock");
        let held = fs::File::create(&lock).and_then(|file| file.lock().map(|()| file));
        let _held = held.map_err(io_error("cannot lock", &lock))?;
        sweep(&root);

        let described = tool(
            Command::new("rustc")
                .arg("-vV")
                .current_dir(&workspace.root),
        )?;
        let field = |name: &str| {
            let mut lines = described.lines();
            let found = lines.find_map(|line| line.strip_prefix(name));
            found.unwrap_or_default().trim().to_owned()
        };
        let toolchain = toolchain(workspace, &root, &described, &field("host:"))?;
        let key = key(workspace, &described)?;
        let dependencies = root.join(format!("dependencies-{key}"));
        let recipe = dependencies.join("recipes.json");
        if !recipe.is_file() {
            say("compiling the dependencies of the exercises, once");
            compile(workspace, &dependencies)?;
        }
        let used = [&toolchain, &dependencies].map(|folder| hold(&root, folder));
        let used = used.into_iter().collect::<Result<Vec<_>, _>>()?;
        forget(&root, &[&toolchain, &dependencies]);
        let recipes = fs::read(&recipe).map_err(io_error("cannot read", &recipe))?;
        let recipes = serde_json::from_slice(&recipes).map_err(|error| DepotError::Manifest {
            path: recipe.clone(),
            reason: error.to_string(),
        })?;
        let etc = root.join("etc");
        furnish(&etc)?;
        let scratch =
            TempDir::with_prefix_in("run-", &root).map_err(io_error("cannot make", &root))?;
        // Others may go through, and only whoever knows a name finds something.
        open_to(scratch.path(), 0o711)?;
        let pid = scratch.path().join("pid");
        fs::write(&pid, std::process::id().to_string()).map_err(io_error("cannot write", &pid))?;
        Ok(Self {
            scratch,
            etc,
            toolchain,
            version: field("release:"),
            dependencies: dependencies.join("target").join("debug"),
            recipes,
            _used: used.into_iter().flatten().collect(),
        })
    }

    /// A fresh folder for something that lives no longer than this run.
    pub fn folder(&self, name: &str, mode: u32) -> Result<TempDir, DepotError> {
        let at = self.scratch.path();
        let folder = TempDir::with_prefix_in(name, at).map_err(io_error("cannot make", at))?;
        open_to(folder.path(), mode)?;
        Ok(folder)
    }
}

fn io_error<'a>(what: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> DepotError + 'a {
    move |source| DepotError::File {
        what,
        path: path.to_owned(),
        source,
    }
}

fn open_to(path: &Path, mode: u32) -> Result<(), DepotError> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(io_error("cannot open to others", path))
}

/// The depot's folder: in the workspace's own, unless we are root and other uids cannot get there.
fn place(workspace: &Workspace) -> Result<PathBuf, DepotError> {
    let own = workspace.state().join("grade");
    fs::create_dir_all(&own).map_err(io_error("cannot make", &own))?;
    let own = fs::canonicalize(&own).map_err(io_error("cannot find", &own))?;
    let passable = |folder: &Path| fs::metadata(folder).is_ok_and(|it| it.mode() & 0o001 != 0);
    if !rustix::process::geteuid().is_root() || own.ancestors().all(passable) {
        return Ok(own);
    }
    let mut hash = Sha256::new();
    hash.update(own.as_os_str().as_encoded_bytes());
    let name = format!("rabbitmq-workbook-{:.8}", hex(&hash.finalize()));
    let shared = Path::new("/var/tmp").join(name);
    match fs::create_dir(&shared) {
        Ok(()) => open_to(&shared, 0o755)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(io_error("cannot make", &shared)(error)),
    }
    let found = fs::symlink_metadata(&shared).map_err(io_error("cannot look at", &shared))?;
    if !found.is_dir() || found.uid() != 0 || found.mode() & 0o022 != 0 {
        let stranger = io::Error::other("somebody else made it");
        return Err(io_error("cannot use", &shared)(stranger));
    }
    Ok(shared)
}

/// Removes what runs left behind that were killed.
fn sweep(root: &Path) {
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        if !entry.file_name().to_string_lossy().starts_with("run-") {
            continue;
        }
        let pid = fs::read_to_string(entry.path().join("pid")).unwrap_or_default();
        let lives = pid
            .parse::<i32>()
            .ok()
            .and_then(rustix::process::Pid::from_raw);
        let lives = lives.is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok());
        if !lives {
            // What cannot be removed now is tried again next time.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// What tells that a folder of the depot is used: runs hold a shared lock on it.
fn mark_of(folder: &Path) -> PathBuf {
    folder.with_extension("used")
}

/// Holds a folder for this run; `None`: it is none of the depot's.
fn hold(root: &Path, folder: &Path) -> Result<Option<fs::File>, DepotError> {
    if folder.parent() != Some(root) {
        return Ok(None);
    }
    let mark = mark_of(folder);
    let held = fs::File::create(&mark).and_then(|it| it.lock_shared().map(|()| it));
    held.map(Some).map_err(io_error("cannot lock", &mark))
}

/// Removes the toolchains and dependencies of earlier checkouts that no run uses any more: hundreds of megabytes each.
fn forget(root: &Path, kept: &[&Path]) {
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let folder = entry.path();
        let name = entry.file_name();
        let of_the_depot = ["dependencies-", "toolchain-"]
            .iter()
            .any(|start| name.to_string_lossy().starts_with(start));
        if !of_the_depot || !folder.is_dir() || kept.contains(&folder.as_path()) {
            continue;
        }
        let mark = mark_of(&folder);
        if fs::File::create(&mark).is_ok_and(|it| it.try_lock().is_ok()) {
            // What cannot be removed now is tried again next time.
            let _ = fs::remove_dir_all(&folder).and_then(|()| fs::remove_file(&mark));
        }
    }
}

fn tool(command: &mut Command) -> Result<String, DepotError> {
    let shown = format!("{command:?}");
    let output = command.output().map_err(|error| DepotError::Tool {
        command: shown.clone(),
        said: error.to_string(),
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last: Vec<&str> = said.lines().rev().take(20).collect();
        let last: Vec<&str> = last.into_iter().rev().collect();
        return Err(DepotError::Tool {
            command: shown,
            said: last.join("\n"),
        });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The toolchain, or for other uids those of its parts that compile: as hard links where that is possible.
fn toolchain(
    workspace: &Workspace,
    root: &Path,
    described: &str,
    host: &str,
) -> Result<PathBuf, DepotError> {
    let sysroot = ["--print", "sysroot"];
    let sysroot = tool(
        Command::new("rustc")
            .args(sysroot)
            .current_dir(&workspace.root),
    )?;
    let sysroot = PathBuf::from(sysroot.trim());
    if !rustix::process::geteuid().is_root() {
        return Ok(sysroot);
    }
    let mut hash = Sha256::new();
    hash.update(described);
    hash.update(sysroot.as_os_str().as_encoded_bytes());
    let copy = root.join(format!("toolchain-{:.16}", hex(&hash.finalize())));
    if copy.is_dir() {
        return Ok(copy);
    }
    let part = root.join("toolchain.part");
    let _ = fs::remove_dir_all(&part);
    for inside in ["bin/rustc", "lib", &format!("lib/rustlib/{host}")] {
        let (from, to) = (sysroot.join(inside), part.join(inside));
        link(&from, &to, inside != "lib")?;
    }
    fs::rename(&part, &copy).map_err(io_error("cannot make", &copy))?;
    Ok(copy)
}

/// Links a file, or the files of a folder; `deep`: also those of its folders.
fn link(from: &Path, to: &Path, deep: bool) -> Result<(), DepotError> {
    let metadata = fs::metadata(from).map_err(io_error("cannot read", from))?;
    if metadata.is_dir() {
        fs::create_dir_all(to).map_err(io_error("cannot make", to))?;
        for entry in fs::read_dir(from).map_err(io_error("cannot read", from))? {
            let entry = entry.map_err(io_error("cannot read", from))?;
            if deep || !entry.path().is_dir() {
                link(&entry.path(), &to.join(entry.file_name()), deep)?;
            }
        }
        return Ok(());
    }
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(io_error("cannot make", parent))?;
    }
    let linked = fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(drop));
    linked.map_err(io_error("cannot copy", to))
}

/// What the dependencies depend on.
fn key(workspace: &Workspace, described: &str) -> Result<String, DepotError> {
    let mut hash = Sha256::new();
    hash.update(described);
    hash.update(FORMAT);
    let root = &workspace.root;
    let manifests = (workspace.course.chapters.iter().enumerate()).map(|(index, chapter)| {
        let folder = workspace.folder(index + 1, chapter, Edition::Exercise);
        folder.join("Cargo.toml")
    });
    for path in [root.join("Cargo.toml"), root.join("Cargo.lock")]
        .into_iter()
        .chain(manifests)
    {
        hash.update(fs::read(&path).map_err(io_error("cannot read", &path))?);
    }
    Ok(format!("{:.16}", hex(&hash.finalize())))
}

/// The script that cargo calls instead of the compiler: it notes how, and calls it.
const WRAPPER: &str = r#"#!/bin/sh
if [ -n "${CARGO_BIN_NAME:-}" ]; then
    printf '%s\0' "$@" > "$WORKBOOK_RECIPES/$CARGO_PKG_NAME"
fi
exec "$@"
"#;

/// Compiles the dependencies of all exercises, over programs that do nothing.
fn compile(workspace: &Workspace, folder: &Path) -> Result<(), DepotError> {
    let skeleton = folder.join("workspace");
    let recipes = folder.join("recipes");
    for path in [&skeleton, &recipes] {
        fs::create_dir_all(path).map_err(io_error("cannot make", path))?;
    }
    write_skeleton(workspace, &skeleton)?;
    let wrapper = folder.join("wrapper");
    fs::write(&wrapper, WRAPPER).map_err(io_error("cannot write", &wrapper))?;
    open_to(&wrapper, 0o755)?;

    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let home = home.unwrap_or_default();
    let flags = format!("--remap-path-prefix={}=/cargo", home.display());
    let target = folder.join("target");
    let mut command = cargo::command();
    command
        .args(["build", "--workspace", "--bins", "--quiet"])
        .current_dir(&skeleton)
        .env("CARGO_TARGET_DIR", &target)
        .env("CARGO_ENCODED_RUSTFLAGS", flags)
        .env("RUSTC_WORKSPACE_WRAPPER", &wrapper)
        .env("CARGO_INCREMENTAL", "0")
        .env("WORKBOOK_RECIPES", &recipes);
    tool(&mut command)?;

    let mut all = BTreeMap::new();
    for chapter in &workspace.course.chapters {
        let path = recipes.join(&chapter.slug);
        let words = fs::read_to_string(&path).map_err(io_error("cannot read", &path))?;
        let words: Vec<&str> = words.split('\0').collect();
        let built = target.join("debug").display().to_string();
        all.insert(chapter.slug.clone(), recipe(&words, &built));
    }
    tool(Command::new("chmod").args(["-R", "a+rX"]).arg(folder))?;
    let path = folder.join("recipes.json");
    let text = serde_json::to_vec_pretty(&all).unwrap_or_default();
    // Last: where it is, everything is.
    fs::write(&path, text).map_err(io_error("cannot write", &path))
}

/// A manifest, as far as it is changed.
#[derive(Serialize, Deserialize)]
struct Manifest(toml::Table);

fn write_skeleton(workspace: &Workspace, skeleton: &Path) -> Result<(), DepotError> {
    let read = |path: &Path| -> Result<toml::Table, DepotError> {
        let text = fs::read_to_string(path).map_err(io_error("cannot read", path))?;
        toml::from_str::<Manifest>(&text)
            .map(|manifest| manifest.0)
            .map_err(|error| DepotError::Manifest {
                path: path.to_owned(),
                reason: error.to_string(),
            })
    };
    let write = |path: &Path, manifest: toml::Table| -> Result<(), DepotError> {
        let text = toml::to_string(&Manifest(manifest)).unwrap_or_default();
        fs::write(path, text).map_err(io_error("cannot write", path))
    };
    let mut top = read(&workspace.root.join("Cargo.toml"))?;
    if let Some(toml::Value::Table(table)) = top.get_mut("workspace") {
        table.insert("members".to_owned(), vec!["exercises/*"].into());
        table.remove("default-members");
    }
    if let Some(toml::Value::Table(profiles)) = top.get_mut("profile")
        && let Some(toml::Value::Table(dev)) = profiles.get_mut("dev")
    {
        dev.insert("debug".to_owned(), false.into());
        if let Some(toml::Value::Table(packages)) = dev.get_mut("package") {
            // The harness's own packages, and those that only it uses, are not here.
            packages.retain(|name, _| ["*", "lapin", "tokio"].contains(&name));
        }
    }
    write(&skeleton.join("Cargo.toml"), top)?;
    let lock = workspace.root.join("Cargo.lock");
    fs::copy(&lock, skeleton.join("Cargo.lock")).map_err(io_error("cannot copy", &lock))?;
    for (index, chapter) in workspace.course.chapters.iter().enumerate() {
        let from = workspace.folder(index + 1, chapter, Edition::Exercise);
        let to = skeleton.join("exercises").join(&chapter.slug);
        let programs = to.join("src").join("bin");
        fs::create_dir_all(&programs).map_err(io_error("cannot make", &programs))?;
        let mut manifest = read(&from.join("Cargo.toml"))?;
        manifest.remove("dev-dependencies");
        write(&to.join("Cargo.toml"), manifest)?;
        for program in &chapter.programs {
            let path = programs.join(format!("{program}.rs"));
            fs::write(&path, "fn main() {}\n").map_err(io_error("cannot write", &path))?;
        }
    }
    Ok(())
}

/// What of a call of the compiler holds for every program of the exercise.
fn recipe(words: &[&str], built: &str) -> Vec<String> {
    let mut recipe = Vec::new();
    // The first word is the compiler itself.
    let mut words = words.iter().skip(1).filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        match *word {
            "--crate-name" | "--crate-type" | "--out-dir" | "--target" => {
                words.next();
            }
            "-C" | "-L" | "--extern" | "--check-cfg" | "--cfg" => {
                let value = words.next().copied().unwrap_or_default();
                let own = ["metadata=", "extra-filename=", "incremental="];
                if !own.iter().any(|start| value.starts_with(start)) {
                    recipe.push((*word).to_owned());
                    recipe.push(value.replace(built, DEPENDENCIES));
                }
            }
            word if word.starts_with("--emit")
                || word.starts_with("--error-format")
                || word.starts_with("--json")
                || word.starts_with("--diagnostic-width")
                || !word.starts_with('-') => {}
            word => recipe.push(word.to_owned()),
        }
    }
    recipe
}

/// Writes the few files that programs look for in `/etc`; places for what is bound over them are there, too.
fn furnish(etc: &Path) -> Result<(), DepotError> {
    fs::create_dir_all(etc.join("alternatives")).map_err(io_error("cannot make", etc))?;
    let files = [
        ("hostname", "workbook\n"),
        ("hosts", "127.0.0.1 localhost workbook\n::1 localhost\n"),
        ("passwd", "root:x:0:0:root:/:/bin/sh\n"),
        ("group", "root:x:0:\n"),
        (
            "nsswitch.conf",
            "passwd: files\ngroup: files\nhosts: files\n",
        ),
        ("resolv.conf", ""),
        ("ld.so.cache", ""),
    ];
    for (name, text) in files {
        let path = etc.join(name);
        fs::write(&path, text).map_err(io_error("cannot write", &path))?;
    }
    tool(Command::new("chmod").args(["-R", "a+rX"]).arg(etc)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_run_uses_is_removed() {
        let root = TempDir::new().expect("a folder");
        let [ours, theirs, old] = ["dependencies-ours", "dependencies-theirs", "toolchain-old"]
            .map(|name| root.path().join(name));
        let stranger = root.path().join("etc");
        for folder in [&ours, &theirs, &old, &stranger] {
            fs::create_dir(folder).expect("a folder");
            fs::write(folder.join("file"), "").expect("a file");
        }
        let held = hold(root.path(), &theirs).expect("a lock");
        assert!(held.is_some());
        forget(root.path(), &[&ours]);
        assert!(ours.exists() && theirs.exists() && stranger.exists());
        assert!(!old.exists());
        drop(held);
        forget(root.path(), &[&ours]);
        assert!(ours.exists() && !theirs.exists());
    }
}
