//! Which exercise a check belongs to, and where its programs are.

use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use workbook_course::Course;
use workbook_report::{failure::Failure, request::Request};

use crate::process::Command;

/// What the packages of solutions are called after the slug, and their executables after the program.
const SOLUTION: &str = "-solution";

/// The package that a check was compiled in. Made by [`lab!`](crate::lab!) and [`property!`](crate::property!).
#[derive(Clone, Copy, Debug)]
pub struct Exercise {
    /// The package's name.
    pub package: &'static str,
    /// The package's folder.
    pub folder: &'static str,
}

impl Exercise {
    /// The exercise's slug.
    pub fn slug(self) -> &'static str {
        self.package.strip_suffix(SOLUTION).unwrap_or(self.package)
    }

    /// Whether its programs are the learner's, and not those of the solution.
    pub(crate) fn is_own(self) -> bool {
        !self.package.ends_with(SOLUTION)
    }

    /// The checkout's top folder.
    pub(crate) fn root(self) -> Option<PathBuf> {
        let root = Path::new(self.folder).ancestors().nth(2)?;
        Some(root.to_owned())
    }

    /// The catalogue of the course, where this exercise is in one.
    pub(crate) fn course(self) -> Option<Course> {
        let root = self.root()?;
        Course::read(&root.join("exercises").join("course.toml")).ok()
    }

    /// The command that starts a program: a replacement, or the package's own executable.
    pub(crate) fn command(self, program: &str, request: &Request) -> Result<Command, Failure> {
        let replaced = &request.programs;
        let (argv, directory) = match replaced.commands.get(program) {
            Some(words) => (
                words.iter().map(OsString::from).collect::<Vec<_>>(),
                replaced.directory.clone(),
            ),
            None => (
                vec![self.executable(program)?.into_os_string()],
                PathBuf::from(self.folder),
            ),
        };
        if argv.is_empty() {
            let expected = format!("the program `{program}` can be started");
            return Err(Failure::error(expected, "its command is empty"));
        }
        if let Some(room) = &request.room {
            let variables = environment().into_iter();
            // What is this machine's own means nothing inside.
            let kept = variables.filter(|(name, _)| name != "PATH" && name != "HOME");
            let inside = room.environment.iter();
            return Ok(Command {
                argv,
                directory: room.directory.clone(),
                environment: kept
                    .chain(inside.map(|(name, value)| (name.clone(), value.into())))
                    .collect(),
            });
        }
        Ok(Command {
            argv,
            directory,
            environment: environment(),
        })
    }

    /// The package's own executable: cargo puts it two folders above that of the check.
    fn executable(self, program: &str) -> Result<PathBuf, Failure> {
        let ending = if self.package.ends_with(SOLUTION) {
            SOLUTION
        } else {
            ""
        };
        // What cargo built once stays when its source has gone.
        let source = Path::new("src/bin").join(format!("{program}.rs"));
        if !Path::new(self.folder).join(&source).is_file() {
            let folder = Path::new(self.folder).file_name().unwrap_or_default();
            let shown = Path::new("exercises").join(folder).join(source);
            let shown = shown.display();
            return Err(Failure::error(
                format!("the program `{program}` is there"),
                format!("there is no {shown}"),
            )
            .advise(format!(
                "git restore {shown} brings back the one that was handed out"
            )));
        }
        let name = format!("{program}{ending}{}", env::consts::EXE_SUFFIX);
        let check = env::current_exe()
            .map_err(|error| Failure::infra("the check knows where it is", &error))?;
        let folder = check.ancestors().nth(2).unwrap_or(Path::new("."));
        let path = folder.join(name);
        if path.is_file() {
            return Ok(path);
        }
        Err(Failure::error(
            format!("the program `{program}` is built"),
            format!("there is no {}", path.display()),
        )
        .advise(format!("build it: cargo build -p {} --bins", self.package)))
    }
}

/// What every program finds in its environment, besides the address of the broker.
fn environment() -> BTreeMap<String, OsString> {
    let mut environment = BTreeMap::from([
        // Python holds back on standard error, too, and on a standard output that somebody has wrapped.
        ("PYTHONUNBUFFERED".to_owned(), OsString::from("1")),
        ("LANG".to_owned(), OsString::from("C.UTF-8")),
        // A terminal that can do nothing but show text: what a program prints is read by checks.
        ("TERM".to_owned(), OsString::from("dumb")),
        ("NO_COLOR".to_owned(), OsString::from("1")),
    ]);
    // An interpreter is found by its name, and finds what is its own.
    for name in ["PATH", "HOME"] {
        if let Some(value) = env::var_os(name) {
            environment.insert(name.to_owned(), value);
        }
    }
    environment
}
