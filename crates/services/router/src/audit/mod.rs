//! Audit: what is recorded of every request while devices are enabled, and which devices those are.
//!
//! [`Trail`] goes along with a request and writes its two records; [`Audit`] is the table of devices. What records look
//! like, and how devices write them, is the business of the crate `audit`.

mod answer;
mod asker;
mod description;
mod headers;
mod plugins;
mod record;
mod refusal;
mod table;
mod trail;

pub(crate) use headers::Headers;
pub(crate) use plugins::{Followed, word_of_reason};
pub use refusal::AuditRefusal;
pub(crate) use table::{Audit, Wanted};
pub(crate) use trail::Trail;
