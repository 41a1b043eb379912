//! Real servers, real plugins, and waiting: what the stories in `tests/` are told with.
//!
//! A test has no use for half an answer, so everything here panics, with the reason, when it cannot do its part.

mod answer;
mod apart;
mod api;
mod artifacts;
mod config;
mod daemon;
mod databases;
mod docker;
mod kv;
mod ldap;
mod lifecycle;
mod look;
mod one;
mod operator;
mod paths;
mod plugins;
mod ports;
pub mod process;
mod registry;
mod running;
mod server;
mod tls;
mod wait;

pub use answer::Answer;
pub use api::Api;
pub use artifacts::{Plugin, bad_plugin, c_program, go_plugin, own_plugin, python};
pub use config::{Form, Options};
pub use databases::{PostgreSql, Redis};
pub use docker::{Engine, Stack, alone};
pub use ldap::Ldap;
pub use lifecycle::Transition;
pub use look::files_below;
pub use operator::Keys;
pub use paths::repository;
pub use plugins::Registration;
pub use ports::free as free_port;
pub use registry::{Image, Registry, layer};
pub use running::mortise;
pub use server::Server;
pub use wait::{eventually, soak};
