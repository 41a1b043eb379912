use std::{
    collections::HashMap,
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::SystemTime,
};

use domain::Sha256;
use rustix::fs::{FlockOperation, flock};
use tokio::{sync::OwnedMutexGuard, task::spawn_blocking};

use super::CacheConfig;
use crate::{Error, Result};

/// What the file of a program that has not arrived whole ends in.
const PART: &str = ".part";

type Turn = tokio::sync::Mutex<()>;

/// Programs on disk, each called by its checksum. What is there is believed no more than what comes over the network.
#[derive(Clone, Debug)]
pub struct Cache(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    limit: u64,
    /// Programs that are being fetched.
    turns: Mutex<HashMap<Sha256, Weak<Turn>>>,
    /// Held, and so locked, for as long as the cache is used.
    _lock: File,
}

impl Cache {
    /// Takes the folder for this launcher alone.
    pub fn take(config: &CacheConfig) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(&config.folder)?;
        let lock = options().create(true).truncate(false).open(config.folder.join("lock"))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
            let text = format!("{} is used by another launcher", config.folder.display());
            io::Error::new(io::ErrorKind::ResourceBusy, text)
        })?;
        let (folder, limit) = (config.folder.clone(), config.bytes);
        Ok(Self(Arc::new(Shared { folder, limit, turns: Mutex::default(), _lock: lock })))
    }

    /// A program that is there; it is used, and so stays longer.
    pub async fn open(&self, sha256: Sha256) -> Result<Option<File>> {
        let path = self.place(sha256);
        let opened = spawn_blocking(move || {
            let found = unless_gone(options().open(path))?;
            found.map(|file| file.set_modified(SystemTime::now()).map(|()| file)).transpose()
        });
        finished(opened.await, "open a plugin in the cache")
    }

    /// The turn of whoever fetches a program; others wait, and find it there.
    pub async fn begin(&self, sha256: Sha256) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.0.turns.lock().unwrap_or_else(PoisonError::into_inner);
            turns.retain(|_, turn| turn.strong_count() > 0);
            let held = turns.get(&sha256).and_then(Weak::upgrade);
            held.unwrap_or_else(|| {
                let turn = Arc::<Turn>::default();
                turns.insert(sha256, Arc::downgrade(&turn));
                turn
            })
        };
        turn.lock_owned().await
    }

    /// Removes a program; whether it was there.
    pub async fn discard(&self, sha256: Sha256) -> bool {
        let path = self.place(sha256);
        spawn_blocking(move || fs::remove_file(path)).await.is_ok_and(|removed| removed.is_ok())
    }

    pub(super) fn place(&self, sha256: Sha256) -> PathBuf {
        self.0.folder.join(sha256.to_string())
    }

    pub(super) fn part(&self, sha256: Sha256) -> PathBuf {
        self.0.folder.join(format!("{sha256}{PART}"))
    }

    /// Gives a whole, verified program its name. What is too much then goes; it may be the program itself, which whoever
    /// fetched it holds open.
    pub(super) fn keep(&self, sha256: Sha256, file: &File) -> io::Result<()> {
        file.sync_all()?;
        fs::rename(self.part(sha256), self.place(sha256))?;
        File::open(&self.0.folder)?.sync_all()?;
        self.make_room()
    }

    fn make_room(&self) -> io::Result<()> {
        let mut kept = Vec::new();
        for entry in fs::read_dir(&self.0.folder)? {
            let path = entry?.path();
            if program_of(&path).is_none_or(|sha256| self.is_fetched(sha256, &path)) {
                continue;
            }
            if let Some(metadata) = unless_gone(fs::symlink_metadata(&path))? {
                kept.push((metadata.modified()?, metadata.len(), path));
            }
        }
        kept.sort_unstable();
        let mut total: u64 = kept.iter().map(|(_, length, _)| length).sum();
        for (_, length, path) in kept {
            if total <= self.0.limit {
                break;
            }
            unless_gone(fs::remove_file(&path))?;
            total -= length;
        }
        Ok(())
    }

    /// Whether a file is a part that somebody adds to.
    fn is_fetched(&self, sha256: Sha256, path: &Path) -> bool {
        let turns = self.0.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let is_part = path.extension().is_some();
        is_part && turns.get(&sha256).is_some_and(|turn| turn.strong_count() > 0)
    }
}

/// What is listed may be gone a moment later: others keep and discard programs, too.
fn unless_gone<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        outcome => outcome.map(Some),
    }
}

/// Which program a file of the cache is of; none: it is none of ours.
fn program_of(path: &Path) -> Option<Sha256> {
    let name = path.file_name()?.to_str()?;
    name.strip_suffix(PART).unwrap_or(name).parse().ok()
}

/// Nobody else's, and no link to elsewhere.
pub(super) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600).custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC);
    options
}

/// What a thread that may block came to.
pub(super) fn finished<T>(
    outcome: Result<io::Result<T>, tokio::task::JoinError>,
    doing: &'static str,
) -> Result<T> {
    outcome.map_err(|error| Error::host(doing)(io::Error::other(error)))?.map_err(Error::host(doing))
}

#[cfg(test)]
mod tests {
    use std::{io::Write, time::Duration};

    use super::*;

    fn cache(bytes: u64) -> (tempfile::TempDir, Cache) {
        let outer = tempfile::tempdir().unwrap();
        let cache = Cache::take(&CacheConfig { folder: outer.path().join("cache"), bytes }).unwrap();
        (outer, cache)
    }

    fn keep(cache: &Cache, number: u8, length: usize, age: u64) -> Sha256 {
        let sha256 = Sha256::new([number; 32]);
        let mut file = options().create(true).truncate(true).open(cache.part(sha256)).unwrap();
        file.write_all(&vec![number; length]).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
        cache.keep(sha256, &file).unwrap();
        sha256
    }

    #[tokio::test]
    async fn what_was_not_used_for_longest_goes_first() {
        let (_outer, cache) = cache(250);
        let [first, second] = [keep(&cache, 1, 100, 60), keep(&cache, 2, 100, 30)];
        assert!(cache.open(first).await.unwrap().is_some(), "used just now");
        let third = keep(&cache, 3, 100, 10);
        let there = async |sha256| cache.open(sha256).await.unwrap().is_some();
        assert_eq!((there(first).await, there(second).await, there(third).await), (true, false, true));
        let huge = keep(&cache, 4, 300, 0);
        assert!(!there(huge).await && !there(first).await, "nothing is kept beyond the limit");
    }

    #[tokio::test]
    async fn a_part_that_is_being_fetched_stays_and_an_old_one_goes() {
        let (_outer, cache) = cache(10);
        let [busy, old] = [7, 8].map(|number| Sha256::new([number; 32]));
        for sha256 in [busy, old] {
            fs::write(cache.part(sha256), [0; 50]).unwrap();
        }
        let _turn = cache.begin(busy).await;
        keep(&cache, 1, 5, 0);
        assert!(cache.part(busy).exists() && !cache.part(old).exists());
    }

    #[test]
    fn a_folder_serves_one_launcher() {
        let (outer, _cache) = cache(10);
        let second = Cache::take(&CacheConfig { folder: outer.path().join("cache"), bytes: 10 });
        assert!(second.unwrap_err().to_string().contains("used by another launcher"));
    }
}
