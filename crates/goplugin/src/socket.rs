use std::fs;
use std::io;
use std::path::{Path, PathBuf};

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

/// Whether the process at the other end runs as our own user.
pub(crate) fn is_own_user(stream: &UnixStream) -> bool {
    stream.peer_cred().is_ok_and(|peer| peer.uid() == rustix::process::geteuid().as_raw())
}
