//! What nearly every program of an exercise would compile anew, compiled once.
//!
//! Most of lapin is generic, or asynchronous methods, which Rust compiles where they are used: for a program of fifty
//! lines nine tenths of the compiler's time. What a crate has compiled in this way it offers to those that depend on it;
//! so programs are given, in place of lapin, a crate of the same name that hands on all of lapin and has the
//! exercise's solution in it, which nobody can call.

use std::{
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

use workbook_course::Chapter;
use workbook_sandbox::Room;

use super::{CompileError, Site, Unit, io_error, source_of};
use crate::{
    depot::{DEPENDENCIES, Depot},
    submission::{self, Files},
};

/// The crate that it stands for.
const STANDS_FOR: &str = "lapin";
/// Where prefabs lie, under the compiled dependencies, so that other dependencies have other prefabs.
const FOLDER: &str = "prefab";

/// Makes an exercise's prefab, unless an earlier run has; returns its file, under the compiled dependencies.
pub async fn prefab(
    depot: &Depot,
    room: Option<&Room>,
    chapter: &Chapter,
    solution: &Files,
) -> Result<PathBuf, CompileError> {
    let version = submission::hash(&chapter.slug, solution);
    let unit = Unit {
        // Another crate than the one of the same name that it hands on.
        words: &["-C", "metadata=prefab"],
        ..Unit::library(STANDS_FOR)
    };
    // The compiler knows by the name what it is.
    let name = format!("lib{}-{version:.16}.rlib", chapter.slug);
    let place = PathBuf::from(FOLDER).join(name);
    let whole = depot.dependencies.join(&place);
    if whole.is_file() {
        return Ok(place);
    }
    let out = depot.folder("out-", 0o777)?;
    let site = Site::new(
        depot,
        room,
        chapter,
        &sources(chapter, solution),
        out.path(),
        None,
    )?;
    site.rustc(&unit).await?;
    keep(&out.path().join(&unit.output), &whole).map_err(io_error("keep what is compiled once"))?;
    Ok(place)
}

/// A word of a recipe, with the prefab instead of what it stands for.
pub(super) fn instead(word: &str, prefab: &Path) -> String {
    match word.strip_prefix(STANDS_FOR) {
        Some(rest) if rest.starts_with('=') => {
            format!("{STANDS_FOR}={DEPENDENCIES}/{}", prefab.display())
        }
        _ => word.to_owned(),
    }
}

/// The solution's programs, each in a module, and a list of them: what is in a static the compiler compiles, and what is
/// private nobody can call.
fn sources(chapter: &Chapter, solution: &Files) -> Files {
    let mut files = solution.clone();
    let mut modules = String::new();
    let mut list = String::new();
    for (number, program) in chapter.programs.iter().enumerate() {
        let Some(path) = source_of(program, solution) else {
            continue;
        };
        let Some(text) = files.get_mut(&path) else {
            continue;
        };
        text.extend_from_slice(b"\npub(super) fn program() { let _ = main(); }\n");
        let path = path.trim_start_matches("src/");
        // Writing to a text does not fail.
        let _ = writeln!(modules, "#[path = {path:?}] mod program_{number};");
        let _ = write!(list, "program_{number}::program, ");
    }
    let library = format!(
        "pub use ::{STANDS_FOR}::*;\n\
         #[used] static PROGRAMS: &[fn()] = &[{list}];\n\
         {modules}"
    );
    files.insert("src/lib.rs".to_owned(), library.into_bytes());
    files
}

/// Puts a file where all runs find it, at once and whole, unless another run was faster.
///
/// The faster one's stays: it does the same, but is another crate to a compiler that has opened it and opens it again.
fn keep(from: &Path, to: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let folder = to.parent().unwrap_or(to);
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    let part = tempfile::NamedTempFile::new_in(folder)?;
    fs::copy(from, part.path())?;
    super::own(part.path())?;
    match part.persist_noclobber(to) {
        Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => Err(error.error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_never_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let [first, second] = ["first", "second"].map(|name| {
            let path = folder.path().join(name);
            fs::write(&path, name).expect("a file");
            path
        });
        let kept = folder.path().join("prefab").join("kept");
        keep(&first, &kept).expect("the first is kept");
        keep(&second, &kept).expect("the second is no error");
        assert_eq!(fs::read(&kept).expect("a file"), b"first");
    }
}
