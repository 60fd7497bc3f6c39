//! Handing a command over to the program that has all of them.

use std::{env, os::unix::process::CommandExt as _};

use workbook::{Context, Error, Exit, output};
use workbook_course::Language;
use workbook_runner::build;

/// The package of that program.
const WHOLE: &str = "workbook-full";

/// Becomes that program, with the same words; it is built first. Returns only why it cannot.
pub(super) fn to_the_whole(context: &Context) -> Error {
    let root = &context.workspace.root;
    let built = context
        .workspace
        .state()
        .parent()
        .map(|it| it.join("debug").join(WHOLE));
    if !built.is_some_and(|it| it.is_file()) {
        output::progress(match context.language {
            Language::English => "building the rest of the workbook, once: this takes some minutes",
            Language::Chinese => "正在编译工作簿的其余部分，只需一次，要几分钟",
        });
    }
    let mut cargo = build::command();
    cargo.args(["run", "--quiet", "--manifest-path"]);
    cargo.arg(root.join("Cargo.toml"));
    cargo
        .args(["--package", WHOLE, "--"])
        .args(env::args_os().skip(1));
    let error = cargo.exec();
    Error::from_source(Exit::Ours, &error)
        .hint("is cargo there? The command was `cargo run --package workbook-full`")
}
