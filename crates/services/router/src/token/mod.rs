//! Tokens: what is kept of them, who holds one, and how a login gets one.

mod caller;
mod endpoints;
mod entry;
mod login;
mod store;

pub(crate) use caller::Caller;
pub(crate) use endpoints::ENDPOINTS;
pub(crate) use entry::TokenEntry;
pub use login::Refused;
pub(crate) use login::{Login, log_in};
pub(crate) use store::{FirstToken, SaltedId, TOKEN_LENGTH, Tokens};
