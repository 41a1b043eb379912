//! Response wrapping: an answer is put aside under a token that is good for taking it out once.
//!
//! What is wrapped lies in the cubbyhole of its wrapping token, so it is gone with the token, used or not.

mod check;
mod content;
mod endpoints;
mod jwt;
mod refusal;
mod wish;
mod wrap;

pub(crate) use check::{is_about_own, resolve_first};
pub(crate) use endpoints::ENDPOINTS;
pub(crate) use jwt::{Claims, Signer, is_jwt};
pub use refusal::WrappingRefusal;
pub(crate) use wish::Wish;
pub(crate) use wrap::{Origin, Wrapping};
