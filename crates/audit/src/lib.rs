//! Audit devices: what is recorded of a request, with secrets hashed, and where it is written.
//!
//! A [`Record`] holds secrets [`Veiled`]; only a [`Device`] lifts the veil, and shows the HMAC of what is below it. Each
//! device has a salt, options and a thread of its own, so that none can change or delay another.

mod device;
mod error;
mod file;
#[doc(hidden)]
pub mod fuzzing;
mod options;
mod output;
mod place;
mod record;
mod redact;
mod salt;
mod sink;
mod socket;
mod syslog;
mod veil;
mod veiled;

pub use device::{Device, NotWritten, Surroundings, write_to_one};
pub use error::Refusal;
pub use options::{Options, SortOfDevice};
pub use record::{
    Auth, Mount, PluginNews, Policy, PolicyResults, Record, Request, Response, Secret, WrapInfo,
};
pub use salt::Salt;
pub use veiled::{Veiled, VeiledJson};
