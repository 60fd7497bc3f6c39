//! The programs that are checked: whether they are there is said before anything is built or run.

use std::{
    env,
    path::{Path, PathBuf},
};

use workbook_course::{Chapter, Edition, Language};
use workbook_report::request::Programs;

use crate::{
    command::{Context, find},
    error::{Error, Exit},
};

/// The endings of sources that an interpreter is started with.
const SOURCES: [&str; 22] = [
    "py", "rb", "js", "mjs", "cjs", "ts", "php", "pl", "go", "java", "jar", "lua", "exs",
    "escript", "sh", "cs", "fsx", "kts", "groovy", "jl", "tcl", "dart",
];

/// What `--program NAME=COMMAND` says, held against the chapter's programs.
pub(super) fn replaced(
    context: &Context,
    chapter: &Chapter,
    given: &[String],
) -> Result<Programs, Error> {
    let wrong = |english: String, chinese: String| {
        let what = match context.language {
            Language::English => english,
            Language::Chinese => chinese,
        };
        Error::new(Exit::Usage, what)
    };
    let mut programs = Programs {
        directory: env::current_dir()?,
        ..Programs::default()
    };
    for text in given {
        let (name, command) = text.split_once('=').ok_or_else(|| {
            let example = format!("--program {}='python3 send.py'", chapter.programs[0]);
            let error = wrong(
                format!("`--program {text}` has no `=`"),
                format!("`--program {text}` 中没有 `=`"),
            );
            error.hint(match context.language {
                Language::English => format!("for example: {example}"),
                Language::Chinese => format!("例如：{example}"),
            })
        })?;
        if !chapter.programs.iter().any(|program| program == name) {
            let error = wrong(
                format!("`{}` has no program `{name}`", chapter.slug),
                format!("`{}` 没有名为 `{name}` 的程序", chapter.slug),
            );
            let known: Vec<&str> = chapter.programs.iter().map(String::as_str).collect();
            return Err(find::meant(context, error, name, &known));
        }
        let words = shell_words::split(command).map_err(|error| {
            wrong(
                format!("the command of `{name}` cannot be read: {error}"),
                format!("`{name}` 的命令无法解析：{error}"),
            )
        })?;
        let Some(first) = words.first() else {
            return Err(wrong(
                format!("the command of `{name}` is empty"),
                format!("`{name}` 的命令是空的"),
            ));
        };
        let source = words[1..].iter().find(|word| is_source(word));
        let missing = [
            Some(first).filter(|it| !can_be_found(it)),
            source.filter(|it| !Path::new(it).is_file()),
        ];
        if let Some(missing) = missing.into_iter().flatten().next() {
            return Err(wrong(
                format!("the command of `{name}` does not exist: {missing}"),
                format!("`{name}` 的命令不存在：{missing}"),
            )
            .hint(match context.language {
                Language::English => format!(
                    "it is looked for in {}, where you are",
                    programs.directory.display()
                ),
                Language::Chinese => {
                    format!("是在当前目录 {} 中查找的", programs.directory.display())
                }
            }));
        }
        programs.commands.insert(name.to_owned(), words);
    }
    Ok(programs)
}

/// Whether a command is a file, or the name of one on the search path.
fn can_be_found(command: &str) -> bool {
    if command.contains('/') {
        return Path::new(command).is_file();
    }
    env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(command).is_file()))
}

/// Whether a word of a command names a program's source.
fn is_source(word: &str) -> bool {
    let ending = Path::new(word).extension().and_then(|it| it.to_str());
    !word.starts_with('-') && ending.is_some_and(|it| SOURCES.contains(&it))
}

/// The files that commands are made of, as far as they are files.
pub(super) fn files<'a>(commands: impl Iterator<Item = &'a Vec<String>>) -> Vec<PathBuf> {
    let files = commands
        .flatten()
        .map(PathBuf::from)
        .filter(|path| path.is_file());
    files.filter_map(|path| path.canonicalize().ok()).collect()
}

/// Holds that the sources of the programs are there that no command stands for.
pub(super) fn are_there(
    context: &Context,
    number: usize,
    chapter: &Chapter,
    side: Edition,
    programs: &Programs,
) -> Result<(), Error> {
    let workspace = &context.workspace;
    let folder = workspace.folder(number, chapter, side);
    for program in &chapter.programs {
        let path = folder.join("src").join("bin").join(format!("{program}.rs"));
        if programs.commands.contains_key(program) || path.is_file() {
            continue;
        }
        let shown = path
            .strip_prefix(&workspace.root)
            .unwrap_or(&path)
            .display();
        let (what, hint) = match context.language {
            Language::English => (
                format!("the program `{program}` is missing: there is no {shown}"),
                format!("git restore {shown} brings back the one that was handed out"),
            ),
            Language::Chinese => (
                format!("缺少程序 `{program}`：没有文件 {shown}"),
                format!("git restore {shown} 可以恢复最初发放的文件"),
            ),
        };
        return Err(Error::new(Exit::Usage, what).hint(hint));
    }
    Ok(())
}
