//! Installing a package with the system's package manager, with consent.

use std::ffi::OsStr;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::{Consent, Error, Options, command, programs};

/// RabbitMQ with Erlang is 50 MB; a slow mirror takes minutes.
const PATIENCE: Duration = Duration::from_mins(15);

/// A file that tells Debian's packages whether they may start services.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Installs for Debian and its kin. A package there starts its service at once; ours must not (it would
/// take the port 5672, and run for ever), so for the time of the installation there is a policy that
/// forbids it, if the machine has none of its own. A list of packages that was fetched before
/// may be good enough, or may have been deleted (containers): it is fetched when the first try fails.
const APT: &str = r#"set -u
policy=$1; apt=$2; shift 2
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' > "$policy" && chmod 755 "$policy" || exit 1
fi
"$apt" install -y --no-install-recommends "$@" && exit 0
"$apt" update && "$apt" install -y --no-install-recommends "$@"
"#;

/// The others need one command. Their packages start no service by themselves.
const OTHERS: [(&str, &[&str]); 5] = [
    ("dnf", &["install", "-y"]),
    ("zypper", &["--non-interactive", "install"]),
    ("pacman", &["-S", "--noconfirm", "--needed"]),
    ("apk", &["add"]),
    ("brew", &["install"]),
];

/// What a package manager calls RabbitMQ.
fn rabbitmq_package(manager: &str) -> &'static str {
    match manager {
        "brew" | "pacman" => "rabbitmq",
        _ => "rabbitmq-server",
    }
}

/// Installs `rabbitmq-server`. The error says in a line why it did not.
pub(crate) async fn server(options: &Options) -> Result<(), String> {
    let manager = Manager::find(options).ok_or("there is no package manager that we know")?;
    let package = rabbitmq_package(&manager.name);
    manager
        .install(options, &[package], Path::new(POLICY))
        .await
        .map_err(|refusal| refusal.to_string())?;
    if crate::local::server(options).is_none() {
        return Err(format!(
            "`{}` installed {package}, but there is still no `rabbitmq-server`",
            manager.name
        ));
    }
    Ok(())
}

/// Installs a package that is called the same by every package manager, with the same consent as a broker.
/// The error says in a line why it did not.
pub async fn install_package(options: &Options, package: &str) -> Result<(), String> {
    let manager = Manager::find(options).ok_or("there is no package manager that we know")?;
    let installed = manager
        .install(options, &[package], Path::new(POLICY))
        .await;
    installed.map_err(|refusal| refusal.to_string())
}

/// Installs packages of Debian, for the making of the image.
pub(crate) async fn debian(options: &Options, packages: &[&str]) -> Result<(), Refusal> {
    let manager = Manager::find(options).filter(|manager| manager.name == "apt-get");
    let manager = manager.ok_or(Refusal::NoManager)?;
    manager.install(options, packages, Path::new(POLICY)).await
}

/// Why nothing was installed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("there is no apt-get")]
    NoManager,
    #[error("nobody said that `{0}` may be installed (--yes or WORKBOOK_YES=1 says it)")]
    NoConsent(String),
    #[error("this needs root and there is no sudo: `{0}`")]
    NotRoot(String),
    #[error("{0}")]
    Failed(Error),
}

/// A package manager of this machine.
#[derive(Debug)]
struct Manager {
    name: String,
    program: PathBuf,
}

impl Manager {
    fn find(options: &Options) -> Option<Self> {
        std::iter::once("apt-get")
            .chain(OTHERS.iter().map(|(name, _)| *name))
            .find_map(|name| {
                Some(Self {
                    name: name.to_owned(),
                    program: programs::find(name, options)?,
                })
            })
    }

    async fn install(
        &self,
        options: &Options,
        packages: &[&str],
        policy: &Path,
    ) -> Result<(), Refusal> {
        let what = format!("{} install {}", self.name, packages.join(" "));
        if !consented(options.consent, &what) {
            return Err(Refusal::NoConsent(what));
        }
        let mut line: Vec<&OsStr> = Vec::new();
        if self.name == "apt-get" {
            line.extend(["/bin/sh", "-c", APT, "install"].map(OsStr::new));
            line.extend([policy.as_os_str(), self.program.as_os_str()]);
        } else {
            let known = OTHERS.iter().find(|(name, _)| *name == self.name);
            line.push(self.program.as_os_str());
            line.extend(
                known
                    .iter()
                    .flat_map(|(_, words)| words.iter())
                    .map(OsStr::new),
            );
        }
        line.extend(packages.iter().map(OsStr::new));
        // Homebrew refuses to run as root; all others need it.
        if self.name != "brew" && !rustix::process::geteuid().is_root() {
            if programs::find("sudo", options).is_none() {
                return Err(Refusal::NotRoot(what));
            }
            // Unattended, sudo must fail and not wait for a password that nobody types.
            let may_ask = options.consent == Consent::Ask;
            let prefix: &[&str] = if may_ask {
                &["sudo", "--"]
            } else {
                &["sudo", "-n", "--"]
            };
            line.splice(0..0, prefix.iter().map(OsStr::new));
        }
        options.say(&format!(
            "installing {} with {} (this may take some minutes)",
            packages.join(" "),
            self.name
        ));
        let (program, arguments) = line.split_first().ok_or(Refusal::NoManager)?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("HOMEBREW_NO_AUTO_UPDATE", "1");
        command::run(command, PATIENCE)
            .await
            .map(drop)
            .map_err(Refusal::Failed)
    }
}

/// Whether this may be done: said beforehand, or now at a terminal.
fn consented(consent: Consent, what: &str) -> bool {
    match consent {
        Consent::Yes => true,
        Consent::No => false,
        Consent::Ask => {
            if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
                return false;
            }
            let mut terminal = io::stderr();
            let asked =
                write!(terminal, "May this be run: {what}? [y/N] ").and_then(|()| terminal.flush());
            let mut answer = String::new();
            asked.is_ok()
                && io::stdin().lock().read_line(&mut answer).is_ok()
                && matches!(answer.trim(), "y" | "Y" | "yes")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StateDir;
    use std::os::unix::fs::PermissionsExt as _;

    /// A folder with a fake `apt-get` that notes its arguments and whether the policy was there.
    fn fake_apt(folder: &Path, body: &str) -> Options {
        let script = format!(
            "#!/bin/sh\nd='{}'\necho \"$*\" >> \"$d/calls\"\n{body}\n",
            folder.display()
        );
        let path = folder.join("apt-get");
        fs_err::write(&path, script).unwrap();
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut options = Options::new(StateDir::at(folder.join("state")));
        options.path = Some(folder.into());
        options
    }

    async fn install(options: &Options, folder: &Path) -> Result<(), Refusal> {
        let manager = Manager::find(options).unwrap();
        manager
            .install(options, &["rabbitmq-server"], &folder.join("policy-rc.d"))
            .await
    }

    fn calls(folder: &Path) -> String {
        fs_err::read_to_string(folder.join("calls")).unwrap_or_default()
    }

    fn skip_without_root() -> bool {
        if rustix::process::geteuid().is_root() {
            return false;
        }
        assert!(
            std::env::var_os("WORKBOOK_NO_SKIP").is_none(),
            "this test needs root"
        );
        eprintln!("SKIPPED: the installation is tested as root");
        true
    }

    #[tokio::test]
    async fn apt_is_told_to_install_and_not_to_start_the_service() {
        if skip_without_root() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let mut options = fake_apt(
            folder,
            r#"sh "$d/policy-rc.d"; echo "policy $?" >> "$d/calls""#,
        );
        options.consent = Consent::Yes;
        install(&options, folder).await.unwrap();
        assert_eq!(
            calls(folder),
            "install -y --no-install-recommends rabbitmq-server\npolicy 101\n"
        );
        assert!(
            !folder.join("policy-rc.d").exists(),
            "the policy is taken away again"
        );
    }

    #[tokio::test]
    async fn a_policy_of_the_machine_is_left_alone() {
        if skip_without_root() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let mut options = fake_apt(folder, "");
        options.consent = Consent::Yes;
        fs_err::write(folder.join("policy-rc.d"), "theirs").unwrap();
        install(&options, folder).await.unwrap();
        assert_eq!(
            fs_err::read_to_string(folder.join("policy-rc.d")).unwrap(),
            "theirs"
        );
    }

    #[tokio::test]
    async fn the_list_of_packages_is_fetched_when_the_first_try_fails() {
        if skip_without_root() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let body = r#"case "$1" in update) : > "$d/fresh";; install) [ -e "$d/fresh" ] || { echo "E: Unable to locate package" >&2; exit 100; };; esac"#;
        let mut options = fake_apt(folder, body);
        options.consent = Consent::Yes;
        install(&options, folder).await.unwrap();
        let first_words: Vec<String> = calls(folder)
            .lines()
            .map(|line| line.split(' ').next().unwrap().to_owned())
            .collect();
        assert_eq!(first_words, ["install", "update", "install"]);
    }

    #[tokio::test]
    async fn a_failed_installation_tells_the_last_words() {
        if skip_without_root() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let mut options = fake_apt(folder, "echo 'E: no space left' >&2; exit 100");
        options.consent = Consent::Yes;
        let refusal = install(&options, folder).await.unwrap_err().to_string();
        assert!(refusal.contains("E: no space left"), "{refusal}");
        assert!(!folder.join("policy-rc.d").exists());
    }

    #[tokio::test]
    async fn nothing_is_installed_without_consent() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        for consent in [Consent::No, Consent::Ask] {
            let mut options = fake_apt(folder, "");
            options.consent = consent;
            if consent == Consent::Ask && io::stdin().is_terminal() {
                continue;
            }
            let refusal = install(&options, folder).await.unwrap_err();
            assert!(matches!(refusal, Refusal::NoConsent(_)), "{refusal}");
        }
        assert_eq!(calls(folder), "");
    }
}
