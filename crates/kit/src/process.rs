//! What the process asks of the operating system before it serves.

use std::{
    fs, io,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use rustix::{
    fs::Mode,
    io::Errno,
    mm::{MlockAllFlags, mlockall},
    process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit, umask},
};

/// Something that the operating system refuses.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Memory cannot be kept from being swapped out.
    #[error(
        "the system does not allow this process to lock its memory, so that secrets could be swapped to disk: \
         allow it (setcap cap_ipc_lock=+ep on the program, or --cap-add IPC_LOCK for a container), \
         or set disable_mlock = true if swap is off or encrypted"
    )]
    MlockRefused(#[source] io::Error),
    /// The file with the process's id.
    #[error("cannot write the pid file {}", path.display())]
    PidFile {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// What every process of ours begins with: private files, all the descriptors it may have, and no copy of its memory on disk.
pub fn harden() {
    umask(Mode::RWXG | Mode::RWXO);
    raise_descriptors();
    forbid_core_dumps();
}

/// Raises the limit of open files to what is allowed at most. A lower one is no reason not to start.
fn raise_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}

/// One byte: too small for a core file, and the value at which the kernel does not call a crash handler either.
///
/// A release build also refuses debuggers, so that a plugin of the same user cannot read the host's memory.
fn forbid_core_dumps() {
    let one = Rlimit { current: Some(1), maximum: Some(1) };
    let mut done = setrlimit(Resource::Core, one);
    if !cfg!(debug_assertions) {
        done = done.and(set_dumpable_behavior(DumpableBehavior::NotDumpable));
    }
    if let Err(error) = done {
        tracing::warn!(%error, "core dumps stay as they are");
    }
}

/// Keeps all memory, now and later, from being swapped out.
///
/// Pages are locked when they are first used: what is only reserved, such as the stacks of threads, costs nothing.
///
/// # Errors
/// The system does not allow it.
pub fn lock_memory() -> Result<(), Error> {
    let flags = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE;
    match mlockall(flags | MlockAllFlags::ONFAULT) {
        // Kernels before 4.4.
        Err(Errno::INVAL) => mlockall(flags),
        result => result,
    }
    .map_err(|errno| Error::MlockRefused(errno.into()))
}

/// A file that holds the process's id for as long as this lives.
#[derive(Debug)]
pub struct PidFile(PathBuf);

impl PidFile {
    /// Writes it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn create(path: &Path) -> Result<Self, Error> {
        let write = || {
            let mut file =
                fs::File::options().write(true).create(true).truncate(true).mode(0o600).open(path)?;
            writeln!(file, "{}", std::process::id())
        };
        write().map_err(|source| Error::PidFile { path: path.to_owned(), source })?;
        Ok(Self(path.to_owned()))
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // The process ends; a file that cannot be removed is overwritten by the next one.
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_file_holds_the_id_and_goes_with_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pid");
        let file = PidFile::create(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap().trim(), std::process::id().to_string());
        drop(file);
        assert!(!path.exists());
        assert!(PidFile::create(&folder.path().join("none/pid")).is_err());
    }

    #[test]
    fn a_hardened_process_leaves_no_core() {
        harden();
        assert_eq!(getrlimit(Resource::Core).maximum, Some(1));
        assert_eq!(getrlimit(Resource::Nofile).current, getrlimit(Resource::Nofile).maximum);
    }
}
