//! `cubbyhole/`: what every token keeps for itself, and nobody else ever sees. It goes with the token.

mod endpoints;
mod refusal;
mod shelf;

pub(crate) use endpoints::{ENDPOINTS, known};
pub use refusal::CubbyholeRefusal;
pub(crate) use shelf::{Shelf, placed};
