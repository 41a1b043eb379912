//! What plugins announce, and who wants to hear of it.

mod filter;
mod words;

pub use filter::{Facts, Filter, InvalidFilter};
