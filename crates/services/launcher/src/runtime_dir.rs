use std::{
    env,
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use rustix::{
    fs::{FlockOperation, flock},
    process::geteuid,
};
use uuid::Uuid;

use crate::offspring;

/// What the folder of every host begins with.
const PREFIX: &str = "mortise-";
/// The longest path of a process's folder. The kernel takes 107 bytes for a socket; plugins add up to 20.
const LONGEST: usize = 80;
/// How often another host, which starts just now, may take the folder away before it is locked.
const TRIES: usize = 16;

/// Where the folders of processes are. Belongs to one host; the next host removes what a killed one left.
#[derive(Debug)]
pub struct RuntimeDir {
    path: PathBuf,
    next: AtomicU64,
    /// Held, and so locked, until the host ends, however it ends.
    _lock: File,
}

impl RuntimeDir {
    /// Makes the host's folder in `parent`, or where such things belong on this system.
    pub fn create(parent: Option<&Path>) -> io::Result<Self> {
        let parent = parent.map_or_else(usual_parent, Path::to_owned);
        remove_abandoned(&parent);
        for _ in 0..TRIES {
            match Self::create_in(&parent) {
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::NotFound) => {
                }
                made => return made,
            }
        }
        Self::create_in(&parent)
    }

    /// Fails when another host takes the folder for an abandoned one before it is locked.
    fn create_in(parent: &Path) -> io::Result<Self> {
        let id = Uuid::new_v4().simple().to_string();
        let path = parent.join(format!("{PREFIX}{}", &id[..8]));
        if path.as_os_str().len() > LONGEST - 8 {
            let text = format!("{} is too long a path for sockets: choose a shorter folder", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidFilename, text));
        }
        private_dir(&path)?;
        Ok(Self { _lock: hold(&path)?, path, next: AtomicU64::new(1) })
    }

    /// Others may pass, to what is their own: each process's folder lets in its user only.
    pub fn let_through(&self) -> io::Result<()> {
        fs::set_permissions(&self.path, Permissions::from_mode(0o711))
    }

    /// A new, empty folder for one process.
    pub fn process_dir(self: &Arc<Self>) -> io::Result<ProcessDir> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let path = self.path.join(number.to_string());
        private_dir(&path)?;
        Ok(ProcessDir { path, _host: Arc::clone(self) })
    }
}

impl Drop for RuntimeDir {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// The folder of one process: its sockets and temporary files. Removed when dropped.
#[derive(Debug)]
pub struct ProcessDir {
    path: PathBuf,
    _host: Arc<RuntimeDir>,
}

impl ProcessDir {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its own name, which no other folder of this host has had.
    pub fn number(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

impl Drop for ProcessDir {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

fn usual_parent() -> PathBuf {
    let runtime =
        env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|dir| dir.is_absolute() && dir.is_dir());
    runtime.unwrap_or_else(|| PathBuf::from("/tmp"))
}

/// Nobody else's, whatever the umask; an error if anything is there already.
fn private_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

/// Locks a new folder, and sees that it is still there.
fn hold(dir: &Path) -> io::Result<File> {
    let lock = lock_file(dir, true)?;
    flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
    fs::symlink_metadata(dir.join("lock"))?;
    Ok(lock)
}

fn lock_file(dir: &Path, create: bool) -> io::Result<File> {
    let flags = libc::O_NOFOLLOW | libc::O_CLOEXEC;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(create).mode(0o600).custom_flags(flags);
    options.open(dir.join("lock"))
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_dir_all(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "cannot remove a folder of sockets");
    }
}

/// Removes the folders of hosts that were killed, with the processes that belong to them: ours, and no longer locked.
fn remove_abandoned(parent: &Path) {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX)) {
        let path = entry.path();
        let own = fs::symlink_metadata(&path)
            .is_ok_and(|meta| meta.is_dir() && meta.uid() == geteuid().as_raw() && meta.mode() & 0o077 == 0);
        let Some(lock) = own.then(|| lock_file(&path, false).ok()).flatten() else { continue };
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok() {
            offspring::sweep_abandoned(&path);
            remove(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        os::unix::{fs::PermissionsExt, process::ExitStatusExt},
        process::Command,
    };

    use super::*;
    use crate::environment::SOCKET_DIR;

    #[test]
    fn hosts_that_start_together_all_get_a_folder() {
        let parent = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            let hosts: Vec<_> =
                (0..32).map(|_| scope.spawn(|| RuntimeDir::create(Some(parent.path())).unwrap())).collect();
            for host in hosts {
                assert!(host.join().unwrap().path.join("lock").is_file());
            }
        });
    }

    #[test]
    fn l5_folders_are_private_short_and_gone_afterwards() {
        let parent = tempfile::tempdir().unwrap();
        let runtime = Arc::new(RuntimeDir::create(Some(parent.path())).unwrap());
        let process = runtime.process_dir().unwrap();
        for folder in [process.path(), &*runtime.path] {
            assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
        }
        fs::write(process.path().join("plugin1"), "").unwrap();
        drop(process);
        drop(runtime);
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_a_killed_host_left_is_removed_but_not_what_a_living_one_uses() {
        let parent = tempfile::tempdir().unwrap();
        let living = RuntimeDir::create(Some(parent.path())).unwrap();
        let abandoned = parent.path().join("mortise-deadbeef");
        private_dir(&abandoned).unwrap();
        lock_file(&abandoned, true).unwrap();
        let _next = RuntimeDir::create(Some(parent.path())).unwrap();
        assert!(!abandoned.exists());
        assert!(living.path.exists());
    }

    #[test]
    fn l12_what_the_plugins_of_a_killed_host_left_running_ends_with_the_next_start() {
        let parent = tempfile::tempdir().unwrap();
        let living = RuntimeDir::create(Some(parent.path())).unwrap();
        let abandoned = parent.path().join("mortise-deadbeef");
        private_dir(&abandoned).unwrap();
        lock_file(&abandoned, true).unwrap();
        let daemon_of =
            |host: &Path| Command::new("sleep").arg("60").env(SOCKET_DIR, host.join("1")).spawn().unwrap();
        let (mut orphan, mut other) = (daemon_of(&abandoned), daemon_of(&living.path));
        let _next = RuntimeDir::create(Some(parent.path())).unwrap();
        assert_eq!(orphan.wait().unwrap().signal(), Some(libc::SIGKILL));
        assert_eq!(other.try_wait().unwrap(), None);
        other.kill().unwrap();
        other.wait().unwrap();
    }

    #[test]
    fn a_path_too_long_for_sockets_is_refused_at_start() {
        let parent = tempfile::tempdir().unwrap();
        let deep = parent.path().join("x".repeat(80));
        fs::create_dir(&deep).unwrap();
        assert!(RuntimeDir::create(Some(&deep)).unwrap_err().to_string().contains("too long"));
    }
}
