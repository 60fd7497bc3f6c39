//! What was typed wrong, in Chinese. The parser itself tells it in English only.

use std::env;

use clap::error::{ContextKind, ErrorKind};
use workbook_course::Language;

use crate::error::{Error, Exit};

/// The language of somebody whose command line could not be parsed.
pub(crate) fn language() -> Language {
    let mut arguments = env::args();
    while let Some(argument) = arguments.next() {
        let tag = match argument.strip_prefix("--lang") {
            Some("") => arguments.next(),
            Some(rest) => rest.strip_prefix('=').map(str::to_owned),
            None => None,
        };
        if let Some(tag) = tag {
            return Language::from_tag(&tag);
        }
    }
    Language::from_env()
}

/// What the parser complains about, and what may be meant.
pub(crate) fn in_chinese(slip: &clap::Error) -> Error {
    let said = |kind| slip.get(kind).map(ToString::to_string);
    let named = |kind| said(kind).unwrap_or_default();
    let (argument, value) = (
        named(ContextKind::InvalidArg),
        named(ContextKind::InvalidValue),
    );
    let what = match slip.kind() {
        ErrorKind::InvalidSubcommand => {
            format!("没有子命令 `{}`", named(ContextKind::InvalidSubcommand))
        }
        ErrorKind::UnknownArgument => format!("没有参数 `{argument}`"),
        ErrorKind::InvalidValue if value.is_empty() => format!("`{argument}` 缺少值"),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            format!("`{argument}` 的值 `{value}` 无效")
        }
        ErrorKind::MissingRequiredArgument => format!("缺少参数 `{argument}`"),
        ErrorKind::ArgumentConflict => format!(
            "`{argument}` 不能与 `{}` 一起使用",
            named(ContextKind::PriorArg)
        ),
        ErrorKind::TooManyValues => format!("`{argument}` 不能有值 `{value}`"),
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            "缺少子命令".to_owned()
        }
        _ => slip.to_string(),
    };
    let mut error = Error::new(Exit::Usage, what);
    let meant = [
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedArg,
        ContextKind::SuggestedValue,
    ];
    if let Some(meant) = meant.into_iter().find_map(said) {
        error = error.hint(format!("是不是想输入 `{meant}`？"));
    } else if let Some(valid) = said(ContextKind::ValidValue) {
        error = error.hint(format!("可以是：{valid}"));
    }
    error.hint("用法：cargo workbook --help".to_owned())
}
