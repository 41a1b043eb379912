//! Programs on their way from the catalog, and in the cache.
#![allow(clippy::unwrap_used, reason = "a story that cannot go on fails")]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use launcher::{CacheConfig, Config};
use support::{Bench, go_plugin, sentence};
use tempfile::TempDir;

/// A quarter of a mebibyte: what is sent at a time.
const PIECE: u64 = 256 << 10;

fn config(cache: &Path) -> Config {
    Config {
        cache: Some(CacheConfig { folder: cache.to_owned(), bytes: 1 << 30 }),
        transfer_patience: Duration::from_secs(1),
        ..Config::default()
    }
}

fn bench() -> (TempDir, Bench) {
    let outer = tempfile::tempdir().unwrap();
    let bench = Bench::with(config(&outer.path().join("cache")));
    bench.register("kv", &go_plugin("kv"), &[]);
    (outer, bench)
}

/// The files of programs, whole ones and parts.
fn kept(outer: &TempDir) -> Vec<PathBuf> {
    let files = fs::read_dir(outer.path().join("cache")).unwrap().flatten();
    files.map(|file| file.path()).filter(|path| !path.ends_with("lock")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_is_fetched_once_and_then_run_from_the_cache() {
    let (outer, bench) = bench();
    for _ in 0..2 {
        bench.mount("m", "kv").await.unwrap();
        bench.unmount("m").await;
    }
    assert_eq!(bench.transfers.offsets(), [0]);
    let [file] = kept(&outer).try_into().unwrap();
    assert_eq!(fs::read(file).unwrap(), fs::read(go_plugin("kv")).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn l1_what_was_changed_in_the_cache_is_not_run_but_fetched_anew() {
    let (outer, bench) = bench();
    bench.mount("m", "kv").await.unwrap();
    bench.unmount("m").await;
    let [file] = kept(&outer).try_into().unwrap();
    fs::write(&file, "#!/bin/sh\nexit 1\n").unwrap();
    bench.mount("m", "kv").await.unwrap();
    assert_eq!(bench.transfers.offsets(), [0, 0]);
    assert_eq!(fs::read(file).unwrap(), fs::read(go_plugin("kv")).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_is_cut_off_goes_on_where_it_was() {
    let (_outer, bench) = bench();
    bench.transfers.cut_at(Some(3));
    let mending = async {
        support::eventually("it is tried again", async || bench.transfers.offsets().len() > 2).await;
        bench.transfers.cut_at(None);
    };
    let (mounted, ()) = tokio::join!(bench.mount("m", "kv"), mending);
    mounted.unwrap();
    let offsets = bench.transfers.offsets();
    assert_eq!((offsets[0], *offsets.last().unwrap()), (0, 3 * PIECE), "{offsets:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_arrived_outlives_the_launcher_and_is_believed_by_its_checksum_only() {
    let (outer, bench) = bench();
    bench.transfers.cut_at(Some(2));
    let refused = sentence(&bench.mount("m", "kv").await.unwrap_err());
    assert!(refused.contains("the connection broke"), "{refused}");
    let [part] = kept(&outer).try_into().unwrap();
    assert_eq!(fs::metadata(&part).unwrap().len(), 2 * PIECE);
    assert!(part.extension().is_some(), "nothing has its name yet");
    let program = bench.plugins.lock().unwrap()["kv"].clone();
    drop(bench);

    let resumed = async |program: &wire::catalog::v1::Plugin| {
        let folder = outer.path().join("cache");
        // The launcher before lets go of the folder when its last task has ended.
        support::eventually("the folder is free", async || is_free(&folder)).await;
        let bench = Bench::with(config(&folder));
        bench.plugins.lock().unwrap().insert("kv".to_owned(), program.clone());
        bench.mount("m", "kv").await.unwrap();
        bench.transfers.offsets()
    };
    assert_eq!(resumed(&program).await, [2 * PIECE]);
    // One that was tampered with is found out in the end, and costs no more than a second transfer.
    let [whole] = kept(&outer).try_into().unwrap();
    fs::remove_file(&whole).unwrap();
    fs::write(whole.with_extension("part"), [7; 99]).unwrap();
    assert_eq!(resumed(&program).await, [99, 0]);
}

fn is_free(folder: &Path) -> bool {
    let lock = fs::File::open(folder.join("lock")).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_cache_a_transfer_goes_on_as_well() {
    let bench = Bench::with(Config { transfer_patience: Duration::from_secs(5), ..Config::default() });
    bench.register("kv", &go_plugin("kv"), &[]);
    bench.transfers.cut_at(Some(1));
    let mending = async {
        support::eventually("it is tried again", async || bench.transfers.offsets().len() > 1).await;
        bench.transfers.cut_at(None);
    };
    let (mounted, ()) = tokio::join!(bench.mount("m", "kv"), mending);
    mounted.unwrap();
    assert!(kept_nothing(&bench));
}

fn kept_nothing(bench: &Bench) -> bool {
    !bench.folder.path().join("cache").exists()
}
