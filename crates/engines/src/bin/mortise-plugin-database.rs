//! The database engine as a program of its own, one process for all mounts, with the database plugins that are compiled
//! into it.

use std::{process::ExitCode, sync::Arc};

use engines::{database::Compiled, postgresql};
use tenon::database::DatabaseFactory;

fn main() -> ExitCode {
    let postgresql: Arc<dyn DatabaseFactory> = Arc::new(postgresql::create);
    tenon::serve_multiplexed(Compiled::these([("postgresql-database-plugin", postgresql)]))
}
