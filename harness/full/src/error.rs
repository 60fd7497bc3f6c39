//! Errors of the crates that only few commands need, with the exit codes of the command line.
#![expect(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]

use workbook::{Error, Exit};
use workbook_book::BookError;
use workbook_grader::{depot::DepotError, grade::GradeError, store::StoreError};

/// Something in the book does not hold.
pub(crate) fn book(error: BookError) -> Error {
    Error::from_source(Exit::Failed, &error)
}

/// What all builds of submissions have in common cannot be made.
pub(crate) fn depot(error: DepotError) -> Error {
    Error::from_source(Exit::Ours, &error)
}

/// The results cannot be kept.
pub(crate) fn store(error: StoreError) -> Error {
    Error::from_source(Exit::Ours, &error)
}

/// A class cannot be graded.
pub(crate) fn grade(error: GradeError) -> Error {
    let exit = match &error {
        GradeError::Path { .. } | GradeError::NoExercise { .. } | GradeError::Empty(_) => {
            Exit::Usage
        }
        GradeError::Checks(_) | GradeError::Store(_) => Exit::Ours,
    };
    Error::from_source(exit, &error)
}
