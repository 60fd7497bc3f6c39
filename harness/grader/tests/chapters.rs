//! Every chapter's checks, seen from the side of what is correct, on a real broker.
//!
//! A solution and every correct variant get full marks; the starter fails every
//! check. Mistakes are the other side: see `mistakes.rs`.

#![allow(clippy::expect_used, reason = "a test stops at what it did not expect")]
mod common;

use std::{collections::BTreeMap, process::ExitCode};

use common::{Commands, Compiled, in_full, no_stray_snapshots, passes, snapshots_in, workspace};
use futures_util::{StreamExt, stream};
use libtest_mimic::{Arguments, Trial};
use workbook_course::Edition;
use workbook_report::Verdict;
use workbook_runner::CheckResult;

/// Variants mostly work.
const VARIANTS_AT_ONCE: usize = 3;

fn main() -> ExitCode {
    let mut trials =
        common::of_every_chapter("the_solution_gets_full_marks", the_solution_gets_full_marks);
    trials.extend(common::of_every_chapter(
        "the_starter_fails_every_check_and_says_where_to_write",
        the_starter_fails_every_check_and_says_where_to_write,
    ));
    trials.extend(common::of_every_chapter(
        "every_variant_gets_full_marks",
        every_variant_gets_full_marks,
    ));
    trials.push(Trial::test(
        "lapin_amqprs_and_pika_have_the_same_conversations",
        || {
            common::block_on(lapin_amqprs_and_pika_have_the_same_conversations());
            Ok(())
        },
    ));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A correct program shows no finding.
fn expect_no_findings(whose: &str, results: &[CheckResult]) {
    for result in results {
        let report = &result.report;
        assert!(
            report.findings.is_empty(),
            "{whose}, {}: {:#?}\n{}",
            report.name,
            report.findings,
            report.picture
        );
    }
}

/// The solution passes, shows no finding, and says to the broker what the snapshots hold: a reader of a review sees
/// what changed.
async fn the_solution_gets_full_marks(slug: &str) {
    let workspace = workspace();
    let chapter = Compiled::of(&workspace, slug, Edition::Solution).await;
    let results = chapter.run(BTreeMap::new()).await;
    assert!(passes(&results), "{}", in_full(&results));
    expect_no_findings(slug, &results);
    let folder = workspace
        .folder(chapter.number, &chapter.chapter, Edition::Exercise)
        .join("tests/snapshots");
    let settings = snapshots_in(&folder);
    for result in results.iter().filter(|result| result.report.cases == 0) {
        // The lab's own words follow from the seed, so they are the same each time.
        let said: Vec<_> = result
            .report
            .programs
            .iter()
            // How the connection of a killed program ends is the kernel's choice.
            .filter(|program| {
                !program
                    .ended
                    .as_deref()
                    .is_some_and(|ended| ended.contains("killed by the check"))
            })
            .map(|program| (&program.name, &program.conversation))
            .collect();
        settings.bind(|| insta::assert_yaml_snapshot!(result.report.name.as_str(), said));
    }
    let once = results.iter().filter(|result| result.report.cases == 0);
    let names = once.map(|result| result.report.name.clone()).collect();
    no_stray_snapshots(&folder, &names);
}

async fn the_starter_fails_every_check_and_says_where_to_write(slug: &str) {
    let workspace = workspace();
    let chapter = Compiled::of(&workspace, slug, Edition::Exercise).await;
    let folder = workspace.folder(chapter.number, &chapter.chapter, Edition::Exercise);
    let unsolved = chapter.chapter.programs.iter().all(|program| {
        let source = std::fs::read_to_string(folder.join("src/bin").join(format!("{program}.rs")));
        source.is_ok_and(|source| source.contains("todo!("))
    });
    assert!(
        unsolved,
        "the exercises of this checkout are (partly) solved: cargo workbook verify is for the repository as it is handed out"
    );
    for result in chapter.run(BTreeMap::new()).await {
        let text = result.report.text();
        assert_eq!(result.report.verdict, Verdict::Fail, "{text}");
        assert!(text.contains("stopped at a `todo!()`"), "{text}");
    }
}

/// Correct programs in other styles and, where the chapter keeps some, in Python: `python/receive.py` is written with
/// pika as in the original tutorials.
async fn every_variant_gets_full_marks(slug: &str) {
    let workspace = workspace();
    let chapter = Compiled::of(&workspace, slug, Edition::Solution).await;
    // Programs of one variant belong together: send-transient and receive-transient.
    let mut variants: BTreeMap<String, Commands> = BTreeMap::new();
    for (name, command) in chapter.commands(&workspace, "variants").await {
        let programs = &chapter.chapter.programs;
        let (program, variant) = match programs.iter().find(|program| **program == name) {
            Some(program) => (program.as_str(), "python"),
            None => {
                let program = chapter.program_of(&name);
                (program, &name[program.len() + 1..])
            }
        };
        let commands = variants.entry(variant.to_owned()).or_default();
        commands.insert(program.to_owned(), command);
    }
    assert!(
        variants.len() >= 2,
        "a chapter keeps at least 2 variants besides those in Python"
    );
    let mut judged = stream::iter(variants)
        .map(async |(variant, commands)| (variant, chapter.run(commands).await))
        .buffer_unordered(VARIANTS_AT_ONCE);
    while let Some((variant, results)) = judged.next().await {
        assert!(passes(&results), "{variant}: {}", in_full(&results));
        expect_no_findings(&variant, &results);
    }
}

/// What a program said in a check.
#[derive(Clone, Debug, PartialEq)]
struct Said {
    check: String,
    program: String,
    conversation: serde_json::Value,
}

/// What all programs said in the checks that are tried once.
fn said(results: &[CheckResult]) -> Vec<Said> {
    let once = results.iter().filter(|result| result.report.cases == 0);
    let programs = once.flat_map(|result| {
        let check = &result.report.name;
        result.report.programs.iter().map(move |it| (check, it))
    });
    // How the connection of a killed program ends is the kernel's choice.
    let left = programs.filter(|(_, program)| {
        !program
            .ended
            .as_deref()
            .is_some_and(|ended| ended.contains("killed by the check"))
    });
    let said = left.map(|(check, program)| Said {
        check: check.clone(),
        program: program.name.clone(),
        conversation: program.conversation.clone(),
    });
    said.collect()
}

/// What the tutorial's programs in Python say where ours say this: their queue is not durable, and Ctrl-C ends theirs
/// where it stands.
fn as_in_the_tutorial(mut ours: Said) -> Said {
    let Some(said) = ours.conversation.as_object_mut() else {
        return ours;
    };
    for queue in said["queues"].as_array_mut().expect("queues") {
        let queue = queue.as_object_mut().expect("a queue");
        assert_eq!(queue.remove("durable"), Some(true.into()));
    }
    if ours.program == "receive" && said["connections"][0] == "closed" {
        said["connections"][0] = "dropped by the client without connection.close".into();
    }
    ours
}

/// The same checks and programs that mean the same, with three clients: their conversations are equal, but for what the
/// programs in Python do in another way of their own accord.
async fn lapin_amqprs_and_pika_have_the_same_conversations() {
    let workspace = workspace();
    let chapter = Compiled::of(&workspace, "hello-world", Edition::Solution).await;
    let lapin = said(&chapter.run(BTreeMap::new()).await);
    assert!(lapin.len() >= 10, "{lapin:#?}");
    let variants = chapter.commands(&workspace, "variants").await;
    let with = |ending: &str| -> Option<Commands> {
        let programs = chapter.chapter.programs.iter();
        let commands = programs.map(|program| {
            let command = variants.get(&format!("{program}{ending}"))?;
            Some((program.clone(), command.clone()))
        });
        commands.collect()
    };
    let amqprs = with("-amqprs").expect("programs with amqprs");
    assert_eq!(lapin, said(&chapter.run(amqprs).await));
    if let Some(python) = with("") {
        let pika = said(&chapter.run(python).await);
        let expected: Vec<Said> = lapin.into_iter().map(as_in_the_tutorial).collect();
        assert_eq!(expected, pika);
    }
}
