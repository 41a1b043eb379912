//! Go's host and our plugin.

use std::process::Command;

use crate::process::{files, go_program, greeter};

#[test]
fn a_go_host_starts_greets_calls_and_ends_our_plugin() {
    let directory = tempfile::tempdir().unwrap();
    let run =
        Command::new(go_program("host")).arg(greeter()).env("TMPDIR", directory.path()).output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{stdout}{stderr}");
    let said: Vec<&str> = stdout.lines().collect();
    assert_eq!(said, ["version 5", "ping", "setup", "long error 100000", "exited true"]);
    // The plugin's log reached the host with its level and fields.
    assert!(stderr.contains("[WARN]") && stderr.contains("as you wish"), "{stderr}");
    assert!(files(directory.path()).is_empty());
}
