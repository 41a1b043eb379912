//! Tokens: what is kept of them, who holds one, how they come and how they go.

mod abroad;
mod batch;
mod caller;
mod create;
mod draft;
mod endpoints;
mod entry;
mod found;
mod id;
mod login;
mod records;
mod refusal;
mod renew;
pub(crate) mod revoke;
mod role;
mod roles;
mod store;
mod tidy;
mod view;
mod wish;

pub(crate) use batch::BatchSeal;
pub(crate) use caller::{Caller, authenticate};
pub(crate) use create::{create_root, create_vouched, create_with};
pub(crate) use endpoints::ENDPOINTS;
use entry::network;
pub(crate) use entry::{TokenEntry, TokenKind};
pub(crate) use found::Found;
pub(crate) use id::SaltedId;
pub use login::Refused;
pub(crate) use login::{Login, log_in};
pub use refusal::TokenRefusal;
pub(crate) use store::{FirstToken, TOKEN_LENGTH, Tokens, first_writes};
