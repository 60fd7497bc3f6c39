//! A submission that is a folder.

use std::{fs, io::Read, os::unix::ffi::OsStrExt, os::unix::fs::MetadataExt, path::Path};

use rustix::fs::{Mode, OFlags};

use super::{ALLOWED, Tree, is_wanted, names};

/// Folders whose contents are never looked at: they are large, and nobody writes programs there.
const PASSED_OVER: [&str; 4] = [".git", "target", "node_modules", "__pycache__"];

/// Lists a folder with all its folders, and reads what may be used; no link is followed.
pub(super) fn read(root: &Path, any_language: bool) -> Result<Tree, String> {
    let mut tree = Tree::default();
    let mut left = vec![(root.to_owned(), String::new())];
    let (mut entries, mut bytes) = (0, 0);
    while let Some((folder, within)) = left.pop() {
        let unreadable = |error| format!("`{within}` cannot be read: {error}");
        for found in fs::read_dir(&folder).map_err(unreadable)? {
            let found = found.map_err(unreadable)?;
            entries += 1;
            if entries > ALLOWED.entries {
                return Err(format!("it holds more than {} files", ALLOWED.entries));
            }
            let name = found.file_name();
            let mut path = within.clone().into_bytes();
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend(name.as_bytes());
            let shown = String::from_utf8_lossy(&path).into_owned();
            let path = match names::parts(&path) {
                Ok(parts) => parts.join("/"),
                Err(reason) => {
                    tree.refused.insert(shown, reason);
                    continue;
                }
            };
            let kind = found.file_type().map_err(unreadable)?;
            if kind.is_dir() {
                if !PASSED_OVER
                    .iter()
                    .any(|it| name.as_bytes() == it.as_bytes())
                {
                    left.push((found.path(), path));
                }
            } else if !kind.is_file() {
                let what = if kind.is_symlink() {
                    "it is a symbolic link"
                } else {
                    "it is no plain file"
                };
                tree.refused.insert(path, what.to_owned());
            } else if is_wanted(&path, any_language) {
                match file(&found.path()) {
                    Ok(contents) => {
                        bytes += contents.len() as u64;
                        // Far beyond what is used in the end, so that memory is safe.
                        if bytes > ALLOWED.unpacked {
                            return Err("its files are too large".to_owned());
                        }
                        tree.files.insert(path, Some(contents));
                    }
                    Err(reason) => {
                        tree.refused.insert(path, reason);
                    }
                }
            } else {
                tree.files.insert(path, None);
            }
        }
    }
    Ok(tree)
}

/// Reads a file that is what it was taken for: what is opened is looked at, not what was listed.
fn file(path: &Path) -> Result<Vec<u8>, String> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = rustix::fs::open(path, flags, Mode::empty())
        .map_err(|error| format!("it cannot be read: {error}"))?;
    let file = fs::File::from(opened);
    let metadata = file
        .metadata()
        .map_err(|error| format!("it cannot be read: {error}"))?;
    if !metadata.is_file() {
        return Err("it is no plain file".to_owned());
    }
    if metadata.nlink() > 1 {
        return Err("it is a hard link: the file has another name, too".to_owned());
    }
    if metadata.len() > ALLOWED.file {
        return Err(format!("it is larger than {} bytes", ALLOWED.file));
    }
    let mut contents = Vec::new();
    file.take(ALLOWED.file)
        .read_to_end(&mut contents)
        .map_err(|error| format!("it cannot be read: {error}"))?;
    Ok(contents)
}
