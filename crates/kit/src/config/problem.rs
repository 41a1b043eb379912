use std::{collections::BTreeSet, fmt, io, path::Path, path::PathBuf, sync::Arc};

use super::key::Table;

/// Where something was configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a file, on a line that counts from one.
    Line {
        /// The file, as it was given.
        file: Arc<Path>,
        /// The line.
        line: usize,
    },
    /// On the command line or in the environment, under this name.
    Given(&'static str),
}

impl Place {
    /// Whether both stand in the same file.
    pub(crate) fn beside(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Line { file: a, .. }, Self::Line { file: b, .. }) if a == b)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { file, line } => write!(f, "{}:{line}", file.display()),
            Self::Given(name) => f.write_str(name),
        }
    }
}

/// One thing that is wrong, or that has no effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands.
    pub place: Place,
    /// What it is, and what is allowed.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}

/// What was found while reading.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    pub(crate) errors: Vec<Problem>,
    pub(crate) warnings: Vec<Problem>,
    /// What the blocks that were read could have held.
    pub(crate) tables: Vec<Table>,
    /// The names of all blocks that were asked for.
    pub(crate) blocks: BTreeSet<&'static str>,
}

impl Problems {
    pub(crate) fn error(&mut self, place: &Place, text: impl Into<String>) {
        self.errors.push(Problem { place: place.clone(), text: text.into() });
    }

    pub(crate) fn warning(&mut self, place: &Place, text: impl Into<String>) {
        self.warnings.push(Problem { place: place.clone(), text: text.into() });
    }
}

/// A configuration that nothing can be started with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder that cannot be read.
    #[error("cannot read the configuration {}", path.display())]
    Read {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A folder without a configuration.
    #[error("there is no file that ends in .hcl or .json in {}", .0.display())]
    Empty(PathBuf),
    /// Nothing was given.
    #[error("no configuration: pass -config=FILE, a file or folder in HCL or JSON")]
    None,
    /// Everything that is wrong in it.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Invalid(Vec<Problem>),
    /// A part that this service cannot do without.
    #[error("the configuration has no {what}; add {example}")]
    Missing {
        /// What is missing.
        what: &'static str,
        /// How it looks.
        example: &'static str,
    },
}
