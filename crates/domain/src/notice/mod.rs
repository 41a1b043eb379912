//! What plugins announce, and who wants to hear of it.

mod filter;
mod glob;
mod words;

pub use filter::{Facts, Filter, InvalidFilter};
pub use glob::glob;
