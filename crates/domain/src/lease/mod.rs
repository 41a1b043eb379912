//! Leases: how long they last, and which of them is due.

mod lane;
mod queue;
mod term;

pub use queue::{Due, LeaseQueue, Places};
pub use term::{Capped, LeaseLimits, LeaseTerm, LeaseWish, PastMaxTtl};

#[cfg(test)]
mod tests;
