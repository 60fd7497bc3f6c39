//! What learners hand in: entries of a class, and the sources in them.
//!
//! Nothing of a submission is trusted. Archives are read into memory by an
//! allow-list and never unpacked to a disk; folders are read without following a
//! link. What cannot be taken as it is, is refused in words.

mod archive;
mod folder;
mod names;
mod shape;

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs, io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use percent_encoding::{AsciiSet, CONTROLS, percent_encode};
use sha2::{Digest, Sha256};
use workbook_lab::course::Course;

pub use shape::{Handed, Sources};

pub(crate) use names::hex;

/// How much a submission may hold; what a learner writes for the whole course is a hundredth of it.
#[derive(Clone, Copy, Debug)]
pub struct Allowed {
    /// Entries of an archive, or of a folder with all its folders, whether they are used or not.
    pub entries: usize,
    /// Bytes of an archive.
    pub archive: u64,
    /// Bytes that an archive may unpack to.
    pub unpacked: u64,
    /// Files that are used.
    pub files: usize,
    /// Bytes of one file that is used.
    pub file: u64,
    /// Bytes of all files that are used.
    pub bytes: u64,
    /// Folders within folders.
    pub depth: usize,
    /// Bytes of a name.
    pub name: usize,
}

/// What every submission is held to.
pub const ALLOWED: Allowed = Allowed {
    entries: 50_000,
    archive: 64 << 20,
    unpacked: 256 << 20,
    files: 500,
    file: 1 << 20,
    bytes: 8 << 20,
    depth: 16,
    name: 200,
};

/// One learner's entry in a class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name without an archive's ending; bytes that are no UTF-8, and control characters, are percent-escaped.
    pub name: String,
    /// A name that is safe and unique, for the folder of its results.
    pub folder: String,
    /// Where it is.
    pub path: PathBuf,
    /// What it is.
    pub form: Form,
}

/// The forms of a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// A folder.
    Folder,
    /// A `.zip`.
    Zip,
    /// A `.tar.gz` or `.tgz`.
    TarGz,
    /// None, for this reason.
    No(String),
}

/// The files that are used of one exercise, by their path in its folder (`src/bin/send.rs`).
pub type Files = BTreeMap<String, Vec<u8>>;

/// Files of a submission as it was handed in: every path, and the contents of those that may be used.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// Plain relative paths with `/`, each with the contents where they were wanted.
    pub(crate) files: BTreeMap<String, Option<Vec<u8>>>,
    /// What is no plain file or folder, or has a name that cannot be taken, with the reason.
    pub(crate) refused: BTreeMap<String, String>,
}

/// Whether the contents of a file may be of use: nothing else of a submission is read.
pub(crate) fn is_wanted(path: &str, any_language: bool) -> bool {
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    let name = path.rsplit('/').next().unwrap_or(path);
    let folders = || path.split('/').rev().skip(1);
    let hidden = path.split('/').any(|part| part.starts_with('.'));
    name == shape::WORKBOOK_TOML
        || (ending == "rs" && folders().any(|folder| folder == "src"))
        || (any_language && !hidden && !folders().any(|it| it == "target"))
}

/// The submissions of a class, sorted by name; a folder or archive that is itself a submission is a class of one.
pub fn entries(path: &Path, course: &Course) -> io::Result<Vec<Entry>> {
    let metadata = fs::metadata(path)?;
    let path = fs::canonicalize(path)?;
    let mut entries = Vec::new();
    if metadata.is_file() || shape::is_submission(&path, course) {
        let name = path.file_name().unwrap_or(OsStr::new("submission"));
        entries.push(entry(name, path.clone())?);
    } else {
        for found in fs::read_dir(&path)? {
            let found = found?;
            entries.push(entry(&found.file_name(), found.path())?);
        }
    }
    entries.sort_by(|a, b| (&a.name, &a.path).cmp(&(&b.name, &b.path)));
    Ok(entries)
}

fn entry(file_name: &OsStr, path: PathBuf) -> io::Result<Entry> {
    let kind = fs::symlink_metadata(&path)?.file_type();
    let bytes = file_name.as_bytes();
    let (stem, archive) = stem(bytes);
    let form = if kind.is_symlink() {
        Form::No("it is a symbolic link; hand in the folder itself".to_owned())
    } else if bytes.starts_with(b".") || stem.is_empty() || stem.starts_with(b".") {
        Form::No("its name is hidden or empty".to_owned())
    } else if kind.is_dir() {
        Form::Folder
    } else if let (true, Some(form)) = (kind.is_file(), archive) {
        form
    } else {
        Form::No("it is neither a folder nor a .zip or .tar.gz".to_owned())
    };
    // A folder's name has no ending.
    let stem = if matches!(form, Form::Zip | Form::TarGz) {
        stem
    } else {
        bytes
    };
    let mut hash = Sha256::new();
    hash.update(bytes);
    let hash = names::hex(&hash.finalize());
    Ok(Entry {
        name: shown(stem),
        folder: format!("{}-{}", names::slug(stem), &hash[..8]),
        path,
        form,
    })
}

/// A name without its archive's ending, and the archive's form.
fn stem(name: &[u8]) -> (&[u8], Option<Form>) {
    let lower = name.to_ascii_lowercase();
    for (ending, form) in [
        (".zip", Form::Zip),
        (".tar.gz", Form::TarGz),
        (".tgz", Form::TarGz),
    ] {
        if lower.ends_with(ending.as_bytes()) {
            return (&name[..name.len() - ending.len()], Some(form));
        }
    }
    (name, None)
}

/// A name of bytes as text: what is no UTF-8, or would do something to a terminal, is percent-escaped.
fn shown(name: &[u8]) -> String {
    const ESCAPED: &AsciiSet = &CONTROLS.add(b'%');
    match std::str::from_utf8(name) {
        Ok(text) if text.chars().all(names::is_plain) => text.to_owned(),
        Ok(text) => text
            .chars()
            .map(|c| {
                let mut buffer = [0; 4];
                let text = c.encode_utf8(&mut buffer);
                if names::is_plain(c) {
                    text.to_owned()
                } else {
                    percent_encode(text.as_bytes(), percent_encoding::NON_ALPHANUMERIC).to_string()
                }
            })
            .collect(),
        Err(_) => percent_encode(name, ESCAPED).to_string(),
    }
}

impl Entry {
    /// When it was last changed, in UTC. A commit's own time is told by whoever made the checkout: no program is run
    /// in a submission to learn it.
    pub fn changed(&self) -> String {
        let changed = fs::symlink_metadata(&self.path).and_then(|it| it.modified());
        let changed = changed
            .ok()
            .and_then(|it| jiff::Timestamp::try_from(it).ok());
        let changed = changed.unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        changed.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// Reads it, and finds the exercises in it; `Err` says in a sentence why it is no submission.
    pub fn read(&self, course: &Course, any_language: bool) -> Result<Handed, String> {
        let tree = match &self.form {
            Form::No(reason) => return Err(reason.clone()),
            Form::Folder => folder::read(&self.path, any_language),
            Form::Zip => archive::zip(&self.path, any_language),
            Form::TarGz => archive::tar_gz(&self.path, any_language),
        }?;
        shape::find(&tree, course, any_language)
    }
}

/// The hash of what is built: paths and lengths as well as contents.
pub fn hash(slug: &str, files: &Files) -> String {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    part(slug.as_bytes());
    for (path, contents) in files {
        part(path.as_bytes());
        part(contents);
    }
    names::hex(&hash.finalize())
}
