//! A submission that is a folder.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
};

use rustix::fs::{Mode, OFlags};

use super::{
    ALLOWED,
    package::{Contents, Listed, Package, contents, count, is_passed_over},
    refusal::{Odd, Refusal},
};

/// A folder, of which no link is followed.
pub(super) struct Folder {
    root: PathBuf,
    /// What was listed.
    paths: Vec<PathBuf>,
}

impl Folder {
    pub(super) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            paths: Vec::new(),
        }
    }
}

impl Package for Folder {
    fn list(&mut self) -> Result<Vec<Listed>, Refusal> {
        let unreadable = |error: std::io::Error| Refusal::Unreadable(error.to_string());
        let mut listed = Vec::new();
        let mut left = vec![(self.root.clone(), Vec::new())];
        let mut entries = 0;
        while let Some((folder, within)) = left.pop() {
            for found in fs::read_dir(&folder).map_err(unreadable)? {
                let found = found.map_err(unreadable)?;
                count(&mut entries)?;
                let mut name = within.clone();
                name.extend(found.file_name().as_bytes());
                let kind = found.file_type().map_err(unreadable)?;
                if kind.is_dir() {
                    let passed_over = is_passed_over(&String::from_utf8_lossy(&name));
                    name.push(b'/');
                    if !passed_over {
                        left.push((found.path(), name));
                        continue;
                    }
                }
                let odd = if kind.is_file() {
                    None
                } else if kind.is_symlink() {
                    Some(Odd::SymbolicLink)
                } else {
                    Some(Odd::NotPlain)
                };
                listed.push(Listed {
                    name,
                    otherwise: None,
                    odd,
                });
                self.paths.push(found.path());
            }
        }
        Ok(listed)
    }

    fn read(&mut self, wanted: &BTreeSet<usize>, most: u64) -> Result<Contents, Refusal> {
        let mut room = ALLOWED.unpacked;
        let mut all = Contents::new();
        for number in wanted {
            let read = read_file(&self.paths[*number], most);
            let length = read.as_ref().map_or(0, Vec::len) as u64;
            room = room.checked_sub(length).ok_or(Refusal::Bomb)?;
            all.insert(*number, read);
        }
        Ok(all)
    }
}

/// Reads a file that is what it was taken for: what is opened is looked at, not what was listed.
fn read_file(path: &Path, most: u64) -> Result<Vec<u8>, Odd> {
    let unreadable = |error: std::io::Error| Odd::Unreadable(error.to_string());
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = rustix::fs::open(path, flags, Mode::empty());
    let file = fs::File::from(opened.map_err(|error| unreadable(error.into()))?);
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        Err(Odd::NotPlain)
    } else if metadata.nlink() > 1 {
        // It may be another name of a file that the learner may not read.
        Err(Odd::HardLink)
    } else {
        contents(file, most)
    }
}
