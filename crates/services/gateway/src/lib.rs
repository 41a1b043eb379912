//! Vault's HTTP API; the only crate that knows a status code.
//!
//! HTTP only: parse, limit, hand over, render. Stateless: any gateway, any request.

mod answer;
mod api;
mod body;
mod clients;
mod config;
mod connection;
mod cors;
mod envelope;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod headers;
mod health;
mod json;
mod listener;
mod log;
mod meters;
mod parameters;
mod path;
mod patience;
mod refusal;
mod request;
mod serve;
mod session;
mod slots;
mod socket;
mod status;
mod tls;
mod verb;

pub use clients::Clients;
pub use config::Config;
pub use error::Error;
pub use json::Limits as JsonLimits;
pub use listener::Listener;
pub use serve::Gateway;
pub use slots::Slots;
pub use tls::{InvalidTlsVersion, Reload, TlsFiles, TlsVersion};
