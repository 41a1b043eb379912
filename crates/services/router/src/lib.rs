//! Who may ask, where it goes, what follows: tokens, mount table, pipeline.
//!
//! A [`Router`] is the service; [`Clients`] are the services below it. What a request means is one function, in
//! `handle`; what every request gets alike are the layers around it, in `service`.

mod answer;
mod ask;
mod asked;
mod audit;
mod clients;
mod config;
mod core;
mod cubbyhole;
mod endpoint;
mod error;
mod fields;
#[doc(hidden)]
pub mod fuzzing;
mod gate;
mod handle;
mod identity;
mod in_flight;
mod lease;
mod lockout;
mod loggers;
mod meters;
mod mounts;
mod namespaces;
mod own;
mod plugin;
mod plugins;
mod policies;
mod quotas;
mod random;
mod reach;
mod reloads;
mod rotation;
mod route;
mod service;
mod settings;
mod store;
mod sys;
mod token;
mod turns;
mod wrapping;

pub use self::audit::AuditRefusal;
pub use ::audit::Surroundings;
pub use clients::Clients;
pub use config::Config;
pub use cubbyhole::CubbyholeRefusal;
pub use error::Error;
pub use fields::InvalidField;
pub use identity::IdentityRefusal;
pub use lease::LeaseRefusal;
pub use loggers::{Loggers, UnknownLevel};
pub use meters::Meters;
pub use mounts::Refusal;
pub use namespaces::NamespaceRefusal;
pub use policies::{PasswordRefusal, PolicyRefusal};
pub use quotas::QuotaRefusal;
pub use service::Router;
pub use sys::{RawRefusal, ToolRefusal, Unfit};
pub use token::Refused;
pub use wrapping::WrappingRefusal;
