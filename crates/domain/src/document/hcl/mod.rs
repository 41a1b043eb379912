//! The first version of HCL, which is what Vault's configurations and policies are written in: unlike its successor it
//! lets several arguments share a line, and has no expressions.

mod lexer;
mod parser;
mod strings;

pub(super) use parser::parse;

use super::{Place, Problem};

fn problem(at: Place, text: impl Into<String>) -> Problem {
    Problem::Hcl { at, text: text.into() }
}
