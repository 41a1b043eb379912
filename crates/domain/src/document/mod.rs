//! What people write down for a program: a configuration or a policy, in HCL or in JSON.

mod hcl;
mod json;
mod problem;
#[cfg(test)]
mod tests;
mod tree;

pub use problem::{Place, Problem};
pub use tree::{Entry, Node, Value};

/// How deep a document may nest; a configuration goes five levels down, a policy four.
const DEPTH: usize = 32;

/// Reads a document. A text that begins with a brace is JSON.
///
/// # Errors
/// It is neither, or nests too deeply.
pub fn parse(text: &str) -> Result<Vec<Entry>, Problem> {
    if text.trim_start().starts_with('{') { json::parse(text) } else { hcl::parse(text) }
}
