//! Compiling one submission's exercise: its sources, the recorded call of the compiler, and nothing else.

mod prefab;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use tempfile::TempDir;
use workbook_course::Chapter;
use workbook_sandbox::{
    Bind, Limits, Room, SandboxError, Tripped,
    run::{Finish, Outcome},
    wire::Go,
};

pub use self::prefab::prefab;
use crate::{
    depot::{DEPENDENCIES, Depot, DepotError},
    submission::Files,
};

/// How long the compiler may take for one program. It takes 1 s; a busy machine gets its time.
const PATIENCE: Duration = Duration::from_secs(90);
/// How many bytes of its words are read before it is killed.
const SAID: usize = 1 << 20;
/// How many bytes of them are shown.
const SHOWN: usize = 16 << 10;

/// The programs of one exercise, compiled. They are gone when this is dropped.
#[derive(Debug)]
pub struct Built {
    /// The folder of the executables.
    pub programs: TempDir,
}

/// Why there are no programs.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The submission's own fault: what the learner reads.
    #[error("{0}")]
    Theirs(String),
    /// No sandbox.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// A file or folder of ours.
    #[error(transparent)]
    Depot(#[from] DepotError),
    /// A file or folder of ours.
    #[error("cannot {what}")]
    File {
        /// What could not be done.
        what: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
}

fn io_error(what: &'static str) -> impl FnOnce(io::Error) -> CompileError {
    move |source| CompileError::File { what, source }
}

/// Where the compiler works for one exercise of one submission.
struct Site<'a> {
    chapter: &'a Chapter,
    /// What holds for every call of the compiler.
    recipe: Vec<String>,
    places: Places,
    /// `None`: without a sandbox.
    room: Option<Room>,
    /// Holds the sources.
    _sources: TempDir,
}

/// Where things are called what they are called: inside a sandbox, or without one.
struct Places {
    compiler: PathBuf,
    dependencies: PathBuf,
    sources: PathBuf,
    out: PathBuf,
}

impl<'a> Site<'a> {
    fn new(
        depot: &Depot,
        room: Option<&Room>,
        chapter: &'a Chapter,
        files: &Files,
        out: &Path,
        prefab: Option<&Path>,
    ) -> Result<Self, CompileError> {
        let sources = depot.folder("sources-", 0o755)?;
        lay_out(files, sources.path())?;
        let places = match room {
            Some(_) => Places {
                compiler: PathBuf::from("/toolchain/bin/rustc"),
                dependencies: PathBuf::from("/dependencies"),
                sources: PathBuf::from("/submission"),
                out: PathBuf::from("/out"),
            },
            None => Places {
                compiler: depot.toolchain.join("bin").join("rustc"),
                dependencies: depot.dependencies.clone(),
                sources: sources.path().to_owned(),
                out: out.to_owned(),
            },
        };
        let room = room.map(|room| Room {
            binds: vec![
                Bind::read(&depot.toolchain, "/toolchain"),
                Bind::read(&depot.dependencies, "/dependencies"),
                Bind::read(sources.path(), "/submission"),
                Bind::write(out, "/out"),
            ],
            limits: Limits::COMPILER,
            ..room.clone()
        });
        let dependencies = places.dependencies.display().to_string();
        let recipe = depot.recipes.get(&chapter.slug);
        let recipe = recipe.into_iter().flatten().map(|word| {
            let word = match prefab {
                Some(prefab) => prefab::instead(word, prefab),
                None => word.clone(),
            };
            word.replace(DEPENDENCIES, &dependencies)
        });
        Ok(Self {
            chapter,
            recipe: recipe.collect(),
            places,
            room,
            _sources: sources,
        })
    }

    /// Calls the compiler.
    #[tracing::instrument(level = "debug", skip_all)]
    async fn rustc(&self, unit: &Unit<'_>) -> Result<(), CompileError> {
        let places = &self.places;
        let at = |path: &Path| path.display().to_string();
        let mut argv = vec![at(&places.compiler)];
        argv.extend(
            [
                "--crate-name",
                &unit.name,
                unit.source,
                "--crate-type",
                unit.kind,
            ]
            .map(String::from),
        );
        argv.extend(self.recipe.iter().cloned());
        argv.extend(
            [
                "--error-format=human",
                "--color=never",
                "-C",
                "strip=symbols",
            ]
            .map(String::from),
        );
        argv.extend(unit.words.iter().map(|it| (*it).to_owned()));
        if let Some(library) = unit.linked {
            argv.push("--extern".to_owned());
            argv.push(format!("{library}={}/lib{library}.rlib", at(&places.out)));
        }
        argv.push("-o".to_owned());
        argv.push(at(&places.out.join(&unit.output)));
        let temporary = at(&places.out);
        let go = Go {
            argv,
            environment: BTreeMap::from(
                [
                    ("PATH", "/usr/local/bin:/usr/bin:/bin"),
                    ("HOME", "/tmp"),
                    ("LANG", "C.UTF-8"),
                    ("TMPDIR", &temporary),
                    ("CARGO_PKG_NAME", &self.chapter.slug),
                    ("CARGO_CRATE_NAME", &unit.name),
                    ("CARGO_BIN_NAME", &unit.output),
                    ("CARGO_PKG_VERSION", "0.1.0"),
                    ("CARGO_MANIFEST_DIR", "/submission"),
                ]
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
            ),
            directory: places.sources.clone(),
        };
        let outcome = match &self.room {
            Some(room) => workbook_sandbox::run::run(room, &go, PATIENCE, SAID).await?,
            None => without_sandbox(&go).await?,
        };
        let Some(why) = why_not(&outcome) else {
            return Ok(());
        };
        let said = shortened(&without_our_paths(&outcome.said, places));
        Err(CompileError::Theirs(why + &said))
    }
}

/// Writes the files of a submission to a folder of ours. The names were held to be plain when it was read.
pub fn lay_out(files: &Files, folder: &Path) -> Result<(), CompileError> {
    for (path, contents) in files {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(io_error("make a folder for the sources"))?;
        }
        fs::write(&path, contents).map_err(io_error("write the sources"))?;
    }
    Ok(())
}

/// Compiles the programs of an exercise; those that the submission does not have are left out.
///
/// `room` makes the sandboxes; without one the compiler runs as we do. `prefab` is what [`prefab()`] made.
pub async fn compile(
    depot: &Depot,
    room: Option<&Room>,
    chapter: &Chapter,
    files: &Files,
    prefab: Option<&Path>,
) -> Result<Built, CompileError> {
    // A parent that only we can open keeps other users of this machine out; the compiler's uid gets the folder itself.
    let out = depot.folder("out-", 0o777)?;
    let site = Site::new(depot, room, chapter, files, out.path(), prefab)?;
    let mut library = None;
    if files.contains_key("src/lib.rs") {
        let name = chapter.slug.replace('-', "_");
        site.rustc(&Unit::library(&name)).await?;
        library = Some(name);
    }
    let mut any = false;
    for program in &chapter.programs {
        let Some(source) = source_of(program, files) else {
            continue;
        };
        any = true;
        let unit = Unit::program(program, &source, library.as_deref());
        site.rustc(&unit).await?;
    }
    if !any {
        let programs: Vec<String> = (chapter.programs.iter())
            .map(|it| format!("src/bin/{it}.rs"))
            .collect();
        return Err(CompileError::Theirs(format!(
            "there is no program in it: expected {}",
            programs.join(", ")
        )));
    }
    collect(depot, out.path(), chapter)
}

/// The crates that an exercise's programs may use, as they are called in Rust.
pub fn crates(depot: &Depot, chapter: &Chapter) -> Vec<String> {
    let recipe = depot
        .recipes
        .get(&chapter.slug)
        .map_or(&[][..], Vec::as_slice);
    let pairs = recipe.windows(2).filter(|pair| pair[0] == "--extern");
    let names = pairs.filter_map(|pair| Some(pair[1].split_once('=')?.0.to_owned()));
    names.collect()
}

/// The source of a program, in one of the two places where cargo looks for it.
fn source_of(program: &str, files: &Files) -> Option<String> {
    let places = [
        format!("src/bin/{program}.rs"),
        format!("src/bin/{program}/main.rs"),
    ];
    places.into_iter().find(|path| files.contains_key(path))
}

/// Takes the executables from where the compiler could write.
fn collect(depot: &Depot, out: &Path, chapter: &Chapter) -> Result<Built, CompileError> {
    let programs = depot.folder("programs-", 0o755)?;
    for program in &chapter.programs {
        let from = out.join(program);
        match fs::symlink_metadata(&from) {
            Ok(metadata) if metadata.is_file() => {
                let to = programs.path().join(program);
                fs::rename(&from, &to).map_err(io_error("take a program"))?;
                own(&to).map_err(io_error("take a program"))?;
            }
            Ok(_) => {
                return Err(CompileError::Theirs(
                    "the compiler left no program".to_owned(),
                ));
            }
            // It was not handed in.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(io_error("take a program")(error)),
        }
    }
    Ok(Built { programs })
}

/// Makes a file ours, to be run and not to be changed.
fn own(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::{PermissionsExt, chown};
    if rustix::process::geteuid().is_root() {
        chown(path, Some(0), Some(0))?;
    }
    fs::set_permissions(path, fs::Permissions::from_mode(0o555))
}

/// One call of the compiler.
struct Unit<'a> {
    name: String,
    kind: &'a str,
    source: &'a str,
    output: String,
    /// The name of the exercise's own library, if it has one.
    linked: Option<&'a str>,
    /// More for the compiler.
    words: &'a [&'a str],
}

impl<'a> Unit<'a> {
    fn library(name: &'a str) -> Self {
        Self {
            name: name.to_owned(),
            kind: "lib",
            source: "src/lib.rs",
            output: format!("lib{name}.rlib"),
            linked: None,
            words: &[],
        }
    }

    fn program(name: &'a str, source: &'a str, library: Option<&'a str>) -> Self {
        Self {
            name: name.replace('-', "_"),
            kind: "bin",
            source,
            output: name.to_owned(),
            linked: library,
            words: &[],
        }
    }
}

/// Why there is nothing of what was to be compiled, before the compiler's own words; `None`: there is.
fn why_not(outcome: &Outcome) -> Option<String> {
    let why = match outcome.ended {
        Finish::Code(0) => return None,
        Finish::Code(_) => return Some(String::new()),
        Finish::Signal(signal) => format!("the compiler died by signal {signal}"),
        Finish::Late => format!("the compiler took longer than {} s", PATIENCE.as_secs()),
        Finish::TooMuchOutput => format!("the compiler said more than {SAID} bytes"),
        Finish::Tripped(Tripped::Memory) => format!(
            "the compiler used more than {} MiB of memory",
            Limits::COMPILER.memory >> 20
        ),
        Finish::Tripped(Tripped::Cpu) => format!(
            "the compiler used more than {} s of processor time",
            Limits::COMPILER.cpu
        ),
        Finish::Tripped(Tripped::Processes) => "the compiler started too many processes".to_owned(),
    };
    Some(why + "\n")
}

/// The compiler as we are: only where somebody asked for no sandbox.
async fn without_sandbox(go: &Go) -> Result<Outcome, CompileError> {
    let mut command = std::process::Command::new(&go.argv[0]);
    command
        .args(&go.argv[1..])
        .env_clear()
        .envs(&go.environment)
        .current_dir(&go.directory)
        .stdin(std::process::Stdio::null());
    workbook_sandbox::hand_nothing_on(&mut command);
    let mut command = tokio::process::Command::from(command);
    command.kill_on_drop(true);
    match tokio::time::timeout(PATIENCE, command.output()).await {
        Err(_) => Ok(Outcome {
            ended: Finish::Late,
            said: String::new(),
        }),
        Ok(output) => {
            let output = output.map_err(io_error("run the compiler"))?;
            let code = output.status.code().unwrap_or(1);
            Ok(Outcome {
                ended: Finish::Code(code),
                said: String::from_utf8_lossy(&output.stderr).into_owned(),
            })
        }
    }
}

/// The compiler's words without the names of our folders: a learner's file is `src/…`.
fn without_our_paths(said: &str, places: &Places) -> String {
    let mut said = said.to_owned();
    for (place, name) in [
        (&places.sources, ""),
        (&places.out, "out/"),
        (&places.dependencies, "dependencies/"),
    ] {
        said = said.replace(&format!("{}/", place.display()), name);
    }
    said
}

/// The beginning of a text, cut between lines.
fn shortened(said: &str) -> String {
    if said.len() <= SHOWN {
        return said.trim_end().to_owned();
    }
    let mut end = SHOWN;
    while !said.is_char_boundary(end) {
        end -= 1;
    }
    let end = said[..end].rfind('\n').unwrap_or(end);
    format!("{}\n… {} bytes more", &said[..end], said.len() - end)
}
