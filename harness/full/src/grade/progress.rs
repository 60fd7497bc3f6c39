//! How far a grading is: a bar on a terminal, plain lines elsewhere, JSON for programs.

use std::{collections::BTreeMap, io::IsTerminal};

use indicatif::{ProgressBar, ProgressStyle};
use workbook::{Error, Exit, output};
use workbook_course::Language;
use workbook_grader::grade::GradeEvent;
use workbook_report::Verdict;

/// Tells how far it is.
pub(super) struct Progress {
    language: Language,
    json: bool,
    bar: Option<ProgressBar>,
    counts: BTreeMap<Verdict, usize>,
}

impl Progress {
    pub(super) fn new(language: Language, json: bool) -> Self {
        let bar = (!json && std::io::stderr().is_terminal()).then(|| ProgressBar::new(0));
        if let Some(bar) = &bar {
            let style = "{wide_bar} {pos}/{len}  {msg}  {elapsed} (+{eta})";
            // The template is fixed, and known to be right.
            bar.set_style(
                ProgressStyle::with_template(style)
                    .unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
        }
        Self {
            language,
            json,
            bar,
            counts: BTreeMap::new(),
        }
    }

    pub(super) fn tell(&mut self, event: &GradeEvent) {
        if self.json {
            match serde_json::to_string(event) {
                Ok(line) => output::line(&line),
                Err(error) => output::error(&Error::from_source(Exit::Ours, &error), self.language),
            }
            return;
        }
        match event {
            GradeEvent::Started {
                submissions,
                total,
                conditions,
                passed_over,
                ..
            } => {
                let (kind, version) = (&conditions.broker.kind, &conditions.broker.version);
                let (seed, sandbox) = (conditions.seed, &conditions.sandbox);
                output::progress(&match self.language {
                    Language::English => format!(
                        "{submissions} submissions, RabbitMQ {version} ({kind}), sandbox {sandbox}, seed {seed}"
                    ),
                    Language::Chinese => format!(
                        "{submissions} 份作业，RabbitMQ {version}（{kind}），沙箱 {sandbox}，种子 {seed}"
                    ),
                });
                if !passed_over.is_empty() {
                    output::progress(&match self.language {
                        Language::English => format!("passed over: {}", passed_over.join(", ")),
                        Language::Chinese => format!("已略过：{}", passed_over.join("、")),
                    });
                }
                if let Some(bar) = &self.bar {
                    bar.set_length(*total as u64);
                }
            }
            GradeEvent::Graded {
                submission,
                exercise,
                verdict,
                points,
                max_points,
                reused,
            } => {
                *self.counts.entry(*verdict).or_default() += 1;
                let Some(bar) = &self.bar else {
                    let points = points.map_or_else(|| "-".to_owned(), |it| it.to_string());
                    let note = match (reused, self.language) {
                        (false, _) => "",
                        (true, Language::English) => "  (was graded)",
                        (true, Language::Chinese) => "（已评分）",
                    };
                    output::line(&format!(
                        "{:<10} {submission}  {exercise}  {points}/{max_points}{note}",
                        verdict.word_in(self.language)
                    ));
                    return;
                };
                let counts: Vec<String> = (self.counts.iter())
                    .map(|(verdict, count)| format!("{count} {}", verdict.word_in(self.language)))
                    .collect();
                bar.set_message(counts.join("  "));
                bar.inc(1);
            }
            GradeEvent::Finished { .. } => {
                if let Some(bar) = &self.bar {
                    bar.finish_and_clear();
                }
            }
        }
    }
}
