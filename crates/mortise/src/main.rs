//! The one binary: server, single services, command line; the composition root.

mod banner;
mod certs;
mod cli;
mod declared;
mod dev;
mod edge;
mod health;
mod loggers;
mod meters;
mod migrate;
mod neighbours;
mod parts;
mod reference;
mod renewed;
mod server;
mod service;
mod shown;
mod start;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
