//! One request to a plugin: what it is told, and what its answer means.

mod failure;
mod headers;
mod inspect;
mod issued;
mod reply;
mod request;
mod send;

pub(crate) use inspect::Data;
pub(crate) use issued::ask_issuer;
pub(crate) use reply::{Context, respond};
pub(crate) use request::Incoming;
pub(crate) use send::{look_ahead, send};
