//! Policies: where they are kept, and what the holders of some of them may do.

mod book;
mod record;
mod refusal;
mod table;

pub(crate) use book::Book;
pub use refusal::PolicyRefusal;
pub(crate) use table::Policies;
