//! What an unmodified plugin asks of its host that only the host can do.

use serde_json::json;
use testkit::{Server, go_plugin};

const POLICY: &str = r#"
length = 12
rule "charset" { charset = "abc" min-chars = 3 }
rule "charset" { charset = "0123456789" min-chars = 3 }
"#;

async fn server_with_fixture() -> Server {
    let server = Server::start().await;
    server.mount("fixture", &go_plugin("fixture")).await;
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_gets_passwords_by_a_policy_of_its_host() {
    let server = server_with_fixture().await;
    let api = server.api();
    let refused = api.get("fixture/password?policy=strong").await;
    assert_eq!(refused.status, 400, "{refused}");
    assert!(refused.to_string().contains("failed to generate password"), "{refused}");
    api.post("sys/policies/password/strong", json!({ "policy": POLICY })).await.ok();
    let password = api.get("fixture/password?policy=strong").await.data()["password"].clone();
    let password = password.as_str().unwrap();
    assert_eq!(password.len(), 12);
    assert!(password.chars().all(|each| "abc0123456789".contains(each)), "{password}");
    assert!(password.chars().filter(char::is_ascii_digit).count() >= 3, "{password}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_plugin_has_wrapped_is_taken_out_once() {
    let server = server_with_fixture().await;
    let api = server.api();
    let wrapped = api.get("fixture/wrapped?secret=owl").await.data();
    assert_eq!((&wrapped["ttl"], &wrapped["creation_path"]), (&json!(300), &json!("sys/wrapping/wrap")));
    assert!(wrapped["age"].as_f64().unwrap() < 300.0, "{wrapped}");
    assert!(wrapped["accessor"].as_str().is_some_and(|accessor| !accessor.is_empty()), "{wrapped}");
    let body = json!({ "token": wrapped["token"] });
    let taken = api.post("sys/wrapping/unwrap", body.clone()).await;
    assert_eq!(taken.data(), json!({ "secret": "owl" }));
    assert_eq!(api.post("sys/wrapping/unwrap", body).await.status, 400);
}
