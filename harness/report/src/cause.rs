//! Why a check failed, so that failures of one cause are told as one.
//!
//! A program that is wrong in one place fails many checks. [`CheckReport::cause`] names what a failure stands on, from
//! nothing but its own report; [`groups`] puts the reports of a run together by it. Everybody who tells of failures
//! uses these groups: `cargo test`, `check`, and every report of `grade`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use workbook_course::Language;
use workbook_diagnosis::finding::{FindingId, Severity};

use crate::{
    failure::Verdict,
    report::{CheckReport, ProgramReport},
};

/// What a failure stands on. The order is that of telling: what hides the rest comes first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// A program stopped at the `todo!()` that it was handed out with.
    Unwritten,
    /// What the tapes prove.
    Finding(FindingId),
    /// Nothing that a tape proves: what was observed, in the check's words, and of which program.
    Sentence {
        /// The program's name; empty where the sentence is about none.
        program: String,
        /// The first line of what was observed.
        observed: String,
    },
    /// Our own fault, which says nothing about the programs.
    Ours,
}

impl CheckReport {
    /// What the failure stands on; `None`: it passed.
    ///
    /// Findings are told in the order of their rank, so the first error among them is the cause. Advice names what
    /// works all the same, and is no cause.
    pub fn cause(&self) -> Option<Cause> {
        let failure = self.failure.as_ref()?;
        if self.verdict == Verdict::Infra {
            return Some(Cause::Ours);
        }
        if self.unwritten().next().is_some() {
            return Some(Cause::Unwritten);
        }
        let proved = self
            .findings
            .iter()
            .find(|finding| finding.severity == Severity::Error);
        if let Some(finding) = proved {
            return Some(Cause::Finding(finding.id));
        }
        Some(Cause::Sentence {
            program: self.subject(&failure.expected).to_owned(),
            observed: failure
                .observed
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned(),
        })
    }

    /// The program that a sentence is about: the one that it names first, with arguments or without; empty: it names
    /// something else.
    fn subject(&self, sentence: &str) -> &str {
        let named = sentence.split('`').nth(1).unwrap_or_default();
        let is_named = |name: &&str| {
            named
                .strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        let mut names = self.programs.iter().map(ProgramReport::bare_name);
        names.find(is_named).unwrap_or_default()
    }

    /// The programs that stopped at a `todo!()`, by name.
    pub fn unwritten(&self) -> impl Iterator<Item = &str> {
        let stopped = self.programs.iter().filter(|program| {
            let mut lines = program.stderr.iter();
            lines.any(|line| line.contains("not yet implemented"))
        });
        stopped.map(ProgramReport::bare_name)
    }
}

impl ProgramReport {
    /// The program's name alone.
    pub(crate) fn bare_name(&self) -> &str {
        self.argv.first().map_or("", String::as_str)
    }
}

/// Failures of one cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group<'a> {
    /// What they stand on.
    pub cause: Cause,
    /// The reports, in their order; there is at least one. The first is the one that the cause is shown with.
    pub reports: Vec<&'a CheckReport>,
}

/// A cause in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// It in one sentence.
    pub title: String,
    /// What happened in AMQP's words, why, and what to do; or what was observed.
    pub explanation: String,
    /// The frames that prove it, cut out of a sequence diagram; empty where no frame does.
    pub frames: String,
    /// The page and anchor that teach it; empty: that of the check.
    pub chapter: String,
}

/// The failures among reports, by cause: what hides the rest first, then the finding that fails most checks. What
/// nothing proves is told in the order of the checks, of which the first ask for the least.
pub fn groups<'a>(reports: impl IntoIterator<Item = &'a CheckReport>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for report in reports {
        let Some(cause) = report.cause() else {
            continue;
        };
        match groups.iter_mut().find(|group| group.cause == cause) {
            Some(group) => group.reports.push(report),
            None => groups.push(Group {
                cause,
                reports: vec![report],
            }),
        }
    }
    // The sort is stable: of two that fail as many checks, the one that fails an earlier one comes first.
    groups.sort_by_key(|group| {
        let proved = matches!(group.cause, Cause::Finding(_));
        let fails = if proved { group.reports.len() } else { 0 };
        (group.rank(), std::cmp::Reverse(fails))
    });
    groups
}

impl Group<'_> {
    /// The cause in words of a language.
    pub fn told(&self, language: Language) -> Told {
        let names = self.programs().into_iter().map(|name| format!("`{name}`"));
        let names: Vec<String> = names.collect();
        let (all, space) = match language {
            Language::English => (names.join(", "), " "),
            Language::Chinese => (names.join("、"), "："),
        };
        let lead = self.reports[0];
        let sentence = |title: String, explanation: &str| Told {
            title,
            explanation: explanation.to_owned(),
            frames: String::new(),
            chapter: String::new(),
        };
        match &self.cause {
            Cause::Unwritten => sentence(
                match (language, names.len()) {
                    (Language::English, 1) => {
                        format!("{all} stops at `todo!()`, the part for you to write")
                    }
                    (Language::English, _) => format!(
                        "{} stop at `todo!()`, the part for you to write",
                        names.join(" and ")
                    ),
                    (Language::Chinese, _) => format!("{all} 停在 `todo!()`，这部分由你来写"),
                },
                "",
            ),
            Cause::Finding(id) => {
                let found = self.reports.iter().flat_map(|it| &it.findings);
                let found = found.into_iter().find(|it| it.id == *id);
                found.map_or_else(
                    || sentence(id.to_string(), ""),
                    |finding| Told {
                        title: format!("{all}{space}{}", finding.title),
                        explanation: finding.explanation.clone(),
                        frames: finding.frames.clone(),
                        chapter: finding.chapter.clone(),
                    },
                )
            }
            Cause::Sentence { .. } | Cause::Ours => lead.failure.as_ref().map_or_else(
                || sentence(String::new(), ""),
                |failure| sentence(failure.expected.clone(), &failure.observed),
            ),
        }
    }

    fn rank(&self) -> usize {
        match self.cause {
            Cause::Unwritten => 0,
            Cause::Finding(_) => 1,
            Cause::Sentence { .. } => 2,
            Cause::Ours => 3,
        }
    }

    /// The programs that it is about, by name.
    pub fn programs(&self) -> BTreeSet<&str> {
        let reports = self.reports.iter();
        match &self.cause {
            Cause::Unwritten => reports.flat_map(|report| report.unwritten()).collect(),
            Cause::Finding(id) => reports
                .flat_map(|report| &report.findings)
                .filter(|finding| finding.id == *id)
                .filter_map(|finding| finding.argv.first())
                .map(String::as_str)
                .collect(),
            Cause::Sentence { program, .. } => BTreeSet::from([program.as_str()])
                .into_iter()
                .filter(|it| !it.is_empty())
                .collect(),
            Cause::Ours => BTreeSet::new(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::failure::Failure;
    use crate::report::ToldFinding;

    pub(crate) fn failed(name: &str, expected: &str, observed: &str) -> CheckReport {
        CheckReport {
            name: name.to_owned(),
            verdict: Verdict::Fail,
            failure: Some(Failure::new(expected, observed)),
            cases: 0,
            case: None,
            findings: Vec::new(),
            picture: String::new(),
            programs: vec![ProgramReport {
                name: "send kern.info".to_owned(),
                argv: ["send", "kern.info"].map(str::to_owned).to_vec(),
                stdout: Vec::new(),
                stderr: Vec::new(),
                ended: None,
                conversation: serde_json::Value::Null,
            }],
            hint: None,
            seed: 1,
            duration_ms: 0,
            given_back: Vec::new(),
        }
    }

    pub(crate) fn with(mut report: CheckReport, found: &[FindingId]) -> CheckReport {
        let told = found.iter().map(|id| ToldFinding {
            id: *id,
            severity: id.severity(),
            program: "send kern.info".to_owned(),
            argv: ["send", "kern.info"].map(str::to_owned).to_vec(),
            title: String::new(),
            explanation: String::new(),
            chapter: String::new(),
            evidence: Vec::new(),
            frames: String::new(),
        });
        report.findings = told.collect();
        report
    }

    fn names<'a>(groups: &[Group<'a>]) -> Vec<Vec<&'a str>> {
        let names = |group: &Group<'a>| group.reports.iter().map(|it| it.name.as_str()).collect();
        groups.iter().map(names).collect()
    }

    #[test]
    fn the_first_error_that_a_tape_proves_is_the_cause_and_advice_is_none() {
        use FindingId as Id;
        let report = failed("one", "`send` ends", "it did not");
        let proved = with(
            report.clone(),
            &[Id::PrefetchMissing, Id::WorkLost, Id::DoubleAck],
        );
        assert_eq!(proved.cause(), Some(Cause::Finding(Id::WorkLost)));
        let advised = with(report.clone(), &[Id::PrefetchMissing]);
        assert_eq!(advised.cause(), report.cause());
        let sentence = Cause::Sentence {
            program: "send".to_owned(),
            observed: "it did not".to_owned(),
        };
        assert_eq!(report.cause(), Some(sentence));
    }

    #[test]
    fn what_nothing_proves_is_told_in_the_order_of_the_checks() {
        let reports = [
            failed("one", "`send` ends", "it did not"),
            failed("two", "the queue holds 1", "it is empty"),
            failed("three", "the queue holds 3", "it is empty"),
        ];
        assert_eq!(
            names(&groups(&reports)),
            [vec!["one"], vec!["two", "three"]]
        );
    }

    #[test]
    fn failures_of_one_cause_are_one_group() {
        use FindingId as Id;
        let mut unwritten = with(
            failed("four", "`send` ends", "it did not"),
            &[Id::NeverConnected],
        );
        unwritten.programs[0].stderr = vec!["not yet implemented: connect".to_owned()];
        let mut passed = failed("six", "", "");
        (passed.verdict, passed.failure) = (Verdict::Pass, None);
        let mut ours = failed("seven", "there is a broker", "no");
        ours.verdict = Verdict::Infra;
        let reports = [
            ours,
            failed(
                "zero",
                "the queue holds 1",
                "it is empty\nthe broker closed the channel",
            ),
            with(failed("one", "`send` ends", "it did not"), &[Id::DoubleAck]),
            with(
                failed("two", "`send` prints", "it did not"),
                &[Id::WorkLost, Id::DoubleAck],
            ),
            with(
                failed("three", "`send` acks", "it did not"),
                &[Id::WorkLost],
            ),
            unwritten,
            failed("five", "the queue holds 3", "it is empty"),
            passed,
        ];
        let groups = groups(&reports);
        let expected = [
            vec!["four"],
            vec!["two", "three"],
            vec!["one"],
            vec!["zero", "five"],
            vec!["seven"],
        ];
        assert_eq!(names(&groups), expected);
        assert_eq!(groups[1].programs(), BTreeSet::from(["send"]));
    }
}
