//! What a check imports.
//!
//! A check is a plain `#[test]` in an exercise's `tests/grade.rs`. It gets a
//! [`Lab`]: a fresh virtual host on a real broker, in which it starts the
//! learner's programs and looks at what they do.
//!
//! ```no_run
//! use workbook_lab::{Outcome, ensure, lab};
//!
//! #[test]
//! fn send_leaves_one_message() -> Outcome {
//!     lab!(async |lab| {
//!         lab.start("send", &[]).await?.succeeds().await?;
//!         let left = lab.judge().await?.drain("hello").await?;
//!         ensure!(left.is_some(), "there is a queue `hello`", "there is none");
//!         Ok(())
//!     })
//! }
//! ```
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`check`] | running one check: the broker, the lab, the report |
//! | [`property`](mod@property) | a check tried with many random cases, and the smallest that fails |
//! | [`lab`](mod@lab) | the check's private world |
//! | [`program`] | a running program: what it says to the broker, prints, how it ends |
//! | [`arguments`] | what a person types after a program's name |
//! | [`judge`] | the lab's own connection to the broker |
//! | [`vocabulary`] | words of single chapters: tasks, subscribing, calls, confirms |
//! | [`model`] | reference models of routing: what a queue gets |
//! | [`process`] | the operating system's side of a program |
//! | [`wait`] | waiting for events, never for time |
//! | [`evidence`] | findings, pictures and tapes for whoever wants to see what happened |
//! | [`exercise`] | where a check belongs in the course |
//!
//! What a check says, and what its tapes mean, are crates of their own: `workbook-report`, `workbook-diagnosis`.

pub mod arguments;
pub mod check;
pub mod evidence;
pub mod exercise;
pub mod judge;
pub mod lab;
pub mod model;
pub mod process;
pub mod program;
pub mod property;
pub mod vocabulary;
pub mod wait;

/// What is on a tape; faults, and the rules that place them.
pub use amqp_tap::{
    Cut, Event, Fault, Frame, Injected, Rule, Side, What, any, broker, client, message,
};
pub use check::Outcome;
pub use lab::{Lab, Start};
pub use program::Program;
/// What properties draw their cases from.
pub use proptest;
/// What the cases of a property have in common, learned once.
pub use tokio::sync::OnceCell;
pub use workbook_report::{Checked, Failure, Verdict, ensure};

/// The [`Exercise`](exercise::Exercise) of the package that this is written in.
#[doc(hidden)]
#[macro_export]
macro_rules! here {
    () => {
        $crate::exercise::Exercise {
            package: env!("CARGO_PKG_NAME"),
            folder: env!("CARGO_MANIFEST_DIR"),
        }
    };
}

/// A check that is tried once: `lab!(async |lab| { …; Ok(()) })`.
#[macro_export]
macro_rules! lab {
    ($body:expr $(,)?) => {{
        fn here() {}
        $crate::check::once($crate::here!(), std::any::type_name_of_val(&here), $body)
    }};
}

/// A check that holds for every case of a strategy:
/// `property!(strategy, [simplest, examples], async |lab, case| { …; Ok(()) })`.
///
/// The simplest case is tried first, then the other examples, as they are; then
/// four random ones, and of one that fails the smallest is looked for.
///
/// The names in the closure's second parameter tell people what the parts of a case are.
///
/// `property!(2 of strategy, …)` tries so many random ones, where a case is a list: many of those are one case.
#[macro_export]
macro_rules! property {
    (
        $cases:literal of $strategy:expr, [$($example:expr),* $(,)?],
        async $($moves:ident)? |$lab:ident, $case:pat_param| $body:expr $(,)?
    ) => {{
        fn here() {}
        $crate::property::for_all(
            $crate::here!(),
            std::any::type_name_of_val(&here),
            $cases,
            $strategy,
            vec![$($example),*],
            stringify!($case),
            async $($moves)? |$lab, $case| $body,
        )
    }};
    ($strategy:expr, [$($example:expr),* $(,)?], $($body:tt)+) => {
        $crate::property!(4 of $strategy, [$($example),*], $($body)+)
    };
}
