use std::{
    fs::{self, File},
    io::{self, Read, Seek, Write},
    pin::pin,
};

use bytes::Bytes;
use domain::Sha256;
use futures::{Stream, TryStreamExt};
use ring::digest;
use tokio::{sync::mpsc, task::spawn_blocking};

use super::{
    Cache, PIECE,
    cache::{finished, options},
};
use crate::{Error, Result, entry::Entry};

/// A program that is being fetched into the cache. What has arrived stays, however it ends: the next one goes on there.
pub struct Fetching {
    part: Part,
    expected: Sha256,
    plugin: String,
    limit: u64,
}

/// What has arrived.
struct Part {
    file: File,
    hash: digest::Context,
    length: u64,
}

impl Fetching {
    /// Looks at what an earlier one left.
    pub async fn begin(cache: &Cache, entry: &Entry, limit: u64) -> Result<Self> {
        let path = cache.part(entry.sha256);
        let opened = spawn_blocking(move || Part::of(options().create(true).truncate(false).open(path)?));
        let part = finished(opened.await, "keep a plugin in the cache")?;
        Ok(Self { part, expected: entry.sha256, plugin: entry.to_string(), limit })
    }

    /// As many bytes are there.
    pub const fn length(&self) -> u64 {
        self.part.length
    }

    /// Takes the rest. The program gets its name only if it is the one that was meant; else nothing of it is kept.
    pub async fn finish(self, cache: &Cache, bytes: impl Stream<Item = Result<Bytes>>) -> Result<File> {
        let Self { part, expected, plugin, limit } = self;
        let begun = part.length;
        let (pieces, arriving) = mpsc::channel(4);
        let cached = cache.clone();
        let writing = spawn_blocking(move || part.write(arriving));
        let fed = feed(&plugin, limit, begun, bytes, pieces).await;
        let part = finished(writing.await, "write a plugin into the cache")?;
        fed?;
        let kept = spawn_blocking(move || part.keep(&cached, expected)).await;
        match finished(kept, "keep a plugin in the cache")? {
            Ok(file) => Ok(file),
            Err(found) => Err(Error::ChecksumMismatch { plugin, expected, found }),
        }
    }
}

async fn feed(
    plugin: &str,
    limit: u64,
    mut length: u64,
    bytes: impl Stream<Item = Result<Bytes>>,
    pieces: mpsc::Sender<Bytes>,
) -> Result<()> {
    let mut bytes = pin!(bytes);
    while let Some(piece) = bytes.try_next().await? {
        length += piece.len() as u64;
        if length > limit {
            return Err(Error::PluginTooLarge { plugin: plugin.to_owned(), limit });
        }
        if pieces.send(piece).await.is_err() {
            // The writer says itself why it has stopped.
            break;
        }
    }
    Ok(())
}

impl Part {
    /// Hashes what is there.
    fn of(mut file: File) -> io::Result<Self> {
        let mut hash = digest::Context::new(&digest::SHA256);
        let (mut piece, mut length) = (vec![0; PIECE], 0);
        loop {
            match file.read(&mut piece)? {
                0 => return Ok(Self { file, hash, length }),
                read => {
                    hash.update(&piece[..read]);
                    length += read as u64;
                }
            }
        }
    }

    fn write(mut self, mut arriving: mpsc::Receiver<Bytes>) -> io::Result<Self> {
        while let Some(piece) = arriving.blocking_recv() {
            self.file.write_all(&piece)?;
            self.hash.update(&piece);
        }
        Ok(self)
    }

    fn keep(mut self, cache: &Cache, expected: Sha256) -> io::Result<Result<File, Sha256>> {
        let found = Sha256::try_from(self.hash.finish().as_ref()).map_err(io::Error::other)?;
        if found != expected {
            fs::remove_file(cache.part(expected))?;
            return Ok(Err(found));
        }
        cache.keep(expected, &self.file)?;
        self.file.rewind()?;
        Ok(Ok(self.file))
    }
}
