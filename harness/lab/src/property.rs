//! Properties: a check that is tried with many random cases, each in a lab of its own.
//!
//! When a random case fails, smaller ones are tried until none is found that fails, and
//! the smallest is reported. All cases come from the seed of the run, so the same
//! seed finds the same case again.

mod words;

use std::{collections::HashSet, fmt::Debug, time::Duration};

use futures_util::{StreamExt, stream};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, Reason, RngAlgorithm, TestRng, TestRunner},
};
use workbook_report::failure::{Checked, Failure};

use crate::{
    check::{Outcome, Tried, run},
    exercise::Exercise,
    lab::{Bench, Lab},
    wait::{DEADLINE, SHORT_DEADLINE},
};

pub use words::Words;

/// How many cases run at the same time.
const AT_ONCE: usize = 2;
/// How many smaller cases are tried after one has failed.
const SMALLER_CASES: usize = 128;
/// How many of them may fail by waiting in vain, which takes [`SHORT_DEADLINE`] each.
const SMALLER_CASES_WAITED_FOR: usize = 6;

/// What a check does with a case, and the pattern that it takes the case with: its names tell what the parts are.
struct Body<F> {
    pattern: &'static str,
    run: F,
}

/// For [`property!`](crate::property!): a check that holds for every case.
#[doc(hidden)]
pub fn for_all<S>(
    exercise: Exercise,
    path: &str,
    random: usize,
    strategy: S,
    examples: Vec<S::Value>,
    pattern: &'static str,
    body: impl AsyncFn(&Lab, S::Value) -> Checked + 'static,
) -> Outcome
where
    S: Strategy<Value: Clone + Debug + Words> + 'static,
{
    let body = Body { pattern, run: body };
    run(
        exercise,
        path,
        Box::new(move |bench| {
            Box::pin(async move { try_all(bench, random, &strategy, examples, &body).await })
        }),
    )
}

/// Tries the cases until one fails.
async fn try_all<S>(
    bench: &Bench,
    random: usize,
    strategy: &S,
    examples: Vec<S::Value>,
    body: &Body<impl AsyncFn(&Lab, S::Value) -> Checked>,
) -> Tried
where
    S: Strategy<Value: Clone + Debug + Words>,
{
    let mut cases = cases(random, strategy, examples, bench.seed).into_iter();
    let mut last = Tried::default();
    // A program that fails whatever the case is fails for the simplest one, so that is tried alone.
    if let Some(simplest) = cases.next() {
        let tried = try_one(bench, simplest, body).await;
        last = Tried { cases: 1, ..tried };
        if last.result.is_err() {
            return last;
        }
    }
    // A program mostly waits, so several cases run at the same time; the first one in order that fails counts.
    let mut tried = stream::iter(cases)
        .map(|case| try_one(bench, case, body))
        .buffered(AT_ONCE);
    while let Some(next) = tried.next().await {
        last = Tried {
            cases: last.cases + 1,
            ..next
        };
        if last.result.is_err() {
            return last;
        }
    }
    Tried { case: None, ..last }
}

/// The cases to try, none of them twice: the examples, and then random ones. What an example shows needs no search for a
/// smaller case, which depends on how fast the machine is.
fn cases<S>(random: usize, strategy: &S, examples: Vec<S::Value>, seed: u64) -> Vec<Case<S>>
where
    S: Strategy<Value: Debug>,
{
    let mut known: HashSet<String> = HashSet::new();
    let mut runner = TestRunner::new_with_rng(Config::default(), rng(seed));
    let random = (0..random).map(|_| Case::Random(strategy.new_tree(&mut runner)));
    let all = examples.into_iter().map(Case::Example).chain(random);
    all.filter(|case| case.shown().is_none_or(|shown| known.insert(shown)))
        .collect()
}

/// A case to try.
enum Case<S: Strategy> {
    /// From the strategy, so that smaller ones can be derived from it.
    Random(Result<S::Tree, Reason>),
    /// Given by the check.
    Example(S::Value),
}

impl<S: Strategy<Value: Debug>> Case<S> {
    /// What tells it from others; `None`: it could not be made.
    fn shown(&self) -> Option<String> {
        match self {
            Self::Random(Ok(tree)) => Some(format!("{:?}", tree.current())),
            Self::Random(Err(_)) => None,
            Self::Example(example) => Some(format!("{example:?}")),
        }
    }
}

/// Tries one case, and when a random one fails looks for the smallest that does.
async fn try_one<S>(
    bench: &Bench,
    case: Case<S>,
    body: &Body<impl AsyncFn(&Lab, S::Value) -> Checked>,
) -> Tried
where
    S: Strategy<Value: Clone + Debug + Words>,
{
    let mut tree = match case {
        Case::Example(example) => return try_case(bench, example, DEADLINE, body).await,
        Case::Random(Ok(tree)) => tree,
        Case::Random(Err(reason)) => {
            let error = std::io::Error::other(reason.to_string());
            return Failure::infra("a random case can be made", &error).into();
        }
    };
    let tried = try_case(bench, tree.current(), DEADLINE, body).await;
    if tried.result.is_ok() {
        return tried;
    }
    shrink(bench, &mut tree, tried, body).await
}

/// Looks for the smallest case that fails, from one that does.
async fn shrink<T>(
    bench: &Bench,
    tree: &mut T,
    first: Tried,
    body: &Body<impl AsyncFn(&Lab, T::Value) -> Checked>,
) -> Tried
where
    T: ValueTree<Value: Clone + Debug + Words>,
{
    let mut smallest = first;
    let mut smaller = tree.simplify();
    let mut waited = 0;
    for _ in 0..SMALLER_CASES {
        if !smaller || waited == SMALLER_CASES_WAITED_FOR {
            break;
        }
        // That it fails is known; a short deadline can only mistake how little it takes.
        let tried = try_case(bench, tree.current(), SHORT_DEADLINE, body).await;
        match &tried.result {
            Ok(()) => smaller = tree.complicate(),
            // Our own trouble while shrinking does not change what was found.
            Err(failure) if failure.is_infra() => break,
            Err(failure) => {
                waited += usize::from(failure.waited);
                smallest = tried;
                smaller = tree.simplify();
            }
        }
    }
    smallest
}

async fn try_case<V: Clone + Words>(
    bench: &Bench,
    case: V,
    deadline: Duration,
    body: &Body<impl AsyncFn(&Lab, V) -> Checked>,
) -> Tried {
    let shown = words::shown_case(&case, body.pattern);
    let tried = bench
        .try_in_lab(deadline, async |lab| (body.run)(lab, case).await)
        .await;
    Tried {
        case: Some(shown),
        ..tried
    }
}

fn rng(seed: u64) -> TestRng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRng::from_seed(RngAlgorithm::ChaCha, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(examples: Vec<u8>, seed: u64) -> Vec<String> {
        let cases = cases(4, &(0..=250_u8), examples, seed);
        cases.iter().filter_map(Case::shown).collect()
    }

    #[test]
    fn the_examples_come_first_and_in_their_order() {
        let shown = shown(vec![9, 251, 3], 1);
        assert_eq!(shown[..3], ["9", "251", "3"]);
        assert_eq!(shown.len(), 3 + 4, "{shown:?}");
    }

    #[test]
    fn no_case_is_tried_twice() {
        let random = shown(Vec::new(), 1);
        let again = random[0].parse().expect("a number");
        let known = shown(vec![again, again], 1);
        assert_eq!(known.len(), random.len());
    }

    #[test]
    fn the_seed_decides_the_random_cases() {
        assert_eq!(shown(Vec::new(), 1), shown(Vec::new(), 1));
        assert_ne!(shown(Vec::new(), 1), shown(Vec::new(), 2));
    }
}
