//! Policies: where they are kept, and what the holders of some of them may do. Beside them, those for passwords.

mod book;
mod passwords;
mod record;
mod refusal;
mod table;

pub(crate) use book::Book;
pub use passwords::PasswordRefusal;
pub(crate) use passwords::Passwords;
pub use refusal::PolicyRefusal;
pub(crate) use table::Policies;
