//! Where the course, its exercises and its solutions are.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::{Chapter, Course, CourseError};

/// A checkout of the workbook's repository.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// The repository's top folder.
    pub root: PathBuf,
    /// The catalogue.
    pub course: Course,
}

/// Whose programs are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edition {
    /// The learner's, in `exercises/`.
    Exercise,
    /// Ours, in `solutions/`.
    Solution,
}

/// Why there is no workspace.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// Neither the folder nor one above it holds `exercises/course.toml`.
    #[error("{} is not inside a checkout of the workbook: no exercises/course.toml is there or above", start.display())]
    NotFound {
        /// Where the search began.
        start: PathBuf,
    },
    /// The catalogue cannot be used.
    #[error(transparent)]
    Course(#[from] CourseError),
}

impl Workspace {
    /// The checkout that a folder is in.
    pub fn find(start: &Path) -> Result<Self, WorkspaceError> {
        let root = start
            .ancestors()
            .find(|folder| folder.join("exercises").join("course.toml").is_file())
            .ok_or_else(|| WorkspaceError::NotFound {
                start: start.to_owned(),
            })?;
        let course = Course::read(&root.join("exercises").join("course.toml"))?;
        Ok(Self {
            root: root.to_owned(),
            course,
        })
    }

    /// The folder of a chapter: `exercises/01-hello-world`.
    pub fn folder(&self, number: usize, chapter: &Chapter, side: Edition) -> PathBuf {
        let room = match side {
            Edition::Exercise => "exercises",
            Edition::Solution => "solutions",
        };
        self.root
            .join(room)
            .join(format!("{number:02}-{}", chapter.slug))
    }

    /// The folder for what the workbook keeps between runs; cargo's own target folder holds it.
    pub fn state(&self) -> PathBuf {
        state_folder(&self.root)
    }
}

impl Edition {
    /// The package of a chapter's programs.
    pub fn package(self, slug: &str) -> String {
        match self {
            Edition::Exercise => slug.to_owned(),
            Edition::Solution => format!("{slug}-solution"),
        }
    }
}

/// The folder for what the workbook keeps between runs; cargo's own target folder of the checkout `root` holds it.
pub fn state_folder(root: &Path) -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    // A relative one is meant from where cargo was called; where checks run, that is another folder.
    root.join(target).join("workbook")
}
