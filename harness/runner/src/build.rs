//! Compiling checks and programs with cargo.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    process::Stdio,
};

use serde::Deserialize;
use tokio::{io::AsyncReadExt, process::Command};
pub use workbook_course::cargo::command;

/// Why nothing was built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Cargo could not be started or followed.
    #[error("cannot run cargo")]
    Cargo(#[source] io::Error),
    /// The sources do not compile; cargo's own words are in `diagnostics`, unless they were shown already.
    #[error("the sources do not compile")]
    DoesNotCompile {
        /// What the compiler said.
        diagnostics: String,
    },
    /// It compiled, but the executable that was asked for is not among the results.
    #[error("cargo built no {what}")]
    Missing {
        /// What was asked for.
        what: String,
    },
}

/// Where the compiler's words go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Diagnostics {
    /// To our own standard error, as they come.
    Show,
    /// Into the error.
    Keep,
}

/// The line that cargo prints for each thing that it built.
#[derive(Deserialize)]
struct Artifact {
    reason: String,
    manifest_path: Option<PathBuf>,
    target: Option<Target>,
    profile: Option<Profile>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// Compiles the checks of a package, and with them its programs; returns the check binary.
pub async fn checks(
    root: &Path,
    package: &str,
    diagnostics: Diagnostics,
) -> Result<PathBuf, BuildError> {
    let arguments = ["test", "--no-run", "--package", package, "--test", "grade"];
    let mut built = cargo(root, &arguments, diagnostics).await?;
    built.remove("grade").ok_or_else(|| BuildError::Missing {
        what: format!("check binary of {package}"),
    })
}

/// Compiles the checks of several packages at once; returns them by package.
pub async fn all_checks(
    root: &Path,
    packages: &[String],
) -> Result<BTreeMap<String, PathBuf>, BuildError> {
    if packages.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut arguments = vec!["test", "--no-run", "--test", "grade"];
    for package in packages {
        arguments.extend(["--package", package]);
    }
    let built = artifacts(root, &arguments, Diagnostics::Keep).await?;
    let checks = built.into_iter().filter_map(|artifact| {
        let package = artifact.package()?;
        Some((package, artifact.executable?))
    });
    let checks: BTreeMap<String, PathBuf> = checks.collect();
    match packages
        .iter()
        .find(|package| !checks.contains_key(*package))
    {
        Some(package) => Err(BuildError::Missing {
            what: format!("check binary of {package}"),
        }),
        None => Ok(checks),
    }
}

/// Compiles an executable of ours; returns it.
pub async fn tool(root: &Path, package: &str, name: &str) -> Result<PathBuf, BuildError> {
    let arguments = ["build", "--package", package, "--bin", name];
    let mut built = cargo(root, &arguments, Diagnostics::Keep).await?;
    built.remove(name).ok_or_else(|| BuildError::Missing {
        what: name.to_owned(),
    })
}

/// Compiles the executables of a package; returns them by name.
///
/// The checks are compiled `beside` them (and are, as a rule, already): in one run cargo
/// gives both the same build of what they share, where two runs would build it twice.
pub async fn programs(
    root: &Path,
    package: &str,
    beside: &str,
    diagnostics: Diagnostics,
) -> Result<BTreeMap<String, PathBuf>, BuildError> {
    let arguments = [
        "build",
        "--package",
        package,
        "--package",
        beside,
        "--bins",
        "--tests",
    ];
    cargo(root, &arguments, diagnostics).await
}

impl Artifact {
    /// The package's name, as its folder's manifest has it.
    fn package(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Manifest {
            package: Package,
        }
        #[derive(Deserialize)]
        struct Package {
            name: String,
        }
        if self.target.as_ref()?.name != "grade" {
            return None;
        }
        let text = std::fs::read_to_string(self.manifest_path.as_ref()?).ok()?;
        let manifest: Manifest = toml::from_str(&text).ok()?;
        Some(manifest.package.name)
    }
}

async fn cargo(
    root: &Path,
    arguments: &[&str],
    diagnostics: Diagnostics,
) -> Result<BTreeMap<String, PathBuf>, BuildError> {
    let built = artifacts(root, arguments, diagnostics).await?;
    let built = built.into_iter();
    let named = built.filter_map(|artifact| Some((artifact.target?.name, artifact.executable?)));
    Ok(named.collect())
}

#[tracing::instrument(level = "debug", name = "cargo", skip_all, fields(?arguments))]
async fn artifacts(
    root: &Path,
    arguments: &[&str],
    diagnostics: Diagnostics,
) -> Result<Vec<Artifact>, BuildError> {
    let mut child = Command::from(command())
        .args(arguments)
        .arg("--message-format=json-render-diagnostics")
        // Where somebody looks on, cargo shows how far it is.
        .args((!io::stderr().is_terminal()).then_some("--quiet"))
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(match diagnostics {
            Diagnostics::Show => Stdio::inherit(),
            Diagnostics::Keep => Stdio::piped(),
        })
        .kill_on_drop(true)
        .spawn()
        .map_err(BuildError::Cargo)?;
    let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
    let (mut messages, mut said) = (Vec::new(), Vec::new());
    let read_out = async {
        match &mut out {
            Some(out) => out.read_to_end(&mut messages).await,
            None => Ok(0),
        }
    };
    let read_err = async {
        match &mut err {
            Some(err) => err.read_to_end(&mut said).await,
            None => Ok(0),
        }
    };
    let (out, err, status) = tokio::join!(read_out, read_err, child.wait());
    out.map_err(BuildError::Cargo)?;
    err.map_err(BuildError::Cargo)?;
    if !status.map_err(BuildError::Cargo)?.success() {
        return Err(BuildError::DoesNotCompile {
            diagnostics: String::from_utf8_lossy(&said).into_owned(),
        });
    }
    let artifacts = messages
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<Artifact>(line).ok())
        .filter(|artifact| artifact.reason == "compiler-artifact")
        // A program's own unit tests are an executable of the program's name; that one is never meant.
        .filter(|artifact| {
            let is_test = artifact.profile.as_ref().is_some_and(|it| it.test);
            let target = artifact.target.as_ref();
            !is_test || target.is_some_and(|it| it.kind.iter().any(|kind| kind == "test"))
        });
    Ok(artifacts.collect())
}
