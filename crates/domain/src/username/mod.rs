//! Templates for the names of users that are made up: as much of Go's `text/template` as Vault documents for them.
//!
//! `{{ printf "v-%s-%s" (.RoleName | truncate 8) (random 20) | truncate 63 }}`: text, and in it pipelines of values and
//! functions. Conditions, loops and variables are refused.

mod call;
mod error;
mod format;
mod lexer;
mod parse;
mod source;
mod template;
#[cfg(test)]
mod tests;
mod time_layout;

pub use error::{InvalidUsernameTemplate, NoRandomness};
pub use template::{UsernameSubject, UsernameTemplate};
