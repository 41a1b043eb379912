//! Engines that are part of the host are mounted like external plugins.
#![allow(clippy::unwrap_used, reason = "a story that cannot go on fails")]

mod support;

use support::{Bench, sentence};
use wire::{launcher::v1::Call, pb};

async fn mounted() -> Bench {
    let bench = Bench::new();
    bench.register_builtin();
    let reply = bench.mount("m", "obedient").await.unwrap();
    assert!(reply.builtin);
    assert_eq!(reply.running_version, "v1.0.0+builtin");
    assert_eq!(reply.special_paths.unwrap().unauthenticated, ["open"]);
    bench
}

#[tokio::test]
async fn it_reads_and_writes_its_own_storage_without_a_process() {
    let bench = mounted().await;
    bench.write("m", "a", r#"{"v":1}"#).await;
    assert_eq!(bench.read("m", "a").await.unwrap()["v"], 1);
    assert_eq!(bench.all_stored().await, ["m/"]);
    let request =
        pb::Request { path: "a".to_owned(), operation: "create".to_owned(), ..pb::Request::default() };
    let call = Call { mount: "m".to_owned(), request: Some(request.into()), ..Call::default() };
    let reply = bench.client.exists(call).await.unwrap().into_inner();
    assert!(reply.check_found && reply.exists);
    assert!(bench.processes().await.is_empty());
}

#[tokio::test]
async fn a_panic_harms_its_own_request_only() {
    let bench = mounted().await;
    bench.write("m", "a", r#"{"v":1}"#).await;
    let error = bench.call("m", "read", "panic", "{}").await.unwrap_err();
    assert!(sentence(&error).contains("the obedient engine failed unexpectedly"), "{error}");
    assert_eq!(bench.read("m", "a").await.unwrap()["v"], 1);
}

#[tokio::test]
async fn an_unknown_operation_is_refused_as_plugins_refuse_it() {
    let bench = mounted().await;
    let reply = bench.call("m", "juggle", "a", "{}").await.unwrap();
    assert_eq!(reply.err.unwrap().err_type, 5);
}
