//! Calling cargo.

use std::env;

/// Cargo, as a user would call it.
///
/// A program that cargo has started knows from its environment which package it belongs to. Some packages' build scripts
/// ask for that, so that a cargo that inherits it would compile them again, and all that depends on them; and so would
/// the next one that does not.
pub fn command() -> std::process::Command {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = std::process::Command::new(cargo);
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(is_of_a_package) {
            command.env_remove(name);
        }
    }
    command
}

fn is_of_a_package(variable: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"]
        .iter()
        .any(|it| variable.starts_with(it))
        || [
            "CARGO_CRATE_NAME",
            "CARGO_PRIMARY_PACKAGE",
            "CARGO_TARGET_TMPDIR",
            "OUT_DIR",
        ]
        .contains(&variable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cargo_that_we_start_is_told_of_no_package() {
        // A test is started by cargo, so these are set here.
        let command = command();
        let removed = |name: &str| command.get_envs().any(|it| it == (name.as_ref(), None));
        for name in ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR"] {
            assert!(env::var_os(name).is_some() && removed(name), "{name}");
        }
        assert!(!removed("PATH"));
    }
}
