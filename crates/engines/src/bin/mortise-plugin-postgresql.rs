//! The database plugin for PostgreSQL as a program of its own, one process for all connections.

use std::process::ExitCode;

fn main() -> ExitCode {
    tenon::serve_database(engines::postgresql::create, engines::postgresql::VERSION)
}
