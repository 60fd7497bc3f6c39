//! Compiling one submission's exercise: its sources, the recorded call of the compiler, and nothing else.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use tempfile::TempDir;
use workbook_lab::course::Chapter;
use workbook_sandbox::{
    Bind, Limits, Room, SandboxError, Tripped,
    run::{Ended, Outcome},
    wire::Go,
};

use crate::{
    depot::{DEPENDENCIES, Depot, DepotError},
    submission::{self, Files},
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

fn file(what: &'static str) -> impl FnOnce(io::Error) -> CompileError {
    move |source| CompileError::File { what, source }
}

/// Where things are called what they are called: inside a sandbox, or without one.
struct Places {
    compiler: PathBuf,
    dependencies: PathBuf,
    sources: PathBuf,
    out: PathBuf,
}

/// Writes the files of a submission to a folder of ours. The names were held to be plain when it was read.
pub fn lay_out(files: &Files, folder: &Path) -> Result<(), CompileError> {
    for (path, contents) in files {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(file("make a folder for the sources"))?;
        }
        fs::write(&path, contents).map_err(file("write the sources"))?;
    }
    Ok(())
}

/// Compiles the programs of an exercise; those that the submission does not have are left out.
///
/// `room` makes the sandboxes; without one the compiler runs as we do. `seeds` is what [`sow`] kept.
pub async fn compile(
    depot: &Depot,
    room: Option<&Room>,
    chapter: &Chapter,
    files: &Files,
    seeds: Option<&Path>,
) -> Result<Built, CompileError> {
    // A parent that only we can open keeps other users of this machine out; the compiler's uid gets the folder itself.
    let out = depot.folder("out-", 0o777)?;
    if let Some(seeds) = seeds {
        lend(seeds, out.path()).map_err(file("copy what the compiler knows already"))?;
    }
    compile_into(depot, room, chapter, files, out.path()).await?;
    collect(depot, out.path(), chapter)
}

/// Compiles the exercise's solution, and keeps what the compiler learned of it: most of what it does for a submission
/// it has done then. Answers the folder, which is there for all later runs.
pub async fn sow(
    depot: &Depot,
    room: Option<&Room>,
    chapter: &Chapter,
    solution: &Files,
) -> Result<PathBuf, CompileError> {
    let version = submission::hash(&chapter.slug, solution);
    let seeds = depot.seeds();
    let place = seeds.join(format!("{}-{version:.16}", chapter.slug));
    if place.is_dir() {
        return Ok(place);
    }
    let out = depot.folder("out-", 0o777)?;
    compile_into(depot, room, chapter, solution, out.path()).await?;
    let keep = || -> io::Result<()> {
        fs::create_dir_all(&seeds)?;
        let part = tempfile::tempdir_in(&seeds)?;
        for program in &chapter.programs {
            let learned = known(program);
            fs::rename(out.path().join(&learned), part.path().join(&learned))?;
        }
        match fs::rename(part.path(), &place) {
            // Another run was faster.
            Err(_) if place.is_dir() => Ok(()),
            renamed => renamed,
        }
    };
    keep().map_err(file("keep what the compiler knows"))?;
    Ok(place)
}

/// The folder of what the compiler knows of a program.
fn known(program: &str) -> String {
    format!("known-{program}")
}

/// Copies what the compiler knows to where it may change it, whoever it runs as.
fn lend(from: &Path, to: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        let mode = if entry.file_type()?.is_dir() {
            fs::create_dir(&place)?;
            lend(&entry.path(), &place)?;
            0o777
        } else {
            fs::copy(entry.path(), &place)?;
            0o666
        };
        fs::set_permissions(&place, fs::Permissions::from_mode(mode))?;
    }
    Ok(())
}

/// Compiles what there is of an exercise's programs into a folder.
async fn compile_into(
    depot: &Depot,
    room: Option<&Room>,
    chapter: &Chapter,
    files: &Files,
    out: &Path,
) -> Result<(), CompileError> {
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

    let recipe = depot.recipes.get(&chapter.slug);
    let recipe = recipe.map(Vec::as_slice).unwrap_or_default();
    let mut library = None;
    if files.contains_key("src/lib.rs") {
        let name = chapter.slug.replace('-', "_");
        let unit = Unit::library(&name);
        rustc(room.as_ref(), &places, recipe, chapter, &unit).await?;
        library = Some(name);
    }
    let mut any = false;
    for program in &chapter.programs {
        let places_of_it = [
            format!("src/bin/{program}.rs"),
            format!("src/bin/{program}/main.rs"),
        ];
        let Some(source) = places_of_it.iter().find(|path| files.contains_key(*path)) else {
            continue;
        };
        any = true;
        let unit = Unit::program(program, source, library.as_deref());
        rustc(room.as_ref(), &places, recipe, chapter, &unit).await?;
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
    Ok(())
}

/// Takes the executables from where the compiler could write.
fn collect(depot: &Depot, out: &Path, chapter: &Chapter) -> Result<Built, CompileError> {
    let programs = depot.folder("programs-", 0o755)?;
    for program in &chapter.programs {
        let from = out.join(program);
        match fs::symlink_metadata(&from) {
            Ok(metadata) if metadata.is_file() => {
                let to = programs.path().join(program);
                fs::rename(&from, &to).map_err(file("take a program"))?;
                own(&to).map_err(file("take a program"))?;
            }
            Ok(_) => {
                return Err(CompileError::Theirs(
                    "the compiler left no program".to_owned(),
                ));
            }
            // It was not handed in.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(file("take a program")(error)),
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
    library: Option<&'a str>,
}

impl<'a> Unit<'a> {
    fn library(name: &'a str) -> Self {
        Self {
            name: name.to_owned(),
            kind: "lib",
            source: "src/lib.rs",
            output: format!("lib{name}.rlib"),
            library: None,
        }
    }

    fn program(name: &'a str, source: &'a str, library: Option<&'a str>) -> Self {
        Self {
            name: name.replace('-', "_"),
            kind: "bin",
            source,
            output: name.to_owned(),
            library,
        }
    }
}

async fn rustc(
    room: Option<&Room>,
    places: &Places,
    recipe: &[String],
    chapter: &Chapter,
    unit: &Unit<'_>,
) -> Result<(), CompileError> {
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
    argv.extend(
        recipe
            .iter()
            .map(|word| word.replace(DEPENDENCIES, &at(&places.dependencies))),
    );
    argv.extend(
        [
            "--error-format=human",
            "--color=never",
            "-C",
            "strip=symbols",
        ]
        .map(String::from),
    );
    if let Some(library) = unit.library {
        argv.push("--extern".to_owned());
        argv.push(format!("{library}={}/lib{library}.rlib", at(&places.out)));
    }
    if unit.kind == "bin" {
        let known = at(&places.out.join(known(&unit.output)));
        argv.extend(["-C".to_owned(), format!("incremental={known}")]);
        // The files of what is known are copied for each submission: a quarter of as many as without this cost the
        // compiler nothing (0.45 s of processor time for `send`, else 0.47), still fewer do.
        argv.extend(["-C".to_owned(), "codegen-units=64".to_owned()]);
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
                ("CARGO_PKG_NAME", &chapter.slug),
                ("CARGO_CRATE_NAME", &unit.name),
                ("CARGO_BIN_NAME", &unit.output),
                ("CARGO_PKG_VERSION", "0.1.0"),
                ("CARGO_MANIFEST_DIR", "/submission"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        ),
        directory: places.sources.clone(),
    };
    let outcome = match room {
        Some(room) => workbook_sandbox::run::run(room, &go, PATIENCE, SAID).await?,
        None => without_sandbox(&go).await?,
    };
    let why = match outcome.ended {
        Ended::Code(0) => return Ok(()),
        Ended::Code(_) => None,
        Ended::Signal(signal) => Some(format!("the compiler died by signal {signal}")),
        Ended::Late => Some(format!(
            "the compiler took longer than {} s",
            PATIENCE.as_secs()
        )),
        Ended::TooMuchOutput => Some(format!("the compiler said more than {SAID} bytes")),
        Ended::Tripped(Tripped::Memory) => Some(format!(
            "the compiler used more than {} MiB of memory",
            Limits::COMPILER.memory >> 20
        )),
        Ended::Tripped(Tripped::Cpu) => Some(format!(
            "the compiler used more than {} s of processor time",
            Limits::COMPILER.cpu
        )),
        Ended::Tripped(Tripped::Processes) => {
            Some("the compiler started too many processes".to_owned())
        }
    };
    let said = without_our_paths(&outcome.said, places);
    let said = shortened(&said);
    Err(CompileError::Theirs(match why {
        Some(why) => format!("{why}\n{said}"),
        None => said,
    }))
}

/// The compiler as we are: only where somebody asked for no sandbox.
async fn without_sandbox(go: &Go) -> Result<Outcome, CompileError> {
    let mut command = tokio::process::Command::new(&go.argv[0]);
    command
        .args(&go.argv[1..])
        .env_clear()
        .envs(&go.environment)
        .current_dir(&go.directory)
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true);
    match tokio::time::timeout(PATIENCE, command.output()).await {
        Err(_) => Ok(Outcome {
            ended: Ended::Late,
            said: String::new(),
        }),
        Ok(output) => {
            let output = output.map_err(file("run the compiler"))?;
            let code = output.status.code().unwrap_or(1);
            Ok(Outcome {
                ended: Ended::Code(code),
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
