//! The first version of HCL, which is what policies are written in: unlike its successor it lets several arguments
//! share a line, and has no expressions.

mod lexer;
mod parser;
mod strings;

use std::fmt;

pub(super) use parser::parse;

/// What is wrong with a document, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    at: Place,
    text: String,
    /// The text itself says where.
    whole: bool,
}

/// Where a character is: both numbers count from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    line: usize,
    column: usize,
}

impl Problem {
    fn new(at: Place, text: impl Into<String>) -> Self {
        Self { at, text: text.into(), whole: false }
    }

    /// Of arguments that are given twice, the first would be forgotten silently.
    fn repeated(at: Place, name: &str) -> Self {
        let text =
            format!("The argument {name:?} at {at} was already set. Each argument can only be defined once");
        Self { at, text, whole: true }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.whole { f.write_str(&self.text) } else { write!(f, "At {}: {}", self.at, self.text) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}
