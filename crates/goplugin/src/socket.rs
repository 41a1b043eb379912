use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, chownat, fstat, openat};
use rustix::process::{Uid, geteuid};
use tokio::net::{UnixListener, UnixStream};

/// A listening Unix socket whose file is removed with it.
#[derive(Debug)]
pub(crate) struct Socket {
    path: PathBuf,
}

impl Socket {
    /// Listens at a path where nothing is yet.
    pub(crate) fn bind(path: PathBuf) -> io::Result<(Self, UnixListener)> {
        let listener = UnixListener::bind(&path)?;
        Ok((Self { path }, listener))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // It may be gone already: the host removes a dead plugin's whole directory.
        let _ = fs::remove_file(&self.path);
    }
}

/// A user of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct User(u32);

impl User {
    /// Whose folder this is. A plugin's folder is its user's, who need not be our own.
    pub(crate) fn of(directory: &Path) -> io::Result<Self> {
        Ok(Self(fs::metadata(directory)?.uid()))
    }

    /// Whether the process at the other end runs as this user.
    pub(crate) fn is_peer(self, stream: &UnixStream) -> bool {
        stream.peer_cred().is_ok_and(|peer| peer.uid() == self.0)
    }

    /// Lets this user connect to a socket of ours, whose folder may be the user's own: what lies at the path is looked
    /// at first, and then that and nothing else is given away.
    pub(crate) fn give(self, socket: &Path) -> io::Result<()> {
        let own = geteuid();
        if self.0 == own.as_raw() {
            return Ok(());
        }
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let place = openat(CWD, socket, flags, Mode::empty())?;
        let found = fstat(&place)?;
        let is_socket = FileType::from_raw_mode(found.st_mode) == FileType::Socket;
        if !is_socket || found.st_nlink != 1 || found.st_uid != own.as_raw() {
            return Err(io::Error::other("something else took the socket's place"));
        }
        Ok(chownat(&place, "", Some(Uid::from_raw(self.0)), None, AtFlags::EMPTY_PATH)?)
    }
}
