use std::fmt;

/// Why a text is no document.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// It is not HCL.
    #[error("At {at}: {text}")]
    Hcl {
        /// Where it stops being so.
        at: Place,
        /// What is wrong there.
        text: String,
    },
    /// In HCL every argument counts once: of two, the first would be forgotten silently.
    #[error("The argument {name:?} at {at} was already set. Each argument can only be defined once")]
    Repeated {
        /// Where it is given the second time.
        at: Place,
        /// What it is called.
        name: String,
    },
    /// It is not JSON.
    #[error("this is not JSON: {source}")]
    Json {
        /// The line, from one.
        line: usize,
        /// Why not.
        source: serde_json::Error,
    },
    /// Nothing is written like that, and following it would cost too much.
    #[error("nested too deeply")]
    Deep {
        /// The line where it is too much, from one.
        line: usize,
    },
}

impl Problem {
    /// The line that it stands on, from one.
    pub const fn line(&self) -> usize {
        match self {
            Self::Hcl { at, .. } | Self::Repeated { at, .. } => at.line,
            Self::Json { line, .. } | Self::Deep { line } => *line,
        }
    }
}

/// Where a character is: both numbers count from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its line.
    pub line: usize,
    /// How many characters into the line.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}
