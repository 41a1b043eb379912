//! The program itself: development mode, wrong configurations, signals.

use std::fs;
use std::path::Path;
use std::process::Output;

use rustix::process::Signal;
use serde_json::json;
use tempfile::TempDir;
use testkit::{Server, go_plugin, mortise};

/// Runs a server with this configuration, which it has to refuse.
fn refused(folder: &Path, config: &str) -> String {
    let file = folder.join("server.hcl");
    fs::write(&file, config).unwrap();
    let Output { status, stdout, stderr } =
        mortise().arg("server").arg(format!("-config={}", file.display())).output().unwrap();
    let said = String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
    assert_eq!(status.code(), Some(1), "{config}:\n{said}");
    said
}

#[test]
fn a_wrong_value_names_its_file_its_line_and_what_is_allowed() {
    let folder = TempDir::new().unwrap();
    let cases = [
        ("storage \"inmem\" {}\n\nlog_level = \"loud\"\n", ["server.hcl", "3", "debug"]),
        ("storage \"inmem\" {}\ndisable_mlock = \"perhaps\"\n", ["server.hcl", "2", "true"]),
        ("storage \"tape\" {}\n", ["server.hcl", "1", "sqlite"]),
        ("storage \"inmem\" {\n", ["server.hcl", "", ""]),
        (
            "storage \"inmem\" {}\nlistener \"tcp\" {\n  address = \"nowhere\"\n}\n",
            ["server.hcl", "3", "address"],
        ),
    ];
    for (config, words) in cases {
        let said = refused(folder.path(), config);
        words.iter().for_each(|word| assert!(said.contains(word), "{word:?} for {config:?} in {said}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn development_mode_is_ready_at_once() {
    let server = Server::dev().await;
    let api = server.api();
    assert_eq!(api.token(), "root");
    assert_eq!(api.get("sys/seal-status").await.ok()["sealed"], json!(false));
    let mounts = api.get("sys/mounts").await.data();
    assert_eq!(mounts["secret/"]["options"]["version"], json!("2"), "{mounts}");
    assert_eq!(api.put_secret("secret", "a", json!({"v": "1"})).await, 1);
    for said in ["Root Token: root", "Unseal Key: ", server.anonymous().address()] {
        assert!(server.log().contains(said), "{said} in\n{}", server.log());
    }
    server.mount("my-kv", &go_plugin("kv")).await;
    api.post("my-kv/a", json!({"v": "1"})).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_reloads_and_an_interrupt_ends_with_success() {
    let mut server = Server::start().await;
    server.process().signal(Signal::HUP);
    server.api().enable_kv("kv", 1).await;
    assert!(server.process().is_alive());
    assert!(server.interrupt().await.success(), "{}", server.log());
}

#[test]
fn the_program_tells_its_version_and_its_commands() {
    for argument in ["version", "-version", "--version"] {
        let told = mortise().arg(argument).output().unwrap();
        let text = String::from_utf8_lossy(&told.stdout).to_lowercase();
        assert!(told.status.success() && text.starts_with("mortise "), "{told:?}");
    }
    let help = mortise().arg("-help").output().unwrap();
    let text = String::from_utf8_lossy(&help.stdout).into_owned();
    for command in ["server", "catalog", "launcher", "router", "gateway", "dev-certs"] {
        assert!(text.contains(command), "{command} in\n{text}");
    }
}
