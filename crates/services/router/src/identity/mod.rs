//! Identity: who the holders of tokens are, and what follows from that for each of their requests.

mod load;
mod login;
mod record;
mod refusal;
mod standing;
mod store;

pub(crate) use login::Shown;
pub use refusal::IdentityRefusal;
pub(crate) use standing::Standing;
pub(crate) use store::Identity;
