//! Mutual TLS between services: every peer shows a certificate of ours with its service's name in it.

mod accept;
mod allow;
mod connect;
mod files;
mod peer;
mod request;
mod serve;
#[cfg(test)]
mod tests;
mod throwaway;

pub use connect::channel;
pub use files::{Certificates, Error};
pub use serve::serve;
pub use throwaway::{Error as MakeError, throwaway};
