use std::{
    fs::File,
    io::{self, Write},
};

use domain::Sha256;
use ring::digest::{Context, SHA256};
use rustix::{
    fd::OwnedFd,
    fs::{AtFlags, Dir, Mode, OFlags, fchmod, fsync, openat, renameat, unlinkat},
    io::Errno,
};

use super::DownloadError;
use crate::plugins::directory::{PluginDirectory, only_name};

/// What the file of a download begins with, until it has its name. No plugin can be registered by it: nobody may execute it.
const PREFIX: &str = ".download-";

/// A program on its way into the plugin directory; gone when it is not put into its place.
#[derive(Debug)]
pub(super) struct Candidate {
    directory: OwnedFd,
    name: String,
    file: File,
}

impl Candidate {
    /// An empty file. What downloads that were cut off have left is removed.
    pub(super) fn new(directory: &PluginDirectory, sha256: Sha256) -> Result<Self, DownloadError> {
        let directory = directory.handle()?;
        sweep(&directory)?;
        let name = format!("{PREFIX}{sha256}");
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&directory, &name, flags, Mode::from_raw_mode(0o600))?;
        Ok(Self { directory, name, file: file.into() })
    }

    /// Fills it with a program, which has to hash to this.
    pub(super) fn fill(&mut self, mut from: impl io::Read, expected: Sha256) -> Result<(), DownloadError> {
        let mut to = Hashing { file: &mut self.file, hash: Context::new(&SHA256), failed: None };
        if let Err(error) = io::copy(&mut from, &mut to) {
            return Err(to.failed.map_or(DownloadError::Archive(error), DownloadError::System));
        }
        let found = Sha256::try_from(to.hash.finish().as_ref()).map_err(io::Error::other)?;
        if found == expected { Ok(()) } else { Err(DownloadError::Mismatch { expected, found }) }
    }

    /// Gives it its name. What had that name is another version of the same plugin, and goes.
    pub(super) fn place(self, command: &str) -> Result<(), DownloadError> {
        let name = only_name(command)?;
        fchmod(&self.file, Mode::from_raw_mode(0o755))?;
        self.file.sync_all()?;
        renameat(&self.directory, &self.name, &self.directory, &name)?;
        Ok(fsync(&self.directory)?)
    }
}

impl Drop for Candidate {
    fn drop(&mut self) {
        // It has its name already, or is swept away by the next download.
        let _ = unlinkat(&self.directory, &self.name, AtFlags::empty());
    }
}

fn sweep(directory: &OwnedFd) -> Result<(), Errno> {
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        if entry.file_name().to_bytes().starts_with(PREFIX.as_bytes()) {
            unlinkat(directory, entry.file_name(), AtFlags::empty())?;
        }
    }
    Ok(())
}

/// Hashes what it writes, and keeps what the system says to it: else nobody could tell the two ends of a copy apart.
struct Hashing<'f> {
    file: &'f mut File,
    hash: Context,
    failed: Option<io::Error>,
}

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.file.write(bytes) {
            Ok(written) => {
                self.hash.update(bytes.get(..written).unwrap_or_default());
                Ok(written)
            }
            Err(error) => {
                let kind = error.kind();
                self.failed = Some(error);
                Err(kind.into())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
