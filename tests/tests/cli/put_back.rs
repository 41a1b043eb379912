//! What becomes of the mounts of a plugin when its next program turns out not to do.

use serde_json::{Value, json};
use testkit::{Options, Plugin, Server, go_plugin};

use super::{Shell, shell::Said};

/// A server with two mounts of the fixture, each with a process of its own, and somebody who asks it.
async fn served() -> (Server, Shell, Plugin) {
    let extra = "plugin_upload = true".to_owned();
    let server = Server::start_with(Options { extra, ..Options::default() }).await;
    let (shell, plugin) = (Shell::of(&server.api()), go_plugin("fixture"));
    shell.run(&format!("plugin apply -name=fix -args=single {}", plugin.path.display())).ok();
    for path in ["a", "b"] {
        shell.run(&format!("secrets enable -path={path} fix")).ok();
        shell.run(&format!("write {path}/store/k value={path}")).ok();
    }
    (server, shell, plugin)
}

/// It is asked for its type, and for its version.
const STARTS_TO_REGISTER: usize = 2;

/// Applies a program that serves as many mounts, and then ends whenever it is started.
fn apply_for(shell: &Shell, plugin: &Plugin, mounts: usize) -> Said {
    let (count, starts) = (shell.path(&format!("starts-for-{mounts}")), STARTS_TO_REGISTER + mounts);
    let words = format!(
        "plugin apply -name=fix -args=few -args={} -args={starts} {}",
        count.display(),
        plugin.path.display()
    );
    shell.run(&words)
}

fn versions(shell: &Shell) -> Value {
    let told = shell.run("secrets list -format=json").json();
    let of = |path: &str| {
        let mount = &told[path];
        json!([mount["plugin_version"], mount["running_plugin_version"], mount["running_sha256"]])
    };
    json!([of("a/"), of("b/")])
}

fn registered(shell: &Shell) -> usize {
    shell.run("plugin list -detailed -format=json secret").ok().matches("\"fix\"").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_candidate_that_fails_at_a_mount_gives_all_of_them_back() {
    let (_server, shell, plugin) = served().await;
    let before = versions(&shell);
    for mounts in [0, 1] {
        let said = apply_for(&shell, &plugin, mounts).fails(2);
        assert_eq!(said.matches("cannot reload plugin on").count(), 2 - mounts, "{said}");
        assert!(said.contains("The mounts run again what they ran before."), "{said}");
        assert!(said.contains("served"), "it tells why: {said}");
        assert_eq!((versions(&shell), registered(&shell)), (before.clone(), 1));
        for path in ["a", "b"] {
            assert_eq!(shell.run(&format!("read -field=value {path}/store/k")).ok(), path);
        }
    }
    // The same program, when it serves both.
    apply_for(&shell, &plugin, 9).tells(&["mounts", "[a/ b/]", "outcome", "applied"]);
    assert_eq!(registered(&shell), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_is_put_back_like_the_mounts_that_it_binds() {
    let (_server, shell, plugin) = served().await;
    shell.run("plugin pin secret fix v0.0.1").ok();
    let before = versions(&shell);
    let said = apply_for(&shell, &plugin, 1).fails(2);
    assert!(said.contains("The mounts run again what they ran before."), "{said}");
    assert_eq!((versions(&shell), registered(&shell)), (before, 1));
    assert_eq!(shell.run("plugin pin -format=json secret fix").json()["version"], json!("v0.0.1"));
}
