//! go-plugin's handshake, mutual TLS, broker and stdio, both ends of it.
//!
//! [`host`] is the end that runs plugins: it is given a child's stdout and makes a [`host::Connection`] of it.
//! [`plugin`] is the other end: a program whose `main` calls [`plugin::run`]. Neither spawns a process.

mod channel;
mod cookie;
mod counted;
mod excerpt;
mod handshake;
pub mod hclog;
pub mod host;
mod identity;
pub mod log;
mod names;
pub mod plugin;
mod security;
mod server;
mod services;
mod socket;
mod tls;

pub use channel::{Channel, Lost};
pub use cookie::Cookie;
pub use excerpt::Excerpt;
pub use handshake::{Handshake, HandshakeError};
pub use identity::{Identity, IdentityError, SharedIdentity};
pub use security::Security;
pub use services::{Answering, Services};
