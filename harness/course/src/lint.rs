//! The course linter: the catalogue held against the folders, the tests and the pages, in both directions.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use crate::{Chapter, Edition, Workspace};

/// What is wrong, a sentence each that says what to do; empty when all is well.
pub fn lint(workspace: &Workspace) -> Vec<String> {
    let mut linter = Linter {
        workspace,
        findings: Vec::new(),
    };
    for (index, chapter) in workspace.course.chapters.iter().enumerate() {
        linter.chapter(index + 1, chapter);
    }
    linter.strays(Edition::Exercise);
    linter.strays(Edition::Solution);
    linter.unique_names();
    linter.summary();
    linter.findings
}

struct Linter<'a> {
    workspace: &'a Workspace,
    findings: Vec<String>,
}

impl Linter<'_> {
    fn say(&mut self, finding: String) {
        self.findings.push(finding);
    }

    fn read(&mut self, path: &Path) -> Option<String> {
        match std::fs::read_to_string(path) {
            Ok(text) => Some(text),
            Err(error) => {
                self.say(format!(
                    "{}: {error}; course.toml says that it is there",
                    self.shown(path)
                ));
                None
            }
        }
    }

    fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.workspace.root)
            .unwrap_or(path)
            .display()
            .to_string()
    }

    fn chapter(&mut self, number: usize, chapter: &Chapter) {
        let slug = &chapter.slug;
        for side in [Edition::Exercise, Edition::Solution] {
            let folder = self.workspace.folder(number, chapter, side);
            for program in &chapter.programs {
                let path = folder.join("src").join("bin").join(format!("{program}.rs"));
                let Some(source) = self.read(&path) else {
                    continue;
                };
                let unsolved = source.contains("todo!(");
                if unsolved != (side == Edition::Exercise) {
                    let ought = if unsolved {
                        "is solved: take the todo!() out"
                    } else {
                        "is for the learner to write: put a todo!() in"
                    };
                    self.say(format!("{}: {ought}", self.shown(&path)));
                }
                if side == Edition::Exercise && source.lines().count() > 45 {
                    self.say(format!(
                        "{}: an exercise fits one screen: at most 45 lines",
                        self.shown(&path)
                    ));
                }
            }
        }
        self.tests(number, chapter);
        let mistakes = self
            .workspace
            .folder(number, chapter, Edition::Solution)
            .join("mistakes");
        let kept = programs_in(&mistakes);
        if kept.len() < 8 {
            self.say(format!(
                "{}: {} mistakes are kept, and a chapter needs at least 8",
                self.shown(&mistakes),
                kept.len()
            ));
        }
        for mistake in kept {
            if !chapter
                .programs
                .iter()
                .any(|program| mistake.starts_with(&format!("{program}-")))
            {
                self.say(format!(
                    "{}: {mistake}.rs: name it PROGRAM-MISTAKE.rs, with a program of {slug}",
                    self.shown(&mistakes)
                ));
            }
        }
        if chapter.run.is_empty() {
            self.say(format!(
                "course.toml: {slug} has no run for its page to draw"
            ));
        }
        if chapter.checks.len() < 8 {
            self.say(format!(
                "course.toml: {slug} has {} checks, and a chapter needs at least 8",
                chapter.checks.len()
            ));
        }
        self.page(chapter);
    }

    /// The tests of `grade.rs` are the checks of the catalogue, in both directions and in the same order.
    fn tests(&mut self, number: usize, chapter: &Chapter) {
        let path = self
            .workspace
            .folder(number, chapter, Edition::Exercise)
            .join("tests")
            .join("grade.rs");
        let Some(source) = self.read(&path) else {
            return;
        };
        let shown = self.shown(&path);
        let tests = test_names(&source);
        let checks: Vec<String> = chapter
            .checks
            .iter()
            .map(|check| check.name.clone())
            .collect();
        for check in checks.iter().filter(|check| !tests.contains(check)) {
            self.say(format!(
                "course.toml: {}: there is no #[test] {check} in {shown}",
                chapter.slug
            ));
        }
        for test in tests.iter().filter(|test| !checks.contains(test)) {
            self.say(format!(
                "{shown}: the #[test] {test} is not in course.toml: add it with points and a hint"
            ));
        }
        if checks.len() == tests.len() && checks != tests {
            self.say(format!(
                "{shown}: put the tests in the order of course.toml"
            ));
        }
    }

    /// The page exists and has the anchors that the checks point to.
    fn page(&mut self, chapter: &Chapter) {
        let pages = self.workspace.root.join("book").join("src");
        let mut anchors: BTreeMap<PathBuf, BTreeSet<String>> = BTreeMap::new();
        let own = pages.join(format!("{}.md", chapter.slug));
        if let Some(text) = self.read(&own)
            && !text.contains(&format!("cargo test -p {}", chapter.slug))
        {
            self.say(format!(
                "{}: the page does not lead to its exercise: name cargo test -p {}",
                self.shown(&own),
                chapter.slug
            ));
        }
        for check in &chapter.checks {
            let (page, anchor) = check
                .chapter
                .split_once('#')
                .unwrap_or((&check.chapter, ""));
            let path = pages.join(page).with_extension("md");
            if !anchors.contains_key(&path) {
                let found = self
                    .read(&path)
                    .map(|text| anchors_of(&text))
                    .unwrap_or_default();
                anchors.insert(path.clone(), found);
            }
            if !anchor.is_empty() && !anchors[&path].contains(anchor) {
                self.say(format!(
                    "course.toml: {}: {} has no heading #{anchor}",
                    check.name,
                    self.shown(&path)
                ));
            }
        }
    }

    /// The book's table of contents leads to the page of each chapter, in the order of the course, and to no page that is
    /// not there.
    fn summary(&mut self) {
        let pages = self.workspace.root.join("book").join("src");
        let path = pages.join("SUMMARY.md");
        let Some(text) = self.read(&path) else {
            return;
        };
        let shown = self.shown(&path);
        let linked: Vec<&str> = links_of(&text).collect();
        for link in linked.iter().filter(|link| !pages.join(link).is_file()) {
            self.say(format!("{shown}: there is no page {link}"));
        }
        let chapters = self.workspace.course.chapters.iter();
        let wanted: Vec<String> = chapters.map(|it| format!("{}.md", it.slug)).collect();
        let found: Vec<&str> = linked
            .into_iter()
            .filter(|link| wanted.iter().any(|it| it == link))
            .collect();
        if found != wanted {
            self.say(format!(
                "{shown}: list the pages of the chapters as in course.toml: {}",
                wanted.join(", ")
            ));
        }
    }

    /// Folders of exercises that no chapter names.
    fn strays(&mut self, side: Edition) {
        let expected: BTreeSet<PathBuf> = self
            .workspace
            .course
            .chapters
            .iter()
            .enumerate()
            .map(|(index, chapter)| self.workspace.folder(index + 1, chapter, side))
            .collect();
        let Some(room) = expected
            .first()
            .and_then(|folder| folder.parent().map(Path::to_owned))
        else {
            return;
        };
        let entries = std::fs::read_dir(room).into_iter().flatten().flatten();
        for path in entries
            .map(|entry| entry.path())
            .filter(|path| path.is_dir())
        {
            if !expected.contains(&path) {
                self.say(format!(
                    "{}: no chapter of course.toml has this folder",
                    self.shown(&path)
                ));
            }
        }
    }

    /// A program or a check that two chapters have would be built or run for the wrong one.
    fn unique_names(&mut self) {
        let mut seen = BTreeMap::new();
        for chapter in &self.workspace.course.chapters {
            for program in &chapter.programs {
                if let Some(other) = seen.insert(program, &chapter.slug) {
                    self.findings.push(format!(
                        "course.toml: {other} and {} both have a program {program}",
                        chapter.slug
                    ));
                }
            }
        }
    }
}

/// The names of the programs in a package of mistakes or variants, sorted: each is a file beside `main.rs`.
pub fn programs_in(package: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(package.join("src"));
    let mut names: Vec<String> = entries
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .filter(|name| name != "main")
        .collect();
    names.sort();
    names
}

/// The functions of a file that have the attribute `#[test]`, in order; the file is formatted.
fn test_names(source: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_test = false;
    for line in source.lines() {
        if line == "#[test]" {
            is_test = true;
        } else if is_test && let Some(rest) = line.strip_prefix("fn ") {
            names.extend(rest.split('(').next().map(str::to_owned));
            is_test = false;
        } else if !line.starts_with("#[") && !line.starts_with("//") {
            is_test = false;
        }
    }
    names
}

/// The pages that a table of contents leads to.
fn links_of(markdown: &str) -> impl Iterator<Item = &str> {
    let lines = markdown.lines();
    lines.filter_map(|line| line.split_once("](")?.1.strip_suffix(')'))
}

/// The anchors that mdBook gives to the headings of a page.
fn anchors_of(markdown: &str) -> BTreeSet<String> {
    let mut fenced = false;
    let mut anchors = BTreeSet::new();
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        let title = line.trim_start_matches('#');
        if fenced || title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        match title.rsplit_once("{#") {
            Some((_, given)) => anchors.insert(given.trim_end_matches('}').to_owned()),
            None => anchors.insert(slug(title.trim())),
        };
    }
    anchors
}

fn slug(title: &str) -> String {
    let kept = title
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_are_those_of_mdbook() {
        let anchors = anchors_of(
            "# What is RabbitMQ?\n```sh\n# not a heading\n```\n## Run `send` {#sending}\n",
        );
        assert_eq!(
            anchors,
            BTreeSet::from(["what-is-rabbitmq".to_owned(), "sending".to_owned()])
        );
    }

    #[test]
    fn only_tests_are_named() {
        let source = "#[test]\nfn a() {}\nfn helper() {}\n#[test]\n#[allow(x)]\nfn b() -> Outcome { todo!() }";
        assert_eq!(test_names(source), ["a", "b"]);
    }
}
