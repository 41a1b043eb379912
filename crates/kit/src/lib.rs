//! How every service begins and ends: configuration, logs, metrics, traces, TLS, shutdown.

pub mod config;
pub mod health;
pub mod logs;
pub mod metrics;
pub mod process;
mod service;
pub mod shutdown;
pub mod tls;
pub mod traces;
pub mod variable;

pub use service::Service;
