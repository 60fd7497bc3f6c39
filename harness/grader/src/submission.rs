//! What learners hand in: entries of a class, and the sources in them.
//!
//! Nothing of a submission is trusted. Archives are read into memory by an
//! allow-list and never unpacked to a disk; folders are read without following a
//! link. A folder and an archive look the same from then on (`package`): a list
//! of names, of which those are found that an exercise uses (`places`). Only
//! these are read, and only these can be refused, in words; all else is passed over.

mod archive;
mod folder;
mod names;
mod package;
mod places;
mod refusal;
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
use workbook_course::Course;

pub use refusal::{Odd, Refusal};
pub use shape::{Handed, Sources};

pub(crate) use names::hex;

use folder::Folder;

/// How much a submission may hold; what a learner writes for the whole course is a hundredth of it.
#[derive(Clone, Copy, Debug)]
pub struct Allowed {
    /// Entries of an archive, or of a folder with all its folders, whether they are used or not.
    pub entries: usize,
    /// Bytes of an archive.
    pub archive: u64,
    /// Bytes of an archive that lies in a folder or in another archive.
    pub within: u64,
    /// Bytes of a zip's directory.
    pub directory: u64,
    /// Bytes of what tells about an entry of a tar archive.
    pub header: u64,
    /// Bytes that an archive may unpack to, as far as it has to be unpacked to find what is used.
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
    entries: 300_000,
    archive: 512 << 20,
    within: 64 << 20,
    directory: 32 << 20,
    header: 1 << 20,
    unpacked: 2 << 30,
    files: 500,
    file: 1 << 20,
    bytes: 8 << 20,
    depth: 16,
    name: 255,
};

/// The endings of archives. Of those that we do not read, somebody handed in something, too.
const ARCHIVES: [&str; 12] = [
    ".zip", ".tar.gz", ".tgz", ".tar", ".7z", ".rar", ".tar.xz", ".txz", ".tar.bz2", ".tbz2",
    ".tar.zst", ".gz",
];

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
    /// A `.zip`, a `.tar.gz`, or what looks like one.
    Archive,
    /// None, for this reason.
    No(Refusal),
}

/// What lies in the folder of a class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entries {
    /// The submissions, sorted by name.
    pub submissions: Vec<Entry>,
    /// The names of what systems, platforms and teachers put beside them: they are nobody's.
    pub passed_over: Vec<String>,
}

/// The files that are used of one exercise, by their path in its folder (`src/bin/send.rs`).
pub type Files = BTreeMap<String, Vec<u8>>;

/// The submissions of a class; a folder or archive that is itself a submission is a class of one.
pub fn entries(path: &Path, course: &Course) -> io::Result<Entries> {
    let metadata = fs::metadata(path)?;
    let path = fs::canonicalize(path)?;
    let mut entries = Entries::default();
    if metadata.is_file() || places::is_submission(&path, course) {
        let name = path.file_name().unwrap_or(OsStr::new("submission"));
        let only = entry(name, path.clone())?;
        entries.submissions.push(only);
    } else {
        for found in fs::read_dir(&path)? {
            let found = found?;
            let name = found.file_name();
            if is_nobody(name.as_bytes(), found.file_type()?) {
                entries.passed_over.push(shown(name.as_bytes()));
            } else {
                entries.submissions.push(entry(&name, found.path())?);
            }
        }
    }
    (entries.submissions).sort_by(|a, b| (&a.name, &a.path).cmp(&(&b.name, &b.path)));
    entries.passed_over.sort();
    Ok(entries)
}

/// Whether an entry of a class is nobody's work: hidden, of a system, or a file that is no archive, as the lists are
/// that platforms add.
fn is_nobody(name: &[u8], kind: fs::FileType) -> bool {
    let text = String::from_utf8_lossy(name);
    name.starts_with(b".")
        || package::is_passed_over(&text)
        || (kind.is_file() && !is_archive(&text))
}

fn entry(file_name: &OsStr, path: PathBuf) -> io::Result<Entry> {
    let kind = fs::symlink_metadata(&path)?.file_type();
    let bytes = file_name.as_bytes();
    let name = shown(bytes);
    let form = if kind.is_symlink() {
        Form::No(Refusal::Link)
    } else if kind.is_dir() {
        Form::Folder
    } else if kind.is_file() && is_archive(&name) {
        Form::Archive
    } else {
        Form::No(Refusal::Neither)
    };
    // A folder's name has no ending.
    let stem = match form {
        Form::Archive => &name[..name.len() - ending(&name).len()],
        _ => name.as_str(),
    };
    let mut hash = Sha256::new();
    hash.update(bytes);
    let hash = names::hex(&hash.finalize());
    Ok(Entry {
        name: stem.to_owned(),
        folder: format!("{}-{}", names::slug(stem), &hash[..8]),
        path,
        form,
    })
}

/// The ending of an archive's name; empty where it is none.
fn ending(name: &str) -> &'static str {
    let ends = |ending: &&&str| {
        let start = name.len().checked_sub(ending.len());
        let end = start.and_then(|start| name.get(start..));
        end.is_some_and(|end| end.eq_ignore_ascii_case(ending))
    };
    ARCHIVES.iter().find(ends).copied().unwrap_or_default()
}

/// Whether a file is an archive by its name.
fn is_archive(name: &str) -> bool {
    !ending(name).is_empty()
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

    /// Reads it, and finds the exercises in it; or says why it is no submission.
    pub fn read(&self, course: &Course, any_language: bool) -> Result<Handed, Refusal> {
        match &self.form {
            Form::No(refusal) => Err(refusal.clone()),
            Form::Folder => shape::find(&mut Folder::new(&self.path), course, any_language),
            Form::Archive => {
                let unreadable = |error: io::Error| Refusal::Unreadable(error.to_string());
                let file = fs::File::open(&self.path).map_err(unreadable)?;
                if file.metadata().map_err(unreadable)?.len() > ALLOWED.archive {
                    return Err(Refusal::Archive);
                }
                let mut package = archive::open(Box::new(file))?;
                shape::find(package.as_mut(), course, any_language)
            }
        }
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
