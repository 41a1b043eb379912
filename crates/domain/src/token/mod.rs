//! The rules that a new token is made by, and what it gets of its parent.

mod grant;
mod names;

pub use grant::{Grant, GrantRefused, RolePolicies};
pub use names::{display_name, normalise};
