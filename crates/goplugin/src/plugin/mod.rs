//! The end that is a plugin.
//!
//! ```no_run
//! # use goplugin::{Cookie, plugin};
//! # use tonic::service::Routes;
//! fn main() -> std::process::ExitCode {
//!     plugin::run(plugin::Config {
//!         cookie: Cookie::BACKEND,
//!         versions: &[5],
//!         routes: |_session| Routes::default(), // the application's services
//!     })
//! }
//! ```

mod broker;
mod environment;
mod pending;
mod serve;
mod services;
mod stop;

pub use broker::{Broker, DialError};
pub use environment::Environment;
pub use serve::{Config, ServeError, Session, run, serve};
