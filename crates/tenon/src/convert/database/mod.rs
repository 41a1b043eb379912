//! What database plugins are asked, between the SDK's types and those of the wire.

mod settings;
mod user;

pub use settings::{settings_of, to_struct};
