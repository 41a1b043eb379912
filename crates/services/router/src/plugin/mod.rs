//! One request to a plugin: what it is told, and what its answer means.

mod failure;
mod headers;
mod inspect;
mod issued;
mod questions;
mod reply;
mod request;
mod send;
mod visit;

pub(crate) use inspect::Data;
pub(crate) use issued::ask_issuer;
pub(crate) use questions::answer_in_background;
pub(crate) use send::{look_ahead, send};
pub(crate) use visit::{Visit, answer};
