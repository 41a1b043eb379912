//! User lockout: who guesses is not asked any more. Logins are counted by mount and name; in memory, and bounded, for
//! everybody can send any name. Who is locked out is stored, so that a restart frees nobody.

mod attempt;
mod endpoints;
mod settings;
mod table;

pub(crate) use attempt::begin;
pub(crate) use endpoints::ENDPOINTS;
pub(crate) use settings::LockoutTuning;
pub(crate) use table::Lockouts;
