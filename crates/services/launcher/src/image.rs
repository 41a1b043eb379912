use std::{
    collections::HashMap,
    fs::File,
    io::{self, Write},
    os::fd::{AsRawFd, RawFd},
    sync::{Arc, Mutex, PoisonError, Weak},
};

use bytes::Bytes;
use domain::Sha256;
use futures::{Stream, TryStreamExt};
use ring::digest;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use tokio::{sync::mpsc, task::spawn_blocking};

use crate::{Error, Result};

/// A program in memory: the very bytes that were hashed, sealed, so that these and no others are executed.
#[derive(Debug)]
pub struct Image {
    file: File,
    sha256: Sha256,
    script: bool,
}

impl Image {
    /// What to execute. Valid in this process and in a child forked from it.
    pub fn path(&self) -> String {
        format!("/proc/self/fd/{}", self.file.as_raw_fd())
    }

    /// The descriptor that has to survive the exec: an interpreter opens its script only afterwards.
    pub fn inherited(&self) -> Option<RawFd> {
        self.script.then(|| self.file.as_raw_fd())
    }

    /// The bytes, for a diagnosis.
    pub const fn file(&self) -> &File {
        &self.file
    }
}

/// Programs in memory, one copy for all processes of the same checksum.
#[derive(Debug, Default)]
pub struct Images(Mutex<HashMap<Sha256, Weak<Image>>>);

impl Images {
    /// Reads and hashes a program anew, and gives the sealed bytes, if they are those expected.
    ///
    /// The source is always read to its end and hashed; only a second copy in memory is saved.
    pub async fn verify<S>(&self, plugin: &str, expected: Sha256, limit: u64, source: S) -> Result<Arc<Image>>
    where
        S: Stream<Item = Result<Bytes>>,
    {
        let held = self.held(&expected);
        let copy = match held {
            Some(_) => None,
            None => Some(Copy::begin(plugin).map_err(Error::host("keep a plugin in memory"))?),
        };
        let (chunks, queue) = mpsc::channel(4);
        let reading = spawn_blocking(move || read(queue, copy));
        let fed = feed(plugin, limit, source, chunks).await;
        let (copy, found) = reading.await.map_err(|_| Error::Digest)??;
        fed?;
        if found != expected {
            return Err(Error::ChecksumMismatch { plugin: plugin.to_owned(), expected, found });
        }
        match (held, copy) {
            (Some(image), _) => Ok(image),
            (None, Some(copy)) => self.keep(copy.seal(found).map_err(Error::host("seal a plugin"))?),
            (None, None) => Err(Error::Digest),
        }
    }

    fn held(&self, sha256: &Sha256) -> Option<Arc<Image>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(sha256)?.upgrade()
    }

    fn keep(&self, image: Image) -> Result<Arc<Image>> {
        let image = Arc::new(image);
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|_, image| image.strong_count() > 0);
        held.insert(image.sha256, Arc::downgrade(&image));
        Ok(image)
    }
}

/// Passes the source on, piece by piece, until its end.
async fn feed(
    plugin: &str,
    limit: u64,
    source: impl Stream<Item = Result<Bytes>>,
    chunks: mpsc::Sender<Bytes>,
) -> Result<()> {
    let mut source = std::pin::pin!(source);
    let mut length = 0;
    while let Some(chunk) = source.try_next().await? {
        length += chunk.len() as u64;
        if length > limit {
            return Err(Error::PluginTooLarge { plugin: plugin.to_owned(), limit });
        }
        if chunks.send(chunk).await.is_err() {
            // The reader says itself why it has stopped.
            break;
        }
    }
    Ok(())
}

/// Hashes, and copies if there is a copy to be made. Takes its time: no work for the runtime's own threads.
fn read(mut chunks: mpsc::Receiver<Bytes>, mut copy: Option<Copy>) -> Result<(Option<Copy>, Sha256)> {
    let mut hash = digest::Context::new(&digest::SHA256);
    while let Some(chunk) = chunks.blocking_recv() {
        hash.update(&chunk);
        if let Some(copy) = &mut copy {
            copy.write(&chunk).map_err(Error::host("keep a plugin in memory"))?;
        }
    }
    let found = Sha256::try_from(hash.finish().as_ref()).map_err(|_| Error::Digest)?;
    Ok((copy, found))
}

/// A copy in the making.
struct Copy {
    file: File,
    head: Vec<u8>,
}

impl Copy {
    fn begin(plugin: &str) -> io::Result<Self> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let name = plugin.replace('\0', "");
        // Kernels before 6.3 do not know the flag, and need none.
        let file = memfd_create(name.as_str(), flags | MemfdFlags::EXEC)
            .or_else(|_| memfd_create(name.as_str(), flags))?;
        Ok(Self { file: file.into(), head: Vec::new() })
    }

    fn write(&mut self, chunk: &[u8]) -> io::Result<()> {
        let missing = 2_usize.saturating_sub(self.head.len()).min(chunk.len());
        self.head.extend_from_slice(&chunk[..missing]);
        self.file.write_all(chunk)
    }

    fn seal(self, sha256: Sha256) -> io::Result<Image> {
        let seals = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
        fcntl_add_seals(&self.file, seals)?;
        Ok(Image { file: self.file, sha256, script: self.head == b"#!" })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use futures::stream;

    use super::*;

    fn sha256(bytes: &[u8]) -> Sha256 {
        Sha256::try_from(digest::digest(&digest::SHA256, bytes).as_ref()).unwrap()
    }

    fn chunks(bytes: &'static [u8]) -> impl Stream<Item = Result<Bytes>> {
        stream::iter(bytes.chunks(1).map(|chunk| Ok(Bytes::from_static(chunk))))
    }

    #[tokio::test]
    async fn l1_what_was_hashed_can_no_longer_be_changed() {
        let images = Images::default();
        let image = images.verify("p", sha256(b"#!/bin/sh\n"), 99, chunks(b"#!/bin/sh\n")).await.unwrap();
        assert!(image.inherited().is_some());
        let error = image.file().write_at(b"x", 0).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EPERM));
        assert!(image.file().set_len(0).is_err());
    }

    #[tokio::test]
    async fn other_bytes_are_refused_with_both_checksums() {
        let error = Images::default().verify("kv", sha256(b"a"), 99, chunks(b"b")).await.unwrap_err();
        let said = error.to_string();
        for part in ["kv", &sha256(b"a").to_string(), &sha256(b"b").to_string()] {
            assert!(said.contains(part), "{said}");
        }
    }

    #[tokio::test]
    async fn one_copy_serves_all_but_the_source_is_hashed_each_time() {
        let images = Images::default();
        let first = images.verify("p", sha256(b"ab"), 99, chunks(b"ab")).await.unwrap();
        let second = images.verify("p", sha256(b"ab"), 99, chunks(b"ab")).await.unwrap();
        assert!(Arc::ptr_eq(&first, &second));
        assert!(images.verify("p", sha256(b"ab"), 99, chunks(b"ac")).await.is_err());
    }

    #[tokio::test]
    async fn a_program_larger_than_allowed_is_not_read_to_its_end() {
        let error = Images::default().verify("p", sha256(b"abc"), 2, chunks(b"abc")).await.unwrap_err();
        assert!(matches!(error, Error::PluginTooLarge { limit: 2, .. }));
    }
}
