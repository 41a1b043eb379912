//! Password policies: what a password that is made up has to look like, and how it is made up.

mod draw;
mod parse;
mod policy;
#[cfg(test)]
mod tests;

pub(crate) use draw::Draw;
pub use parse::InvalidPasswordPolicy;
pub use policy::PasswordPolicy;
