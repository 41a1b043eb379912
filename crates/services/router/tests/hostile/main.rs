//! Clients, plugins and stored bytes that mean no good.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../common/mod.rs"]
mod common;

mod damage;
mod grants;
mod sentences;
mod strangers;
mod words;
