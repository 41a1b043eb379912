//! hvac, unmodified, sets up a server from nothing and finds its data again after a restart.

use std::process::Command;

use testkit::{Options, Server, go_plugin, python, repository};

/// Runs one part of the story, and returns what it printed.
fn tell(server: &Server, part: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(python());
    command.arg(repository().join("tests/clients/hvac_story.py"));
    let told = command.args([server.anonymous().address(), part]).args(arguments).output().unwrap();
    assert!(told.status.success(), "hvac, {part}:\n{}", String::from_utf8_lossy(&told.stderr));
    String::from_utf8(told.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn hvac_uses_the_go_plugin_from_init_to_a_restart() {
    let mut server = Server::fresh(Options::default()).await;
    let kv = go_plugin("kv");
    server.install(&kv);

    let keys = tell(&server, "begin", &[kv.command(), &kv.sha256]);
    server.only_plugin();

    assert!(server.stop().await.success());
    server.start_again_sealed().await;
    tell(&server, "resume", &[&keys]);
    assert_eq!(server.plugins(), [], "both mounts are gone, so is their process");
}
