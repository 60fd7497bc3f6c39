//! Results on disk: each is written whole or not at all, and found again by what it depends on.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use workbook_report::Verdict;

use crate::model::Exercise;

/// The largest tape or text that is kept of a check, in bytes.
const KEPT: u64 = 1 << 20;

/// The folder of a class's results.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    /// Held while we write there.
    _lock: fs::File,
}

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else grades into it.
    #[error("another grading writes to {}", .0.display())]
    Busy(PathBuf),
    /// The file system.
    #[error("cannot write to {}", path.display())]
    File {
        /// What was written.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// An exercise's result as it is stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    key: String,
    exercise: Exercise,
}

/// What is decided once for all runs into the same folder.
#[derive(Serialize, Deserialize)]
struct Run {
    seed: u64,
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> StoreError + '_ {
    move |source| StoreError::File {
        path: path.to_owned(),
        source,
    }
}

impl Store {
    /// Opens a folder for results, for us alone.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(root).map_err(io_error(root))?;
        let path = root.join(".lock");
        let lock = fs::File::create(&path).map_err(io_error(&path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(StoreError::Busy(root.to_owned())),
            Err(fs::TryLockError::Error(error)) => return Err(io_error(&path)(error)),
        }
        Ok(Self {
            root: root.to_owned(),
            _lock: lock,
        })
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The seed of this folder's results: the one that is asked for, else that of an earlier run, else a new one.
    pub fn seed(&self, asked: Option<u64>, fresh: u64) -> Result<u64, StoreError> {
        let path = self.root.join("run.json");
        let known = fs::read(&path).ok();
        let known = known.and_then(|json| serde_json::from_slice::<Run>(&json).ok());
        let seed = asked.or(known.map(|run| run.seed)).unwrap_or(fresh);
        let json = serde_json::to_vec(&Run { seed }).unwrap_or_default();
        write(&path, |to| to.write_all(&json))?;
        Ok(seed)
    }

    /// The stored result of an exercise, where it depends on the same things and is a result.
    pub fn find(&self, folder: &str, slug: &str, key: &str) -> Option<Exercise> {
        let path = self.root.join(folder).join(slug).join("result.json");
        let stored: Stored = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        let graded = stored.exercise.verdict != Verdict::Infra;
        (graded && stored.key == key).then_some(stored.exercise)
    }

    /// A fresh folder for what the checks of an exercise leave; [`Store::keep`] puts it in its place.
    pub fn part(&self, folder: &str, slug: &str) -> Result<PathBuf, StoreError> {
        let part = self.root.join(folder).join(format!(".{slug}.part"));
        remove(&part)?;
        fs::create_dir_all(&part).map_err(io_error(&part))?;
        Ok(part)
    }

    /// Stores the result of an exercise together with what its checks left.
    pub fn keep(
        &self,
        folder: &str,
        slug: &str,
        key: &str,
        exercise: &Exercise,
    ) -> Result<(), StoreError> {
        let part = self.root.join(folder).join(format!(".{slug}.part"));
        cap(&part).map_err(io_error(&part))?;
        let stored = Stored {
            key: key.to_owned(),
            exercise: exercise.clone(),
        };
        let json = serde_json::to_vec_pretty(&stored).unwrap_or_default();
        write(&part.join("result.json"), |to| to.write_all(&json))?;
        let place = self.root.join(folder).join(slug);
        remove(&place)?;
        fs::rename(&part, &place).map_err(io_error(&place))?;
        sync(&self.root.join(folder))
    }

    /// Removes a file of the class, or of a submission, where it is there.
    pub fn remove(&self, path: &str) -> Result<(), StoreError> {
        let path = self.root.join(path);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error(&path)(error)),
            _ => Ok(()),
        }
    }

    /// Writes a file of the class, or of a submission.
    pub fn write(&self, path: &str, contents: &[u8]) -> Result<(), StoreError> {
        self.write_with(path, |to| to.write_all(contents))
    }

    /// Writes a file of the class piece by piece, so that it need not be in memory.
    pub fn write_with(
        &self,
        path: &str,
        pieces: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), StoreError> {
        let path = self.root.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(io_error(parent))?;
        }
        write(&path, pieces)
    }

    /// Reads a file of the class, or of a submission, that was written.
    pub fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        fs::read(self.root.join(path))
    }
}

fn remove(folder: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error(folder)(error)),
        _ => Ok(()),
    }
}

/// Writes a file whole or not at all, and so that it is there after a power cut.
fn write(
    path: &Path,
    pieces: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), StoreError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let written = || -> io::Result<()> {
        let mut builder = tempfile::Builder::new();
        // As other files are, and not for us alone: a report is to be read.
        let mode = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o644);
        let mut temporary = builder.permissions(mode).tempfile_in(folder)?;
        let mut buffered = io::BufWriter::new(&mut temporary);
        pieces(&mut buffered)?;
        buffered.flush()?;
        drop(buffered);
        temporary.as_file().sync_all()?;
        temporary.persist(path)?;
        Ok(())
    };
    written().map_err(io_error(path))
}

fn sync(folder: &Path) -> Result<(), StoreError> {
    let synced = fs::File::open(folder).and_then(|it| it.sync_all());
    synced.map_err(io_error(folder))
}

/// Shortens what is too large to be kept: tapes at the end of a line, pictures not at all.
fn cap(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if metadata.is_dir() {
            cap(&entry.path())?;
        } else if metadata.len() > KEPT {
            let path = entry.path();
            if path.extension().is_some_and(|ending| ending == "svg") {
                fs::remove_file(&path)?;
                continue;
            }
            let mut kept = Vec::new();
            io::Read::read_to_end(&mut io::Read::take(fs::File::open(&path)?, KEPT), &mut kept)?;
            let end = kept.iter().rposition(|byte| *byte == b'\n');
            kept.truncate(end.map_or(0, |end| end + 1));
            fs::write(&path, kept)?;
        }
    }
    Ok(())
}
