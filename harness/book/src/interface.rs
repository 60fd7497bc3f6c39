//! The words of mdBook's own page around the text, in the language of the page.

use std::path::Path;

use crate::{error::BookError, tongue::Tongue};

/// What mdBook's templates and scripts say, and the same in Chinese.
const CHINESE: &[(&str, &str)] = &[
    ("Keyboard shortcuts", "键盘快捷键"),
    (
        "<p>Press <kbd>←</kbd> or <kbd>→</kbd> to navigate between chapters</p>",
        "<p>按 <kbd>←</kbd> 或 <kbd>→</kbd> 前往上一章或下一章</p>",
    ),
    (
        "<p>Press <kbd>S</kbd> or <kbd>/</kbd> to search in the book</p>",
        "<p>按 <kbd>S</kbd> 或 <kbd>/</kbd> 搜索本书</p>",
    ),
    (
        "<p>Press <kbd>?</kbd> to show this help</p>",
        "<p>按 <kbd>?</kbd> 显示本帮助</p>",
    ),
    (
        "<p>Press <kbd>Esc</kbd> to hide this help</p>",
        "<p>按 <kbd>Esc</kbd> 隐藏本帮助</p>",
    ),
    ("\"Table of contents\"", "\"目录\""),
    ("\"Toggle Table of Contents\"", "\"显示或隐藏目录\""),
    ("\"Change theme\"", "\"更换主题\""),
    ("\"Themes\"", "\"主题\""),
    (">Auto<", ">自动<"),
    (">Light<", ">浅色<"),
    ("\"Search (`/`)\"", "\"搜索（`/`）\""),
    ("\"Toggle Searchbar\"", "\"显示或隐藏搜索栏\""),
    ("\"Search this book ...\"", "\"搜索本书……\""),
    ("\"Print this book\"", "\"打印本书\""),
    ("\"Page navigation\"", "\"翻页\""),
    ("\"Previous chapter\"", "\"上一章\""),
    ("\"Next chapter\"", "\"下一章\""),
];

/// The same in mdBook's scripts.
const CHINESE_SCRIPTS: &[(&str, &str)] = &[
    ("'Copy to clipboard'", "'复制到剪贴板'"),
    ("'Copied!'", "'已复制！'"),
    ("'Clipboard error!'", "'无法复制！'"),
    ("' search result for \\''", "' 条结果，搜索词为 \\''"),
    ("' search results for \\''", "' 条结果，搜索词为 \\''"),
    ("'No search results for \\''", "'没有找到 \\''"),
];

/// Translates the words around the text, where there is something to translate.
pub(crate) fn translate(out: &Path, tongue: Tongue) -> Result<(), BookError> {
    if tongue.folder.is_empty() {
        return Ok(());
    }
    for entry in fs_err::read_dir(out)? {
        let path = entry?.path();
        let words = match path.extension().and_then(|ending| ending.to_str()) {
            Some("html") => CHINESE,
            Some("js") => CHINESE_SCRIPTS,
            _ => continue,
        };
        let text = fs_err::read_to_string(&path)?;
        let mut changed = text.clone();
        for (from, to) in words {
            changed = changed.replace(from, to);
        }
        if changed != text {
            fs_err::write(&path, changed)?;
        }
    }
    Ok(())
}
