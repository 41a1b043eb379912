//! Leases: what plugins have issued and tokens of finite life, until they end or are ended.
//!
//! All that is known about one is stored; in memory are its id and the time of its end.

mod book;
mod claim;
mod keeper;
mod mount;
mod record;
mod refusal;
mod register;
mod renew;
mod revoke;
mod tidy;
mod token;

pub(crate) use book::Leases;
pub(crate) use record::Record;
pub use refusal::LeaseRefusal;
pub(crate) use register::{Issued, register};
pub(crate) use renew::Vouched;
pub(crate) use revoke::How;
pub(crate) use token::TokenLease;
