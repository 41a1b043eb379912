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

/// A program of this workspace. Tests run from `target/PROFILE/deps`, programs are one level up.
pub(crate) fn built(program: &str) -> PathBuf {
    let test = env::current_exe().expect("the running test has a path");
    let deps = test.parent().expect("the running test is in a folder");
    deps.parent().expect("that folder is in another one").join(program)
}
