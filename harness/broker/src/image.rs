//! Making [`IMAGE`] where there is no registry to pull it from: an air-gapped classroom with a Debian
//! mirror.
//!
//! The image is a minimal root of Debian forky with its `rabbitmq-server`, and behaves as the official
//! one does in all that we and the book use: the management plugin, `guest` from outside, a log on the
//! console, `RABBITMQ_DEFAULT_USER`, `_PASS` and `_VHOST`, an ordinary user, the same ports and volume.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::engine::{Asked, Image, ask};
use crate::state::state;
use crate::{Consent, Error, IMAGE, Options, StateDir, command, docker, install, programs};

/// The release of Debian whose RabbitMQ is of the series that the image's tag means.
const RELEASE: &str = "forky";
/// Forty seconds where the mirror is near.
const PATIENCE: Duration = Duration::from_mins(15);

/// What a caller may say about the making of the image.
#[derive(Clone)]
#[non_exhaustive]
pub struct ImageOptions {
    /// Whether an image of that tag is replaced. Otherwise one that is there is left alone.
    pub replace: bool,
    /// Whether `mmdebstrap`, which makes the root, may be installed.
    pub consent: Consent,
    /// Told one short line at each step.
    pub progress: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Default for ImageOptions {
    /// Replace nothing, install nothing, say nothing.
    fn default() -> Self {
        Self {
            replace: false,
            consent: Consent::No,
            progress: Arc::new(|_| {}),
        }
    }
}

impl fmt::Debug for ImageOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImageOptions")
            .field("replace", &self.replace)
            .field("consent", &self.consent)
            .finish_non_exhaustive()
    }
}

/// The image, as it is there now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// False when there was an image of that tag and it was left alone.
    pub is_new: bool,
    /// The image's id, `sha256:…`.
    pub id: String,
    /// The version of RabbitMQ in it, where the image says so.
    pub version: Option<String>,
    /// Its size in bytes.
    pub bytes: u64,
    /// How long it took.
    pub elapsed: Duration,
}

/// Makes the image, unless one of that tag is there. This needs root, Docker and a Debian mirror.
pub async fn build(options: ImageOptions) -> Result<Built, Error> {
    let started = Instant::now();
    let tools = tools(&options);
    let is_there = docker::has_image(&tools).await.map_err(refused)?;
    let is_new = options.replace || !is_there;
    if is_new {
        make(&tools).await?;
    }
    let found = inspect(&tools).await?;
    Ok(Built {
        is_new,
        elapsed: started.elapsed(),
        ..found
    })
}

fn refused(reason: String) -> Error {
    Error::Image { reason }
}

/// Only the search for programs and the consent matter here; no state is touched.
fn tools(options: &ImageOptions) -> Options {
    let mut tools = Options::new(StateDir::of_user());
    tools.consent = options.consent;
    tools.progress = Arc::clone(&options.progress);
    tools
}

async fn make(tools: &Options) -> Result<(), Error> {
    if !rustix::process::geteuid().is_root() {
        return Err(refused(
            "making a Debian root needs root: sudo cargo workbook broker image".to_owned(),
        ));
    }
    let docker = programs::find("docker", tools).ok_or_else(|| {
        refused("there is no `docker` command: apt-get install docker.io".to_owned())
    })?;
    if programs::find("mmdebstrap", tools).is_none() {
        install::debian(tools, &["mmdebstrap", "debian-archive-keyring"])
            .await
            .map_err(|refusal| refused(format!("`mmdebstrap` is missing, and {refusal}")))?;
    }
    let mmdebstrap = programs::find("mmdebstrap", tools)
        .ok_or_else(|| refused("`mmdebstrap` is missing: apt-get install mmdebstrap".to_owned()))?;

    let failed = |source| {
        state(
            Path::new("the image's temporary folder"),
            "cannot be used",
            source,
        )
    };
    let folder = tempfile::tempdir().map_err(failed)?;
    let essential = script(
        folder.path(),
        "essential",
        include_str!("image/essential.sh"),
    )?;
    let customize = script(
        folder.path(),
        "customize",
        include_str!("image/customize.sh"),
    )?;
    let root = folder.path().join("root.tar");

    tools.say(&format!(
        "making a minimal Debian {RELEASE} with rabbitmq-server (about a minute)"
    ));
    let mut words: Vec<OsString> = [
        "--quiet",
        "--variant=minbase",
        "--format=tar",
        "--include=rabbitmq-server",
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
    ]
    .map(OsString::from)
    .to_vec();
    words.extend(freshness(tools).await);
    words.push(joined("--essential-hook=", &essential));
    words.push(joined("--customize-hook=", &customize));
    words.push(RELEASE.into());
    words.push(root.clone().into_os_string());
    run(&mmdebstrap, &words).await?;

    let package = fs_err::read_to_string(folder.path().join("version")).map_err(failed)?;
    tools.say(&format!("giving it to Docker as {IMAGE}"));
    let mut words: Vec<OsString> = vec!["import".into()];
    for change in changes(upstream(&package)) {
        words.extend(["--change".into(), change.into()]);
    }
    words.extend([root.into_os_string(), IMAGE.into()]);
    run(&docker, &words).await
}

async fn run(program: &Path, words: &[OsString]) -> Result<(), Error> {
    let mut command = Command::new(program);
    command.args(words).env("DEBIAN_FRONTEND", "noninteractive");
    command::run(command, PATIENCE).await.map(drop)
}

/// What the image says about itself and how it is run: the official image's answers.
fn changes(version: &str) -> Vec<String> {
    vec![
        // The package's wrappers in /usr/sbin change the user; the scripts behind them just run.
        "ENV PATH=/usr/lib/rabbitmq/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
        "ENV HOME=/var/lib/rabbitmq".to_owned(),
        "ENV LANG=C.UTF-8".to_owned(),
        format!("ENV RABBITMQ_VERSION={version}"),
        format!("LABEL org.opencontainers.image.version={version}"),
        "LABEL org.opencontainers.image.title=rabbitmq-workbook".to_owned(),
        "EXPOSE 4369 5671 5672 15672 25672".to_owned(),
        "VOLUME /var/lib/rabbitmq".to_owned(),
        "USER rabbitmq".to_owned(),
        r#"ENTRYPOINT ["docker-entrypoint.sh"]"#.to_owned(),
        r#"CMD ["rabbitmq-server"]"#.to_owned(),
    ]
}

/// `4.3.6` of a package's `1:4.3.6-1`.
fn upstream(package: &str) -> &str {
    let package = package.trim();
    let package = package.split_once(':').map_or(package, |(_, rest)| rest);
    package
        .rsplit_once('-')
        .map_or(package, |(version, _)| version)
}

/// A mirror that is a snapshot of some day has lists that are past their date. Whether this machine
/// accepts such lists is its administrator's decision, which is told to apt and so to mmdebstrap;
/// signatures are verified in any case.
async fn freshness(options: &Options) -> Option<OsString> {
    const SETTING: &str = "Acquire::Check-Valid-Until";
    let apt_config = programs::find("apt-config", options)?;
    let mut command = Command::new(apt_config);
    command.args(["dump", SETTING]);
    let said = command::run(command, Duration::from_secs(10)).await.ok()?;
    let is_off = said
        .lines()
        .any(|line| line.starts_with(SETTING) && line.contains("\"false\""));
    is_off.then(|| format!("--aptopt={SETTING} \"false\"").into())
}

fn script(folder: &Path, name: &str, contents: &str) -> Result<std::path::PathBuf, Error> {
    let path = folder.join(name);
    fs_err::write(&path, contents)
        .and_then(|()| fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755)))
        .map_err(|source| state(&path, "cannot be written", source))?;
    Ok(path)
}

fn joined(option: &str, path: &Path) -> OsString {
    let mut word = OsString::from(option);
    word.push(path);
    word
}

async fn inspect(options: &Options) -> Result<Built, Error> {
    let found: Image = ask(options, &Asked::InspectImage)
        .await
        .read()
        .map_err(refused)?;
    let mut variables = found.environment.iter();
    let version = variables.find_map(|it| it.strip_prefix("RABBITMQ_VERSION="));
    Ok(Built {
        is_new: false,
        version: version.map(str::to_owned),
        id: found.id,
        bytes: found.bytes,
        elapsed: Duration::ZERO,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upstream_version_is_what_stands_before_the_revision() {
        assert_eq!(upstream("4.3.6-1\n"), "4.3.6");
        assert_eq!(upstream("1:4.3.6-1~deb13u2"), "4.3.6");
        assert_eq!(upstream("4.3.6"), "4.3.6");
    }
}
