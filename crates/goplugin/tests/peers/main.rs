//! Both ends against each other, and each against Go's.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod go_host;
mod go_plugin;
mod greeter;
mod pair;
mod process;
mod services;
