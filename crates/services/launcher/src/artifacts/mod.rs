//! The programs of plugins, which are kept by the catalog: fetched from it, and kept here by their checksums.

mod cache;
mod fetching;
mod transfer;

use std::{fs::File, io::Read, path::PathBuf};

use bytes::Bytes;
use domain::Sha256;
use futures::{Stream, StreamExt, future::Either, stream};
use tokio::{sync::mpsc, task::spawn_blocking};
use wire::catalog::v1::{FetchRequest, PluginsSeam};

pub use cache::Cache;

use crate::{Error, Result, entry::Entry, host::Host};
use fetching::Fetching;
use transfer::Transfer;

/// As much of a file is read at a time.
const PIECE: usize = 256 << 10;

/// Where the programs of plugins are kept on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheConfig {
    /// A folder of the launcher's own; it is made if need be.
    pub folder: PathBuf,
    /// As many bytes of programs are kept; those that were not used for longest go first.
    pub bytes: u64,
}

/// The bytes of a plugin's program; whoever takes them hashes them. From the cache, if there is one, which is filled first.
pub async fn program(host: &Host, entry: &Entry) -> Result<impl Stream<Item = Result<Bytes>> + use<>> {
    let catalog = host.catalog.plugins.clone();
    let Some(cache) = &host.artifacts else {
        return Ok(Either::Left(transfer(host, catalog, entry, 0)));
    };
    let file = match cache.open(entry.sha256).await? {
        Some(file) => file,
        None => fetched(host, cache, catalog, entry).await?,
    };
    Ok(Either::Right(pieces(file)))
}

/// What is in the cache and is not what it is called: it goes, and is fetched anew.
pub async fn discard(host: &Host, sha256: Sha256) -> bool {
    match &host.artifacts {
        Some(cache) => cache.discard(sha256).await,
        None => false,
    }
}

async fn fetched(host: &Host, cache: &Cache, catalog: PluginsSeam, entry: &Entry) -> Result<File> {
    let _only = cache.begin(entry.sha256).await;
    // Whoever was before us may have fetched it.
    if let Some(file) = cache.open(entry.sha256).await? {
        return Ok(file);
    }
    loop {
        let fetching = Fetching::begin(cache, entry, host.config.largest_plugin).await?;
        let from = fetching.length();
        if from > 0 {
            tracing::info!(plugin = %entry, from, "a transfer that was cut off goes on");
        }
        let outcome = fetching.finish(cache, transfer(host, catalog.clone(), entry, from)).await;
        match outcome {
            // It may be the old part that is wrong, which is gone by now.
            Err(Error::ChecksumMismatch { .. }) if from > 0 => {}
            outcome => return outcome,
        }
    }
}

fn transfer(
    host: &Host,
    catalog: PluginsSeam,
    entry: &Entry,
    offset: u64,
) -> impl Stream<Item = Result<Bytes>> + use<> {
    let wanted = FetchRequest {
        name: entry.name.clone(),
        r#type: entry.plugin_type.word().to_owned(),
        version: entry.version.clone(),
        sha256: Bytes::copy_from_slice(entry.sha256.as_bytes()),
        offset,
    };
    Transfer::new(catalog, wanted, host.config.transfer_patience).into_stream()
}

/// A file's bytes, read where reading may block.
fn pieces(mut file: File) -> impl Stream<Item = Result<Bytes>> {
    let (pieces, read) = mpsc::channel(2);
    spawn_blocking(move || {
        loop {
            let mut piece = Vec::with_capacity(PIECE);
            let outcome = (&mut file).take(PIECE as u64).read_to_end(&mut piece);
            let outcome =
                outcome.map(|_| Bytes::from(piece)).map_err(Error::host("read a plugin from the cache"));
            let over = outcome.as_ref().map_or(true, Bytes::is_empty);
            if pieces.blocking_send(outcome).is_err() || over {
                return;
            }
        }
    });
    let read = stream::unfold(read, async |mut read| Some((read.recv().await?, read)));
    read.filter(|piece| std::future::ready(piece.as_ref().map_or(true, |bytes| !bytes.is_empty())))
}
