//! Unmodified Go engines, checked with other people's programs: openssl and ssh-keygen.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{Registration, Server, go_plugin};

/// A server with the Go engine `name` at the path of that name.
async fn server_with(name: &str) -> Server {
    let server = Server::start().await;
    server.mount(name, &go_plugin(name)).await;
    server
}

fn text<'a>(data: &'a Value, key: &str) -> &'a str {
    data[key].as_str().unwrap_or_else(|| panic!("no {key} in {data}"))
}

fn run(program: &str, folder: &Path, arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } =
        Command::new(program).current_dir(folder).args(arguments).output().unwrap();
    assert!(status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn transit_encrypts_rotates_and_decrypts() {
    let server = server_with("transit").await;
    let api = server.api();
    api.post("transit/keys/k", json!({})).await.ok();
    let plaintext = "bW9ydGlzZQ==";
    let old = api.post("transit/encrypt/k", json!({"plaintext": plaintext})).await.data();
    assert!(text(&old, "ciphertext").starts_with("vault:v1:"), "{old}");

    api.post("transit/keys/k/rotate", json!({})).await.ok();
    let new = api.post("transit/encrypt/k", json!({"plaintext": plaintext})).await.data();
    assert!(text(&new, "ciphertext").starts_with("vault:v2:"), "{new}");
    for ciphertext in [&old["ciphertext"], &new["ciphertext"]] {
        let opened = api.post("transit/decrypt/k", json!({"ciphertext": ciphertext})).await.data();
        assert_eq!(text(&opened, "plaintext"), plaintext);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pki_issues_a_certificate_that_openssl_verifies() {
    let server = server_with("pki").await;
    let api = server.api();
    let root = json!({"common_name": "Mortise Test Root", "ttl": "24h"});
    let root = api.post("pki/root/generate/internal", root).await.data();
    let role = json!({"allowed_domains": ["example.test"], "allow_subdomains": true, "max_ttl": "12h"});
    api.post("pki/roles/web", role).await.ok();
    let wanted = json!({"common_name": "www.example.test", "ttl": "1h"});
    let issued = api.post("pki/issue/web", wanted).await.data();

    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("ca.pem"), text(&root, "certificate")).unwrap();
    fs::write(folder.path().join("leaf.pem"), text(&issued, "certificate")).unwrap();
    let verify = ["verify", "-CAfile", "ca.pem", "-verify_hostname", "www.example.test", "leaf.pem"];
    assert_eq!(run("openssl", folder.path(), &verify), "leaf.pem: OK\n");

    let foreign = json!({"common_name": "www.example.org"});
    let refusal = api.post("pki/issue/web", foreign).await.refused(400);
    assert!(refusal.contains("www.example.org"), "{refusal}");
}

#[tokio::test(flavor = "multi_thread")]
async fn totp_accepts_the_code_that_it_made_and_no_other() {
    let server = server_with("totp").await;
    let api = server.api();
    let key = json!({"generate": true, "issuer": "Mortise", "account_name": "me@example.test"});
    api.post("totp/keys/me", key).await.ok();
    let code = api.get("totp/code/me").await.data()["code"].take();
    let valid =
        async |code: Value| api.post("totp/code/me", json!({"code": code})).await.data()["valid"].take();

    let wrong = if code == "000000" { "000001" } else { "000000" };
    assert_eq!(valid(json!(wrong)).await, json!(false));
    assert_eq!(valid(code).await, json!(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn ssh_signs_a_key_that_ssh_keygen_reads() {
    let server = server_with("ssh").await;
    let api = server.api();
    api.post("ssh/config/ca", json!({"generate_signing_key": true})).await.ok();
    let role = json!({
        "key_type": "ca",
        "allow_user_certificates": true,
        "allowed_users": "*",
        "default_user": "deploy",
        "default_extensions": {"permit-pty": ""},
        "ttl": "30m",
    });
    api.post("ssh/roles/deploy", role).await.ok();

    let folder = TempDir::new().unwrap();
    run("ssh-keygen", folder.path(), &["-q", "-t", "ed25519", "-N", "", "-f", "key"]);
    let public_key = fs::read_to_string(folder.path().join("key.pub")).unwrap();
    let signed = json!({"public_key": public_key, "valid_principals": "deploy"});
    let signed = api.post("ssh/sign/deploy", signed).await.data();

    fs::write(folder.path().join("key-cert.pub"), text(&signed, "signed_key")).unwrap();
    let shown = run("ssh-keygen", folder.path(), &["-L", "-f", "key-cert.pub"]);
    for expected in ["user certificate", "deploy", "permit-pty"] {
        assert!(shown.contains(expected), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn auth_plugins_are_enabled_and_configured() {
    let server = Server::start().await;
    let api = server.api();
    for name in ["userpass", "jwt"] {
        let auth = Registration { kind: "auth", ..Registration::default() };
        server.register_as(name, &go_plugin(name), auth).await;
        api.post(&format!("sys/auth/{name}"), json!({"type": name})).await.ok();
    }
    api.post("auth/userpass/users/ann", json!({"password": "correct horse"})).await.ok();
    assert_eq!(api.list("auth/userpass/users").await.data()["keys"], json!(["ann"]));
    let user = api.get("auth/userpass/users/ann").await.data();
    assert!(!user.to_string().contains("correct horse"), "{user}");

    api.post("auth/jwt/config", json!({"jwt_supported_algs": ["ES256"], "oidc_discovery_url": ""})).await;
    let wrong = api.post("auth/jwt/login", json!({"role": "none", "jwt": "x.y.z"})).await;
    assert!((400..500).contains(&wrong.status), "{wrong}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_engines_live_side_by_side_in_a_process_each() {
    let server = Server::start().await;
    for name in ["transit", "pki", "totp", "ssh"] {
        server.mount(name, &go_plugin(name)).await;
    }
    assert_eq!(server.plugins().len(), 4);
    for name in ["transit", "pki", "totp", "ssh"] {
        server.disable(name).await;
    }
    assert_eq!(server.plugins(), []);
}
