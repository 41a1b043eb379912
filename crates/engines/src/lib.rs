//! The built-in plugins, written with tenon, each also a program of its own.

mod builtins;
pub mod kv;

pub use builtins::builtins;
