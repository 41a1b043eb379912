//! The life of a plugin's process, as a value: what state it is in, and which one follows.

mod life;
mod pauses;
mod reason;
#[cfg(test)]
mod tests;

pub use life::{Life, Moment, News};
pub use pauses::Pauses;
pub use reason::Reason;
