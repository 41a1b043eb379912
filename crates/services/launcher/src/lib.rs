//! Turns a catalog entry into a running plugin and keeps it running.
//!
//! [`Launcher`] serves the launcher's contract. A [mount] is set up lazily, served by a [built-in engine](builtin) or
//! by an [external plugin](external) in a [process] that one [task](supervisor) owns.

mod artifacts;
mod builtin;
mod callbacks;
mod calls;
mod child;
mod chronicle;
mod codec;
mod config;
mod databases;
mod diagnosis;
mod entry;
mod environment;
mod error;
mod external;
mod greeting;
mod host;
mod housekeeping;
mod image;
mod in_flight;
mod instance;
mod journal;
mod kernel;
mod line;
mod listing;
mod logs;
mod masks;
mod members;
mod meters;
mod mount;
mod mounts;
mod notices;
mod offspring;
mod own_storage;
mod people;
mod probe;
mod process;
mod processes;
mod questions;
mod ring;
mod runtime_dir;
mod sandbox;
mod service;
mod spawn;
mod starts;
mod stderr;
mod supervised;
mod supervisor;
mod system;

pub use artifacts::CacheConfig;
pub use config::{Config, never_shared};
pub use domain::{Pauses, Reason};
pub use error::{Error, Result};
pub use host::Catalog;
pub use meters::Meters;
pub use sandbox::{Cgroups, Offers};
pub use service::Launcher;
