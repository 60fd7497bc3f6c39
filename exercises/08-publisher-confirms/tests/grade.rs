//! What is checked of `publisher_confirms`.
//!
//! The lab plays the troubles of a broker: it holds confirms back, deletes or fills the queue while the first message
//! is on its way, and cuts the connection.

use std::fmt;

use workbook_lab::{
    Checked, Cut, Failure, Fault, Injected, Lab, Outcome, Program, Rule, client, ensure, lab,
    property,
    property::Words,
    proptest::{
        collection::vec,
        prelude::{Just, Strategy},
        strategy::Union,
    },
    vocabulary::confirms::{CutAt, CutPlace, Release, Word},
};

const PROGRAM: &str = "publisher_confirms";
const QUEUE: &str = "confirmed";

#[test]
fn every_line_is_published_and_confirmed() -> Outcome {
    property!(
        (mode(), vec("[ -~]{0,16}|\\PC{0,8}", 0..=8)),
        [
            (Mode::One, texts(&["one", "", "one"])),
            (Mode::Async, texts(&["", " two  ", "", "'three'", "four"])),
            (Mode::Batch(9), texts(&[])),
            // Only a line feed ends a line.
            (
                Mode::Batch(2),
                texts(&["same", "Same", "a\rb", "c\u{c}d", "e\u{2028}f"])
            ),
        ],
        async |lab, (mode, lines)| { publishes_all(lab, mode, &lines.into()).await }
    )
}

#[test]
fn lines_may_end_in_any_way_and_be_bytes() -> Outcome {
    lab!(async |lab| {
        let lines = Input::of(&["one", "", "three"]);
        publishes_all(lab, Mode::Async, &lines.clone().with(Ends::CrLf)).await?;
        let other = lab.another().await?;
        publishes_all(&other, Mode::Batch(2), &lines.with(Ends::NotTheLast)).await?;
        let bytes = Input(vec![b"caf\xe9".to_vec(), vec![b'x'; 10_000]], Ends::Lf);
        publishes_all(&*lab.another().await?, Mode::One, &bytes).await
    })
}

#[test]
fn messages_are_mandatory_and_in_confirm_mode() -> Outcome {
    lab!(async |lab| {
        let input = Input::of(&["one", "two", "one"]);
        let program = start(lab, Mode::Async, &input).await?;
        let declared = program.declares_queue(QUEUE).await?;
        ensure!(
            declared.durable,
            format!("`{PROGRAM}` declares the queue `{QUEUE}` durable"),
            "its queue.declare says durable = false",
        );
        program.ends().await?;
        let sent = program.sent();
        let targets = |exchange: &str, key: &str| (exchange.to_owned(), key.to_owned());
        ensure!(
            sent.iter().all(|it| it.target == targets("", QUEUE)),
            format!("`{PROGRAM}` publishes to `{QUEUE}` through the default exchange"),
            "it published to another exchange, or with another routing key",
        );
        ensure!(
            sent.iter().all(|it| it.confirms),
            format!("`{PROGRAM}` asks for confirms before it publishes: confirm.select"),
            "it published on a channel that was not in confirm mode",
        );
        ensure!(
            sent.iter().all(|it| it.mandatory),
            format!("`{PROGRAM}` publishes each message with the flag mandatory"),
            "it published one without it",
        );
        program.republishes_as_agreed(false)?;
        program.tells_what_became_of(&input.0).await?;
        program.closes_its_connections().await
    })
}

#[test]
fn nothing_is_said_before_the_confirm() -> Outcome {
    lab!(async |lab| {
        let input = Input::of(&["one", "two", "three", "four"]);
        let mut waiting = Vec::new();
        for mode in [Mode::One, Mode::Batch(3), Mode::Async] {
            let lab = lab.another().await?;
            let program = start(&lab, mode, &input).await?;
            let held = program.holds_confirms(Release::Merged)?;
            let first = mode.window().min(4);
            program.is_answered(first, WHILE_HELD).await?;
            lab.holds_messages(QUEUE, first).await?;
            program.claims_nothing()?;
            waiting.push((program, held, first));
        }
        // All of them wait at the same time.
        for (program, held, first) in waiting {
            program.waits_with(first).await?;
            held.release();
            program.tells_what_became_of(&input.0).await?;
            program.closes_its_connections().await?;
        }
        Ok(())
    })
}

#[test]
fn one_waits_for_each_confirm() -> Outcome {
    lab!(async |lab| goes_in_batches(lab, Mode::One).await)
}

#[test]
fn batch_waits_for_each_batch() -> Outcome {
    lab!(async |lab| {
        goes_in_batches(lab, Mode::Batch(3)).await?;
        goes_in_batches(&*lab.another().await?, Mode::Batch(2)).await
    })
}

#[test]
fn async_waits_only_at_the_end() -> Outcome {
    lab!(async |lab| {
        // Without an argument, too.
        for arguments in [&["async"][..], &[]] {
            let lab = lab.another().await?;
            let input = numbers(20);
            let bytes = input.bytes();
            let program = lab.start_with_input(PROGRAM, arguments, &bytes).await?;
            let held = program.holds_confirms(Release::AsTheyCame)?;
            program.is_answered(20, WHILE_HELD).await?;
            held.release();
            let words = program.tells_what_became_of(&input.0).await?;
            all_are_confirmed(&program, &words)?;
        }
        Ok(())
    })
}

#[test]
fn one_confirm_may_stand_for_many() -> Outcome {
    lab!(async |lab| {
        for (mode, count) in [(Mode::Async, 5), (Mode::Batch(4), 4)] {
            let lab = lab.another().await?;
            let input = numbers(count);
            let program = start(&lab, mode, &input).await?;
            let held = program.holds_confirms(Release::Merged)?;
            program.is_answered(count, WHILE_HELD).await?;
            held.release();
            let words = program.tells_what_became_of(&input.0).await?;
            all_are_confirmed(&program, &words)?;
        }
        // It stands for those up to its tag, and not for those that are on their way: the broker refuses these.
        for mode in [Mode::Async, Mode::Batch(5)] {
            let lab = lab.another().await?;
            let input = numbers(5);
            let program = start(&lab, mode, &input).await?;
            let confirms = program.holds_confirms(Release::Merged)?;
            let held = program.inject(Fault::Hold, before_message(4));
            program.is_answered(3, "before its queue is full").await?;
            until_hit(&program, held.as_ref(), 4).await?;
            confirms.release();
            lab.leaves_room(QUEUE, 0).await?;
            release(held);
            let words = program.tells_what_became_of(&input.0).await?;
            is_infra_unless(words[3..].contains(&Word::Refused))?;
        }
        Ok(())
    })
}

#[test]
fn what_finds_no_queue_is_returned() -> Outcome {
    lab!(async |lab| {
        for mode in [Mode::One, Mode::Batch(2), Mode::Async] {
            let lab = lab.another().await?;
            let program = start(&lab, mode, &numbers(5)).await?;
            let held = program.inject(Fault::Hold, before_message(3));
            program.is_answered(2, "before its queue goes").await?;
            until_hit(&program, held.as_ref(), 3).await?;
            lab.judge().await?.delete(QUEUE).await?;
            release(held);
            the_next_is_returned(&program, &numbers(5), 2).await?;
        }
        // The messages that came back, and those that did not, are confirmed together.
        let program = start(lab, Mode::Async, &numbers(20)).await?;
        let confirms = program.holds_confirms(Release::Merged)?;
        let held = program.inject(Fault::Hold, before_message(11));
        program.is_answered(10, "before its queue goes").await?;
        until_hit(&program, held.as_ref(), 11).await?;
        lab.judge().await?.delete(QUEUE).await?;
        release(held);
        program.is_answered(20, WHILE_HELD).await?;
        confirms.release();
        the_next_is_returned(&program, &numbers(20), 10).await
    })
}

#[test]
fn what_a_full_queue_refuses_is_refused() -> Outcome {
    lab!(async |lab| {
        for (mode, room) in [(Mode::One, 2), (Mode::Batch(2), 0), (Mode::Async, 0)] {
            let lab = lab.another().await?;
            let input = numbers(4);
            let program = start(&lab, mode, &input).await?;
            let held = program.inject(Fault::Hold, before_message(1));
            until_hit(&program, held.as_ref(), 1).await?;
            let other = lab.leaves_room(QUEUE, room).await?;
            release(held);
            let words = program.tells_what_became_of(&input.0).await?;
            let confirmed = words.iter().filter(|it| **it == Word::Confirmed).count();
            is_infra_unless(words.contains(&Word::Refused))?;
            let depth = lab.judge().await?.queue(QUEUE).await?;
            let there = depth.map_or(0, |it| it.messages.saturating_sub(other) as usize);
            ensure!(
                there == confirmed,
                format!("the queue `{QUEUE}` has the {confirmed} messages that were confirmed"),
                format!("it has {there}"),
            );
        }
        Ok(())
    })
}

#[test]
fn what_was_not_confirmed_is_published_again() -> Outcome {
    lab!(async |lab| {
        // Of the confirms, so many arrive before the cut; so many messages are with the broker by then.
        for (mode, heard, there) in [
            (Mode::One, 2, 3),
            (Mode::Batch(2), 0, 2),
            (Mode::Async, 0, 5),
        ] {
            let lab = lab.another().await?;
            let input = Input::of(&["one", "two", "three", "four", "five"]);
            let program = start(&lab, mode, &input).await?;
            let held = program.holds_confirms_from(heard + 1, Release::Merged)?;
            program.is_answered(there, "before it is cut off").await?;
            program.is_cut()?;
            held.release();
            let words = program.tells_what_became_of(&input.0).await?;
            all_are_confirmed(&program, &words)?;
            program.republishes_as_agreed(mode == Mode::One)?;
            all_are_there(&lab, &input).await?;
        }
        Ok(())
    })
}

#[test]
fn nothing_confirmed_is_lost() -> Outcome {
    let cut = |place, kind| CutAt { place, cut: kind };
    property!(
        (mode(), vec("[a-z]{1,6}", 1..=6)).prop_flat_map(|(mode, lines)| {
            let cut = CutAt::any(lines.len());
            (Just(mode), Just(lines), cut)
        }),
        [
            (
                Mode::One,
                texts(&["one", "two"]),
                cut(CutPlace::AfterMessage(2), Cut::Reset)
            ),
            (
                Mode::Async,
                texts(&["one", "two", "three"]),
                cut(CutPlace::BeforeMessage(2), Cut::Reset)
            ),
            (
                Mode::Batch(2),
                texts(&["one", "two", "two"]),
                cut(CutPlace::BeforeConfirm, Cut::Clean)
            ),
        ],
        async |lab, (mode, lines, cut)| {
            let input = Input::from(lines);
            let program = start(lab, mode, &input).await?;
            let injected = cut.awaits(&program);
            let words = program.tells_what_became_of(&input.0).await?;
            if injected.and_then(|it| it.hit()).is_none() {
                let error = std::io::Error::other("it did not hit");
                return Err(Failure::infra("the connection is cut", &error));
            }
            all_are_confirmed(&program, &words)?;
            program.republishes_as_agreed(mode == Mode::One)?;
            all_are_there(lab, &input).await
        }
    )
}

#[test]
fn it_leaves_nothing_but_the_queue() -> Outcome {
    lab!(async |lab| {
        let program = start(lab, Mode::Async, &Input::of(&["one", "two"])).await?;
        program.is_answered(2, "in confirm mode").await?;
        // Whether it ends by itself is for other checks.
        let _ = program.ends().await;
        lab.leaves_nothing_else().await
    })
}

#[test]
fn it_says_so_without_a_broker() -> Outcome {
    lab!(async |lab| {
        let modes = ["publisher_confirms one", "publisher_confirms"];
        lab.all_need_a_broker_for(&modes, b"one\ntwo\n").await
    })
}

const WHILE_HELD: &str = "while none of them is confirmed to it";

/// When the program waits for confirms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    One,
    Batch(usize),
    Async,
}

impl Words for Mode {
    fn words(&self) -> String {
        match self {
            Self::One => "one".to_owned(),
            Self::Batch(size) => format!("batch {size}"),
            Self::Async => "async".to_owned(),
        }
    }
}

impl Mode {
    fn window(self) -> usize {
        match self {
            Self::One => 1,
            Self::Batch(size) => size,
            Self::Async => usize::MAX,
        }
    }
}

/// How lines end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    Lf,
    CrLf,
    /// LF, and nothing after the last one.
    NotTheLast,
}

/// The bodies on the program's standard input.
#[derive(Clone)]
struct Input(Vec<Vec<u8>>, Ends);

impl Input {
    fn of(bodies: &[&str]) -> Self {
        let bodies = bodies.iter().map(|body| body.as_bytes().to_vec());
        Self(bodies.collect(), Ends::Lf)
    }

    fn with(self, ends: Ends) -> Self {
        Self(self.0, ends)
    }

    fn bytes(&self) -> Vec<u8> {
        let end: &[u8] = match self.1 {
            Ends::CrLf => b"\r\n",
            Ends::Lf | Ends::NotTheLast => b"\n",
        };
        let mut bytes: Vec<u8> = self
            .0
            .iter()
            .flat_map(|it| [&it[..], end].concat())
            .collect();
        // A line of which nothing is left is none.
        if self.1 == Ends::NotTheLast && self.0.last().is_some_and(|it| !it.is_empty()) {
            bytes.pop();
        }
        bytes
    }
}

impl From<Vec<String>> for Input {
    fn from(lines: Vec<String>) -> Self {
        let bodies = lines.into_iter().map(String::into_bytes);
        Self(bodies.collect(), Ends::Lf)
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.0.iter().map(|body| String::from_utf8_lossy(body));
        f.debug_list().entries(lines).finish()?;
        match self.1 {
            Ends::Lf => Ok(()),
            Ends::CrLf => f.write_str(" with CRLF"),
            Ends::NotTheLast => f.write_str(" without an end of the last line"),
        }
    }
}

/// "1", "2", "3" …
fn numbers(count: usize) -> Input {
    let bodies = (1..=count).map(|number| number.to_string().into_bytes());
    Input(bodies.collect(), Ends::Lf)
}

fn mode() -> impl Strategy<Value = Mode> {
    Union::new([
        Just(Mode::One).boxed(),
        Just(Mode::Async).boxed(),
        (1..=4_usize).prop_map(Mode::Batch).boxed(),
    ])
}

fn texts(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

fn sorted(mut bodies: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    bodies.sort();
    bodies
}

async fn start(lab: &Lab, mode: Mode, input: &Input) -> Result<Program, Failure> {
    let size = mode.window().to_string();
    let arguments: &[&str] = match mode {
        Mode::One => &["one"],
        Mode::Batch(_) => &["batch", &size],
        Mode::Async => &["async"],
    };
    lab.start_with_input(PROGRAM, arguments, &input.bytes())
        .await
}

/// Holds that each body is published, confirmed, told of, and in the queue.
async fn publishes_all(lab: &Lab, mode: Mode, input: &Input) -> Checked {
    let program = start(lab, mode, input).await?;
    let words = program.tells_what_became_of(&input.0).await?;
    all_are_confirmed(&program, &words)?;
    let there = bodies_in_queue(lab).await?;
    ensure!(
        there == sorted(input.0.clone()),
        format!("the queue `{QUEUE}` has what is reported as confirmed"),
        format!("it has {:?}", Input(there, Ends::Lf)),
    );
    Ok(())
}

fn before_message(nth: u64) -> Rule {
    Rule::before(client("basic.publish")).nth(nth)
}

/// Waits until the fault has hit that was to hold a message.
async fn until_hit(program: &Program, held: Option<&Injected>, nth: u64) -> Checked {
    let what = format!("`{}` publishes message {nth}", program.name());
    let hit = program.until(&what, |_| held?.hit().map(|_| Ok(())));
    hit.await
}

fn release(held: Option<Injected>) {
    if let Some(held) = held {
        held.release();
    }
}

/// A queue that was filled and refuses nothing says nothing about the program.
fn is_infra_unless(refused: bool) -> Checked {
    if refused {
        return Ok(());
    }
    let error = std::io::Error::other("the broker confirmed all of them");
    Err(Failure::infra("a full queue refuses messages", &error))
}

fn all_are_confirmed(program: &Program, words: &[Word]) -> Checked {
    ensure!(
        words.iter().all(|word| *word == Word::Confirmed),
        format!("`{}` publishes to a queue that is there", program.name()),
        "the broker returned or refused a message",
    );
    Ok(())
}

/// The program has lost its queue after so many messages: the next one came back.
async fn the_next_is_returned(program: &Program, input: &Input, before: usize) -> Checked {
    let words = program.tells_what_became_of(&input.0).await?;
    ensure!(
        words[..before].iter().all(|it| *it == Word::Confirmed) && words[before] == Word::Returned,
        format!(
            "the broker returns to `{}` what found no queue, because it is mandatory",
            program.name()
        ),
        "it discarded it, and acknowledged it",
    );
    Ok(())
}

async fn goes_in_batches(lab: &Lab, mode: Mode) -> Checked {
    let input = numbers(7);
    let program = start(lab, mode, &input).await?;
    lab.goes_in_batches(&program, QUEUE, mode.window(), 7)
        .await?;
    let words = program.tells_what_became_of(&input.0).await?;
    all_are_confirmed(&program, &words)
}

/// All bodies in the queue, sorted.
async fn bodies_in_queue(lab: &Lab) -> Result<Vec<Vec<u8>>, Failure> {
    let taken = lab.judge().await?.drain(QUEUE).await?;
    Ok(sorted(taken.unwrap_or_default()))
}

/// The queue has each line at least once for each time that it is in the input, and nothing else.
async fn all_are_there(lab: &Lab, input: &Input) -> Checked {
    let there = bodies_in_queue(lab).await?;
    let count = |all: &[Vec<u8>], body: &Vec<u8>| all.iter().filter(|it| *it == body).count();
    let enough = |body| count(&there, body) >= count(&input.0, body);
    ensure!(
        input.0.iter().all(enough) && there.iter().all(|body| input.0.contains(body)),
        format!("the queue `{QUEUE}` has all that is reported as confirmed"),
        format!("it has {:?}", Input(there, Ends::Lf)),
    );
    Ok(())
}
