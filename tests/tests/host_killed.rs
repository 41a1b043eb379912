//! No plugin survives its host.

use std::time::{Duration, Instant};

use testkit::{Registration, Server, go_plugin};

async fn server_with_plugins() -> Server {
    let server = Server::start().await;
    server.mount("my-kv", &go_plugin("kv")).await;
    server.mount("transit", &go_plugin("transit")).await;
    let single = Registration { args: &["single"], ..Registration::default() };
    server.register_as("single", &go_plugin("fixture"), single).await;
    server.enable("first", "single").await;
    server.enable("second", "single").await;
    assert_eq!(server.plugins().len(), 4, "one for each plugin, and for each mount of what does not share");
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn l12_killing_the_host_leaves_no_plugin_one_second_later() {
    let mut server = server_with_plugins().await;
    let plugins = server.plugins();
    server.kill9().await;

    tokio::time::sleep(Duration::from_secs(1)).await;
    plugins.iter().for_each(|plugin| assert!(!plugin.is_alive(), "{plugin:?} is left"));
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_the_host_stops_its_plugins_and_exits_with_success() {
    let mut server = server_with_plugins().await;
    let plugins = server.plugins();
    let asked = Instant::now();
    let status = server.stop().await;
    assert!(status.success(), "{status}\n{}", server.log());
    assert!(asked.elapsed() < Duration::from_secs(10), "it took {:?}", asked.elapsed());
    plugins.iter().for_each(|plugin| assert!(!plugin.is_alive(), "{plugin:?} is left"));
    assert_eq!(server.temporary_files(), [""; 0].map(std::path::PathBuf::from));
}

#[tokio::test(flavor = "multi_thread")]
async fn sealing_stops_the_plugins_and_unsealing_starts_none() {
    let server = server_with_plugins().await;
    server.api().put("sys/seal", serde_json::json!({})).await.ok();
    testkit::eventually(Duration::from_secs(10), "the plugins are gone", async || {
        server.plugins().is_empty()
    })
    .await;
    server.unseal().await;
    assert_eq!(server.plugins(), [], "they start when they are needed");
    server.api().get("first/pid").await.ok();
    assert_eq!(server.plugins().len(), 1);
}
