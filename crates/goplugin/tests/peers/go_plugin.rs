//! Our host and an unmodified Go plugin: Vault's kv.

use std::collections::HashMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use bytes::Bytes;
use goplugin::host::{Broker, Brokered, Stream};
use goplugin::{Channel, Lost};
use rustix::process::Signal;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tonic::Request;
use tonic::service::Routes;
use wire::multiplexing::MultiplexingSupportRequest;
use wire::multiplexing::plugin_multiplexing_client::PluginMultiplexingClient;
use wire::pb;
use wire::pb::backend_client::BackendClient;
use wire::pb::storage_server::StorageServer;

use crate::process::{Running, go_program, soon};
use crate::services::Memory;

/// The kv plugin: below `MORTISE_TEST_PLUGINS`, or built by the script that knows all plugins of the tests.
fn kv() -> PathBuf {
    if let Some(folder) = env::var_os("MORTISE_TEST_PLUGINS") {
        return Path::new(&folder).join("kv-v0.25.0/vault-plugin-secrets-kv");
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/plugins/build");
    let run = Command::new(script).arg("kv").output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).unwrap().trim().into()
}

/// Every call to a plugin that serves several mounts says for which one it is.
fn mounted<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("multiplex_id", "a1b2c3d4e5".parse().unwrap());
    request
}

async fn mount(running: &Running, memory: &Memory) -> (BackendClient<Channel>, Brokered) {
    mount_by(running, running.connection.broker(), memory).await
}

async fn mount_by(running: &Running, broker: &Broker, memory: &Memory) -> (BackendClient<Channel>, Brokered) {
    let storage = StorageServer::new(memory.clone()).max_decoding_message_size(wire::PLUGIN_MESSAGE_LIMIT);
    let brokered = broker.accept(Routes::new(storage)).unwrap();
    brokered.announce().await.unwrap();
    let mut backend = BackendClient::new(running.connection.channel())
        .max_decoding_message_size(wire::PLUGIN_MESSAGE_LIMIT);
    let args = pb::SetupArgs {
        broker_id: brokered.id(),
        config: HashMap::from([("version".to_owned(), "1".to_owned())]),
        backend_uuid: "8e6b2d1c-0000-4000-8000-000000000000".to_owned(),
    };
    let reply = backend.setup(mounted(args)).await.unwrap().into_inner();
    assert_eq!(reply.err, "");
    (backend, brokered)
}

async fn handle(backend: &mut BackendClient<Channel>, operation: &str, data: String) -> pb::Response {
    let request = pb::Request {
        operation: operation.to_owned(),
        path: "a/b".to_owned(),
        data: data.into(),
        ..pb::Request::default()
    };
    let args = pb::HandleRequestArgs { storage_id: 0, request: Some(request.into()) };
    let reply = backend.handle_request(mounted(args)).await.unwrap().into_inner();
    assert_eq!(reply.err, None);
    *reply.response.unwrap_or_default()
}

#[tokio::test]
async fn the_kv_plugin_serves_a_mount_and_calls_back() {
    let running = Running::start(&kv()).await;
    assert_eq!(running.connection.version(), 5);
    running.connection.ping(soon()).await.unwrap();
    let shared = PluginMultiplexingClient::new(running.connection.channel())
        .multiplexing_support(MultiplexingSupportRequest {})
        .await
        .unwrap();
    assert!(shared.into_inner().supported);

    let memory = Memory::default();
    let (mut backend, brokered) = mount(&running, &memory).await;
    assert_eq!(backend.r#type(mounted(pb::Empty {})).await.unwrap().into_inner().r#type, 1);
    let special = backend.special_paths(mounted(pb::Empty {})).await.unwrap().into_inner();
    assert!(special.paths.is_some());

    // More than the four mebibytes that gRPC allows by default, in both directions and over both connections.
    let long = "x".repeat(5 << 20);
    handle(&mut backend, "create", format!(r#"{{"v":"{long}"}}"#)).await;
    assert_eq!(memory.0.lock().unwrap().keys().collect::<Vec<_>>(), ["a/b"]);
    let read = handle(&mut backend, "read", "{}".to_owned()).await;
    assert_eq!(read.data, Bytes::from(format!(r#"{{"v":"{long}"}}"#)));

    drop(brokered);
    let (exit, stderr) = running.stop().await;
    assert!(exit.success(), "{stderr}");
}

#[tokio::test]
async fn one_kv_process_serves_several_connections() {
    let running = Running::start(&kv()).await;
    let mut mounts = Vec::new();
    for _ in 0..5 {
        mounts.push(mount(&running, &Memory::default()).await);
    }
    assert_eq!(running.sockets().len(), 6);
    drop(mounts);
    assert_eq!(running.sockets().len(), 1);
    running.stop().await;
}

/// Whether the host listens for the plugin, as the kernel lists it: sockets that take connections have a flag for it.
fn listens(running: &Running, brokered: &Brokered) -> bool {
    let path = running.directory.path().join(format!("h{}", brokered.id()));
    let sockets = std::fs::read_to_string("/proc/net/unix").unwrap();
    let mut at_path = sockets.lines().filter(|line| line.ends_with(path.to_str().unwrap()));
    at_path.any(|line| line.contains(" 00010000 "))
}

#[tokio::test]
async fn a_connection_that_is_quiet_is_given_up_and_no_request_is_lost_by_it() {
    let running = Running::start(&kv()).await;
    let quiet = Duration::from_millis(20);
    let broker = running.connection.broker().clone().lets_go_after(quiet);
    let (mut backend, brokered) = mount_by(&running, &broker, &Memory::default()).await;
    let mut given_up = 0;
    // Some come long after the goodbye, others in its midst.
    for pause in (0..120).map(|n| Duration::from_micros(500 * n)) {
        handle(&mut backend, "create", r#"{"v":1}"#.to_owned()).await;
        tokio::time::sleep(pause).await;
        given_up += u32::from(listens(&running, &brokered));
        assert_eq!(handle(&mut backend, "read", "{}".to_owned()).await.data, r#"{"v":1}"#);
    }
    assert!(given_up > 10, "it was given up {given_up} times");
    running.stop().await;
}

#[tokio::test]
async fn a_killed_kv_process_is_noticed() {
    let running = Running::start(&kv()).await;
    running.connection.ping(soon()).await.unwrap();
    running.signal(Signal::KILL);
    running.connection.closed().await;
    let status = running.connection.ping(soon()).await.unwrap_err();
    assert_eq!(Lost::of(&status), Some(Lost::Unsent));
}

#[tokio::test]
async fn a_plugin_that_talks_without_end_is_read_without_end() {
    let running = Running::start(&go_program("chatty")).await;
    let (heard, mut said) = mpsc::unbounded_channel();
    running.connection.on_output(move |stream, piece| drop(heard.send((stream, piece))));
    // Far more than a pipe holds.
    let (mut out, mut err) = (0, 0);
    while out < 200_000 || err < 200_000 {
        match said.recv().await.unwrap() {
            (Stream::Stdout, piece) => out += piece.len(),
            (Stream::Stderr, piece) => err += piece.len(),
        }
    }
    running.connection.ping(soon()).await.unwrap();
    running.stop().await;
}

#[tokio::test]
async fn callers_that_leave_in_crowds_harm_neither_connection() {
    let running = Running::start(&kv()).await;
    let memory = Memory::default();
    let (mut backend, _brokered) = mount(&running, &memory).await;
    handle(&mut backend, "create", r#"{"v":1}"#.to_owned()).await;
    for round in 0..40 {
        let mut calls = JoinSet::new();
        for _ in 0..100 {
            let mut backend = backend.clone();
            calls.spawn(async move { handle(&mut backend, "read", "{}".to_owned()).await });
        }
        // Some are answered, the others are at every stage of being answered.
        for _ in 0..round {
            calls.join_next().await.unwrap().unwrap();
        }
        calls.shutdown().await;
    }
    let read = handle(&mut backend, "read", "{}".to_owned()).await;
    assert_eq!(read.data, r#"{"v":1}"#);
    assert_eq!(running.sockets().len(), 2);
}
