//! How far a check is: a bar on a terminal, nothing elsewhere, JSON for programs, and a line for each check for who
//! wants to know everything.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};
use workbook_course::Language;
use workbook_runner::{CheckResult, RunEvent};

use crate::{
    error::{Error, Exit},
    output,
};

/// Tells how far it is.
pub(super) struct Progress {
    language: Language,
    json: bool,
    verbose: bool,
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(super) fn new(language: Language, json: bool, verbose: bool) -> Self {
        let bar = (!json && !verbose && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::new(0);
            // The template is fixed, and known to be right.
            let style = ProgressStyle::with_template("{wide_bar} {pos}/{len}  {elapsed}");
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self {
            language,
            json,
            verbose,
            bar,
        }
    }

    pub(super) fn tell(&mut self, event: &RunEvent) {
        if self.json {
            match serde_json::to_string(event) {
                Ok(line) => output::line(&line),
                Err(error) => output::error(&Error::from_source(Exit::Ours, &error), self.language),
            }
            return;
        }
        match event {
            RunEvent::Started { checks, broker, .. } => {
                let (version, kind) = (&broker.version, &broker.kind);
                output::progress(&match self.language {
                    Language::English => format!("{checks} checks, RabbitMQ {version} ({kind})"),
                    Language::Chinese => format!("{checks} 项检查，RabbitMQ {version}（{kind}）"),
                });
                if let Some(bar) = &self.bar {
                    bar.set_length(*checks as u64);
                }
            }
            RunEvent::Check(result) => {
                if self.verbose {
                    output::line(&line(self.language, result));
                }
                if let Some(bar) = &self.bar {
                    bar.inc(1);
                }
            }
            RunEvent::Finished(_) => {
                if let Some(bar) = &self.bar {
                    bar.finish_and_clear();
                }
            }
        }
    }
}

fn line(language: Language, result: &CheckResult) -> String {
    let report = &result.report;
    let seconds = f64::from(u32::try_from(report.duration_ms).unwrap_or(u32::MAX)) / 1000.0;
    format!(
        "  {} {:<52} {:>2}/{:<2} {seconds:>6.2} s",
        output::verdict(report.verdict, language),
        report.name,
        result.points,
        result.max_points,
    )
}
