//! What a mount stores, when its storage is slow, sealed, or about to be cleared.
#![allow(clippy::unwrap_used, reason = "a story that cannot go on fails")]

mod support;

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use launcher::Config;
use support::{Bench, eventually, go_plugin};
use tokio::time::timeout;

/// As long as nothing has to happen.
const A_WHILE: Duration = Duration::from_millis(100);

/// Gives up a write that is held up in the storage, and unmounts: that has to wait for the write, because who unmounted
/// clears what is stored.
async fn gives_up_a_write_and_unmounts(bench: Arc<Bench>) {
    let before = bench.commits.asked();
    let held = bench.commits.hold_up().await;
    let write = tokio::spawn({
        let bench = Arc::clone(&bench);
        async move { bench.call("m", "update", "late", r#"{"v":"1"}"#).await }
    });
    eventually("the write is inside", async || bench.commits.asked() > before).await;
    write.abort();
    assert!(write.await.unwrap_err().is_cancelled());
    let mut unmounting = Box::pin(bench.unmount("m"));
    assert!(timeout(A_WHILE, &mut unmounting).await.is_err(), "the write is not over");
    drop(held);
    unmounting.await;
    assert_eq!(bench.all_stored().await, ["m/"], "it was written before the unmounting was over");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mount_of_an_engine_ends_after_the_writes_whose_callers_have_gone() {
    let bench = Arc::new(Bench::new());
    bench.register_builtin();
    bench.mount("m", "obedient").await.unwrap();
    gives_up_a_write_and_unmounts(bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mount_of_a_plugin_ends_after_the_writes_whose_callers_have_gone() {
    // The plugin's own cleaning up is of no interest here.
    let bench =
        Arc::new(Bench::with(Config { cleanup_deadline: Duration::from_secs(10), ..Config::default() }));
    bench.register("gokv", &go_plugin("kv"), &[]);
    bench.mount("m", "gokv").await.unwrap();
    gives_up_a_write_and_unmounts(bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_storage_is_told_as_such_through_every_kind_of_plugin() {
    let bench = Bench::new();
    bench.register_builtin();
    bench.register("gokv", &go_plugin("kv"), &[]);
    for (uuid, plugin) in [("b", "obedient"), ("g", "gokv")] {
        bench.mount(uuid, plugin).await.unwrap();
        bench.write(uuid, "a", r#"{"v":"1"}"#).await;
        bench.sealed.store(true, Ordering::SeqCst);
        for operation in ["read", "update"] {
            let reply = bench.call(uuid, operation, "a", r#"{"v":"2"}"#).await.unwrap();
            let error = reply.err.unwrap();
            assert_eq!((error.err_type, error.err_code), (3, 503), "{plugin} {operation}: {error:?}");
            assert!(error.err_msg.contains("Vault is sealed"), "{error:?}");
        }
        bench.sealed.store(false, Ordering::SeqCst);
        assert_eq!(bench.read(uuid, "a").await.unwrap()["v"], "1");
    }
}
