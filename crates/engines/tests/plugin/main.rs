//! The kv engine as a program of its own, over the real protocol: handshake, mutual TLS, broker and all.

#![allow(clippy::unwrap_used, reason = "a test ends with the first thing that goes wrong")]

mod host;

use std::sync::Arc;

use serde_json::{Value, json};
use storage::InMemory;
use wire::{
    logical::{self, plugin_version_client::PluginVersionClient},
    multiplexing::{MultiplexingSupportRequest, plugin_multiplexing_client::PluginMultiplexingClient},
    pb,
};

use self::host::{Mount, Plugin};

const V1: &[(&str, &str)] = &[("version", "1"), ("plugin_name", "kv")];
const V2: &[(&str, &str)] = &[("version", "2"), ("plugin_name", "kv")];

async fn mounted(plugin: &Plugin, id: &'static str, config: &[(&str, &str)]) -> Mount {
    let mount = plugin.mount(id, config, Some(Arc::new(InMemory::new()))).await;
    assert_eq!(mount.initialize().await.err, None);
    mount
}

async fn data(mount: &Mount, operation: &str, path: &str, body: impl Into<bytes::Bytes>) -> Value {
    let reply = mount.ask(operation, path, body).await.unwrap();
    assert_eq!(reply.err, None);
    serde_json::from_slice(&reply.response.unwrap().data).unwrap()
}

#[tokio::test]
async fn two_mounts_live_in_one_process() {
    let plugin = Plugin::start(&[]).await;
    let mut support = PluginMultiplexingClient::new(plugin.channel.clone());
    let support = support.multiplexing_support(MultiplexingSupportRequest {}).await.unwrap();
    assert!(support.into_inner().supported);
    let (v1, v2) = (mounted(&plugin, "one", V1).await, mounted(&plugin, "two", V2).await);
    assert_eq!(v1.ask("create", "a", r#"{"x":1.50}"#).await.unwrap(), pb::HandleRequestReply::default());
    assert_eq!(data(&v2, "create", "data/a", r#"{"data":{"x":2}}"#).await["version"], 1);
    assert_eq!(data(&v1, "read", "a", "{}").await.to_string(), r#"{"x":1.50}"#);
    assert_eq!(data(&v2, "read", "data/a", "null").await["data"], json!({"x": 2}));
    assert_eq!(data(&v2, "list", "metadata/", "null").await, json!({"keys": ["a"]}));
    assert!(plugin.end().await);
}

#[tokio::test]
async fn large_secrets_pass() {
    let plugin = Plugin::start(&[]).await;
    let v2 = mounted(&plugin, "one", V2).await;
    let large = json!({"data": {"v": "x".repeat(5 << 20)}}).to_string();
    assert_eq!(data(&v2, "create", "data/a", large).await["version"], 1);
    assert_eq!(data(&v2, "read", "data/a", "{}").await["data"]["v"].as_str().unwrap().len(), 5 << 20);
}

#[tokio::test]
async fn refusals_reach_the_host_with_kind_and_sentence() {
    let plugin = Plugin::start(&[]).await;
    let v2 = mounted(&plugin, "one", V2).await;
    let reply = v2.ask("create", "data/a", r#"{"data":{},"options":{"cas":7}}"#).await.unwrap();
    assert_eq!(reply.err.unwrap().err_type, 7);
    let error: Value = serde_json::from_slice(&reply.response.unwrap().data).unwrap();
    assert_eq!(error["error"], "check-and-set parameter did not match the current version");
    for (operation, path) in [("resolve-role", "login"), ("alias-lookahead", "login"), ("rotate", "a")] {
        let reply = v2.ask(operation, path, "{}").await.unwrap();
        assert_eq!(reply.err.unwrap().err_type, 5, "{operation}");
    }
    let no_request = v2.call(pb::HandleRequestArgs::default());
    assert_eq!(
        v2.client.clone().handle_request(no_request).await.unwrap_err().code(),
        tonic::Code::InvalidArgument
    );
}

#[tokio::test]
async fn existence_type_and_paths_are_answered() {
    let plugin = Plugin::start(&[]).await;
    let v2 = mounted(&plugin, "one", V2).await;
    let request = pb::Request {
        operation: "create".to_owned(),
        path: "data/a".to_owned(),
        data: "{}".into(),
        ..pb::Request::default()
    };
    let check = pb::HandleExistenceCheckArgs { storage_id: 0, request: Some(request.into()) };
    let reply = v2.client.clone().handle_existence_check(v2.call(check)).await.unwrap().into_inner();
    assert_eq!((reply.check_found, reply.exists, reply.err), (true, false, None));
    let kind = v2.client.clone().r#type(v2.call(pb::Empty {})).await.unwrap();
    assert_eq!(kind.into_inner().r#type, 1);
    let paths = v2.client.clone().special_paths(v2.call(pb::Empty {})).await.unwrap();
    assert_eq!(paths.into_inner().paths, Some(pb::Paths::default()));
}

#[tokio::test]
async fn registration_learns_the_version_without_storage_or_settings() {
    let plugin = Plugin::start(&[]).await;
    let probed = plugin.mount("probe", &[], None).await;
    let mut versions = PluginVersionClient::new(plugin.channel.clone());
    let version = versions.version(probed.call(logical::Empty {})).await.unwrap().into_inner();
    assert_eq!(version.plugin_version, concat!("v", env!("CARGO_PKG_VERSION")));
    assert!(versions.version(logical::Empty {}).await.is_ok());
}

#[tokio::test]
async fn a_mount_ends_once_and_may_be_told_so_twice() {
    let plugin = Plugin::start(&[]).await;
    let (one, two) = (mounted(&plugin, "one", V1).await, mounted(&plugin, "two", V1).await);
    for _ in 0..2 {
        one.client.clone().cleanup(one.call(pb::Empty {})).await.unwrap();
    }
    let status = one.ask("read", "a", "{}").await.unwrap_err();
    assert_eq!((status.code(), status.message()), (tonic::Code::Unknown, "no backend instance found"));
    assert!(two.ask("read", "a", "{}").await.is_ok());
    let nameless = two.client.clone().r#type(pb::Empty {}).await.unwrap_err();
    assert_eq!(nameless.message(), "no multiplexing ID found");
}

#[tokio::test]
async fn a_plugin_that_was_started_to_be_looked_at_does_nothing() {
    let plugin = Plugin::start(&[("VAULT_PLUGIN_METADATA_MODE", "true")]).await;
    let mount = plugin.mount("one", V1, None).await;
    let status = mount.ask("read", "a", "{}").await.unwrap_err();
    assert_eq!(status.message(), "plugin server can not perform action while in metadata mode");
    assert!(mount.client.clone().r#type(mount.call(pb::Empty {})).await.is_ok());
}
