//! The listener speaks TLS, and takes a new certificate without a pause.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;
use testkit::{Options, Server, eventually, go_plugin};

#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_takes_the_new_certificate_and_drops_nothing() {
    let mut server = Server::start_with(Options { tls: true, ..Options::default() }).await;
    server.mount("my-kv", &go_plugin("kv")).await;
    let before = server.api();
    before.post("my-kv/a", json!({"v": "1"})).await.ok();

    server.renew_certificate();
    // Believes the new certificate only.
    let after = server.api();
    server.gateway().signal(Signal::HUP);
    eventually(Duration::from_secs(5), "the new certificate is presented", async || {
        after.try_send("GET", "my-kv/a", None).await.is_ok_and(|answer| answer.is_ok())
    })
    .await;
    assert_eq!(before.get("my-kv/a").await.data(), json!({"v": "1"}), "the old connection goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_is_not_answered_with_secrets() {
    let server = Server::start_with(Options { tls: true, ..Options::default() }).await;
    let plain = server.anonymous().address().replace("https://", "http://");
    let request = server.anonymous().http().get(format!("{plain}/v1/sys/health")).build().unwrap();
    let answer = server.anonymous().execute(request).await;
    assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status == 400));
}
