//! The userpass auth method as a program of its own, one process for all mounts.

use std::process::ExitCode;

fn main() -> ExitCode {
    tenon::serve_multiplexed(engines::userpass::create)
}
