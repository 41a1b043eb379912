//! Where things are.

use std::env;
use std::path::{Path, PathBuf};

/// The top folder of this repository.
pub fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The server's program: `MORTISE_TEST_PROGRAM`, or the one that was built beside the running test.
pub(crate) fn program() -> PathBuf {
    let program = env::var_os("MORTISE_TEST_PROGRAM").map_or_else(|| built("mortise"), PathBuf::from);
    assert!(program.is_file(), "{} is missing: cargo build -p mortise", program.display());
    program
}

/// A program of this workspace. It is beside the running program; tests run from a folder below, `deps`.
pub(crate) fn built(program: &str) -> PathBuf {
    let running = env::current_exe().expect("the running program has a path");
    let folder = running.parent().expect("the running program is in a folder");
    let folder = if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder };
    folder.join(program)
}
