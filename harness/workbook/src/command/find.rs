//! What somebody means who types the name of an exercise or of a check.

use workbook_course::{Chapter, Language};

use super::Context;
use crate::error::{Error, Exit};

/// How alike two names are at least for one to be a slip of the other (Jaro and Winkler's measure, 1: the same).
const ALIKE: f64 = 0.8;

/// The chapter of that slug or number, and its number, or an error that names those which there are.
pub(super) fn chapter<'a>(
    context: &'a Context,
    typed: &str,
) -> Result<(usize, &'a Chapter), Error> {
    let course = &context.workspace.course;
    if let Some(found) = course.chapter(typed) {
        return Ok(found);
    }
    // The folder is called 01-hello-world, and the shell may complete it as exercises/01-hello-world/.
    let folder = typed
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or(typed);
    let named = folder
        .split_once('-')
        .filter(|(number, _)| number.parse::<usize>().is_ok());
    if let Some(found) = named.and_then(|(_, slug)| course.chapter(slug)) {
        return Ok(found);
    }
    let number = typed.parse::<usize>().ok();
    if let Some(number) = number
        && let Some(chapter) = number.checked_sub(1).and_then(|it| course.chapters.get(it))
    {
        return Ok((number, chapter));
    }
    let slugs: Vec<&str> = course.chapters.iter().map(|it| it.slug.as_str()).collect();
    let what = match context.language {
        Language::English => format!("there is no exercise `{typed}`"),
        Language::Chinese => format!("没有名为 `{typed}` 的练习"),
    };
    Err(meant(context, Error::new(Exit::Usage, what), typed, &slugs))
}

/// The name of a check, or an error that names those which there are.
pub(super) fn check<'a>(
    context: &Context,
    chapter: &'a Chapter,
    typed: &str,
) -> Result<&'a str, Error> {
    if let Some(check) = chapter.check(typed) {
        return Ok(&check.name);
    }
    let names: Vec<&str> = chapter.checks.iter().map(|it| it.name.as_str()).collect();
    let what = match context.language {
        Language::English => format!("`{}` has no check `{typed}`", chapter.slug),
        Language::Chinese => format!("`{}` 没有名为 `{typed}` 的检查", chapter.slug),
    };
    Err(meant(context, Error::new(Exit::Usage, what), typed, &names))
}

/// Adds what may be meant, else all that there is.
pub(super) fn meant(context: &Context, error: Error, typed: &str, known: &[&str]) -> Error {
    let alike = |name: &&&str| strsim::jaro_winkler(&typed.to_lowercase(), name);
    let nearest = known
        .iter()
        .max_by(|one, other| alike(one).total_cmp(&alike(other)))
        .filter(|name| alike(name) >= ALIKE);
    let hint = match (nearest, context.language) {
        (Some(name), Language::English) => format!("did you mean `{name}`?"),
        (Some(name), Language::Chinese) => format!("是不是想输入 `{name}`？"),
        (None, Language::English) => format!("there are: {}", known.join(", ")),
        (None, Language::Chinese) => format!("可用的有：{}", known.join("、")),
    };
    error.hint(hint)
}
