//! What whoever runs a check tells it, in the environment.

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Serialize};

/// The variable that names the file to write the report of a check to.
pub const REPORT: &str = "WORKBOOK_REPORT";

/// The variable that fixes the seed of every random choice.
pub const SEED: &str = "WORKBOOK_SEED";

/// The variable that names a folder for the tapes and pictures of a check.
pub const TAPES: &str = "WORKBOOK_TAPES";

/// The variable by which whoever runs many checks lends each some virtual hosts: a list of them as JSON. Those that are
/// as good as fresh afterwards are named in its report.
pub const LEASES: &str = "WORKBOOK_LEASES";

/// The variable that replaces programs by other commands: [`Programs`] as JSON.
pub const PROGRAMS: &str = "WORKBOOK_PROGRAMS";

/// Commands that stand for the programs of an exercise, by program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Programs {
    /// The command lines, in words as a shell would split them.
    pub commands: BTreeMap<String, String>,
    /// The folder in which they run.
    pub directory: PathBuf,
}
