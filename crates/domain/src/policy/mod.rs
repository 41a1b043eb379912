//! Policies: what their texts mean, and what the holder of some of them may do.

mod acl;
mod builtin;
mod capabilities;
mod error;
mod parameters;
mod parse;
mod path;
#[allow(clippy::module_inception, reason = "the one thing that the others are about")]
mod policy;
mod rule;
mod template;
#[cfg(test)]
mod tests;

pub use acl::Acl;
pub use builtin::{DEFAULT, RESPONSE_WRAPPING};
pub use capabilities::{Capabilities, Capability, UnknownCapability};
pub use error::InvalidPolicy;
pub use parameters::Parameters;
pub use path::{InvalidPattern, Pattern, Segments};
pub use policy::Policy;
pub use rule::{Question, Rule, Wrapping};
pub use template::{Identity, Nobody, Piece, RulePath};
