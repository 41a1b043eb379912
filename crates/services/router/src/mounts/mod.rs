//! The mount table: what is mounted where, how it is stored, changed, started and removed.

mod core_mount;
mod defaults;
mod disable;
mod enable;
mod inspect;
mod launch;
mod load;
mod mount;
mod record;
mod refusal;
mod reload;
mod remount;
mod table;
mod tune;
mod wake;

pub(crate) use core_mount::CoreMount;
pub(crate) use defaults::first_writes;
pub(crate) use enable::Wish;
pub(crate) use launch::Launch;
pub(crate) use mount::{Mount, SYSTEM};
pub use refusal::Refusal;
pub(crate) use remount::Move;
pub(crate) use table::{Mounts, Snapshot};
pub(crate) use tune::Tuning;
