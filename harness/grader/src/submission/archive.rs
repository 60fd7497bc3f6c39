//! A submission that is an archive: it is read into memory, entry by entry, and never unpacked to a disk.

use std::{
    fs::File,
    io::{BufReader, Read, Take},
    path::Path,
};

use flate2::read::MultiGzDecoder;
use tar::EntryType;

use super::{ALLOWED, Tree, is_wanted, names};

/// What was taken of an archive so far.
struct Taken {
    tree: Tree,
    any_language: bool,
    entries: usize,
    /// Bytes that may still come out of it.
    room: u64,
}

impl Taken {
    fn new(any_language: bool) -> Self {
        Self {
            tree: Tree::default(),
            any_language,
            entries: 0,
            room: ALLOWED.unpacked,
        }
    }

    fn count(&mut self) -> Result<(), String> {
        self.entries += 1;
        if self.entries > ALLOWED.entries {
            return Err(format!("it holds more than {} entries", ALLOWED.entries));
        }
        Ok(())
    }

    fn refuse(&mut self, path: &[u8], reason: impl Into<String>) {
        let shown = String::from_utf8_lossy(path).into_owned();
        self.tree.refused.insert(shown, reason.into());
    }

    /// Takes a plain file; what its header says about its size is believed of nobody.
    fn file(&mut self, path: &[u8], contents: &mut dyn Read) -> Result<(), String> {
        let parts = match names::parts(path) {
            Ok(parts) => parts,
            Err(reason) => {
                self.refuse(path, reason);
                return Ok(());
            }
        };
        let name = parts.join("/");
        if self.tree.files.contains_key(&name) {
            self.refuse(path, "it is there twice");
            return Ok(());
        }
        if !is_wanted(&name, self.any_language) {
            self.tree.files.insert(name, None);
            return Ok(());
        }
        let mut bytes = Vec::new();
        let read = contents.take(ALLOWED.file + 1).read_to_end(&mut bytes);
        read.map_err(|error| format!("`{name}` cannot be unpacked: {error}"))?;
        self.room = self.room.checked_sub(bytes.len() as u64).ok_or(BOMB)?;
        if bytes.len() as u64 > ALLOWED.file {
            self.refuse(path, format!("it is larger than {} bytes", ALLOWED.file));
        } else {
            self.tree.files.insert(name, Some(bytes));
        }
        Ok(())
    }
}

/// What is said of an archive that grows beyond all reason.
const BOMB: &str = "it unpacks to too much: a submission holds sources only";

fn open(path: &Path) -> Result<File, String> {
    let file = File::open(path).map_err(|error| format!("it cannot be read: {error}"))?;
    let length = file.metadata().map_or(u64::MAX, |it| it.len());
    if length > ALLOWED.archive {
        return Err(format!("it is larger than {} bytes", ALLOWED.archive));
    }
    Ok(file)
}

/// Reads a `.zip`.
pub(super) fn zip(path: &Path, any_language: bool) -> Result<Tree, String> {
    let broken = |error: zip::result::ZipError| format!("it is no zip archive: {error}");
    let mut archive = zip::ZipArchive::new(BufReader::new(open(path)?)).map_err(broken)?;
    let mut taken = Taken::new(any_language);
    for index in 0..archive.len() {
        taken.count()?;
        let mut entry = archive.by_index(index).map_err(broken)?;
        // What is no UTF-8 in an archive says so in no way that could be relied on.
        let name = entry.name_raw().to_vec();
        // The upper half of the attributes is Unix's mode, where there is one.
        let kind = entry.unix_mode().unwrap_or_default() & 0o170_000;
        if entry.is_dir() {
            continue;
        }
        match kind {
            0 | 0o100_000 => taken.file(&name, &mut entry)?,
            0o120_000 => taken.refuse(&name, "it is a symbolic link"),
            _ => taken.refuse(&name, "it is no plain file"),
        }
    }
    Ok(taken.tree)
}

/// Reads a `.tar.gz`.
pub(super) fn tar_gz(path: &Path, any_language: bool) -> Result<Tree, String> {
    let broken = |error: std::io::Error| format!("it is no tar.gz archive: {error}");
    let unpacked = MultiGzDecoder::new(BufReader::new(open(path)?));
    // All of it has to be read to be passed over, so the whole stream is limited.
    let mut archive = tar::Archive::new(Bounded(unpacked.take(ALLOWED.unpacked)));
    let mut taken = Taken::new(any_language);
    for entry in archive.entries().map_err(broken)? {
        taken.count()?;
        let mut entry = entry.map_err(broken)?;
        let name = entry.path_bytes().into_owned();
        match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => taken.file(&name, &mut entry)?,
            EntryType::Directory | EntryType::XGlobalHeader => {}
            EntryType::Symlink => taken.refuse(&name, "it is a symbolic link"),
            EntryType::Link => taken.refuse(&name, "it is a hard link"),
            EntryType::GNUSparse => taken.refuse(&name, "it is a sparse file"),
            _ => taken.refuse(&name, "it is no plain file"),
        }
    }
    Ok(taken.tree)
}

/// A stream that fails at its limit instead of ending there.
struct Bounded<R>(Take<R>);

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.0.limit() == 0 {
            return Err(std::io::Error::other(BOMB));
        }
        self.0.read(buffer)
    }
}
