use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use domain::Sha256;
use rustix::{
    fd::OwnedFd,
    fs::{AtFlags, Dir, Mode, OFlags, RenameFlags, fchmod, openat, renameat_with, unlinkat},
    io::Errno,
};

use super::{
    UploadError,
    directory::{PluginDirectory, hash, only_name},
    record::Program,
};

/// What the file of an upload begins with, until it has its name. No plugin can be registered by it: nobody may execute it.
const PREFIX: &str = ".upload-";
/// As many uploads may be under way.
const AT_ONCE: usize = 8;
/// One that nothing was added to for so long is given up.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

/// Programs on their way into the plugin directory. Its functions block.
#[derive(Clone, Debug)]
pub(super) struct Uploads {
    directory: PluginDirectory,
    /// The largest that is taken; none: nothing is.
    limit: Option<u64>,
}

/// An upload's file, in the plugin directory.
struct Upload {
    directory: OwnedFd,
    name: String,
    file: File,
    received: u64,
}

impl Uploads {
    pub(super) const fn new(directory: PluginDirectory, limit: Option<u64>) -> Self {
        Self { directory, limit }
    }

    /// Adds a piece, and says how much has arrived.
    pub(super) fn add(&self, sha256: Sha256, offset: u64, data: &Bytes) -> Result<u64, UploadError> {
        let limit = self.limit.ok_or(UploadError::Off)?;
        let upload = match (self.find(sha256)?, offset) {
            (Some(upload), _) => upload,
            (None, 0) => self.begin(sha256)?,
            (None, _) => return Err(UploadError::Offset { received: 0 }),
        };
        if upload.received != offset {
            return Err(UploadError::Offset { received: upload.received });
        }
        if offset + data.len() as u64 > limit {
            upload.remove()?;
            return Err(UploadError::TooLarge { limit });
        }
        upload.file.write_all_at(data, offset)?;
        Ok(offset + data.len() as u64)
    }

    /// How much has arrived.
    pub(super) fn received(&self, sha256: Sha256) -> Result<u64, UploadError> {
        self.limit.ok_or(UploadError::Off)?;
        self.find(sha256)?.map(|upload| upload.received).ok_or(UploadError::Missing)
    }

    /// Gives one up; that there is none is no mistake.
    pub(super) fn give_up(&self, sha256: Sha256) -> Result<(), UploadError> {
        self.limit.ok_or(UploadError::Off)?;
        self.find(sha256)?.map_or(Ok(()), |upload| upload.remove())
    }

    /// Gives a whole program its name. What has that name already is never touched.
    pub(super) fn place(&self, sha256: Sha256, command: &str) -> Result<(), UploadError> {
        self.limit.ok_or(UploadError::Off)?;
        let name = only_name(command)?;
        if command.starts_with('.') {
            return Err(UploadError::Hidden(command.to_owned()));
        }
        let Some(upload) = self.find(sha256)? else {
            // Whoever says it twice, because the answer was lost, is told the same.
            return if self.is_there(sha256, command) { Ok(()) } else { Err(UploadError::Missing) };
        };
        let found = hash(upload.file.try_clone()?)?;
        if found != sha256 {
            upload.remove()?;
            return Err(UploadError::Mismatch { expected: sha256, found });
        }
        fchmod(&upload.file, Mode::from_raw_mode(0o755))?;
        upload.file.sync_all()?;
        let flags = RenameFlags::NOREPLACE;
        match renameat_with(&upload.directory, &upload.name, &upload.directory, &name, flags) {
            Ok(()) => Ok(rustix::fs::fsync(&upload.directory)?),
            Err(Errno::EXIST) if self.is_there(sha256, command) => upload.remove(),
            Err(Errno::EXIST) => {
                // It stays, for another name, and stays what nobody may execute.
                fchmod(&upload.file, Mode::from_raw_mode(0o600))?;
                Err(UploadError::Taken(command.to_owned()))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn is_there(&self, sha256: Sha256, command: &str) -> bool {
        let program = Program { release: None, command: command.to_owned() };
        self.directory.hash(&program).is_ok_and(|found| found == sha256)
    }

    fn find(&self, sha256: Sha256) -> Result<Option<Upload>, UploadError> {
        let directory = self.directory.handle()?;
        let name = format!("{PREFIX}{sha256}");
        match open(&directory, &name, OFlags::empty()) {
            Ok(file) => {
                let received = file.metadata()?.len();
                Ok(Some(Upload { directory, name, file, received }))
            }
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn begin(&self, sha256: Sha256) -> Result<Upload, UploadError> {
        let directory = self.directory.handle()?;
        if make_room(&directory)? >= AT_ONCE {
            return Err(UploadError::TooMany { most: AT_ONCE });
        }
        let name = format!("{PREFIX}{sha256}");
        let file = open(&directory, &name, OFlags::CREATE | OFlags::EXCL)?;
        // Whatever the umask.
        fchmod(&file, Mode::from_raw_mode(0o600))?;
        Ok(Upload { directory, name, file, received: 0 })
    }
}

impl Upload {
    fn remove(&self) -> Result<(), UploadError> {
        Ok(unlinkat(&self.directory, &self.name, AtFlags::empty())?)
    }
}

fn open(directory: &OwnedFd, name: &str, more: OFlags) -> Result<File, Errno> {
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC | more;
    Ok(openat(directory, name, flags, Mode::from_raw_mode(0o600))?.into())
}

/// Removes uploads that were given up; how many are left.
fn make_room(directory: &OwnedFd) -> Result<usize, UploadError> {
    let mut left = 0;
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().ok().filter(|name| name.starts_with(PREFIX)) else {
            continue;
        };
        let age = open(directory, name, OFlags::empty()).map_err(io::Error::from);
        let age = age.and_then(|file| file.metadata()?.modified());
        let age = age.map(|modified| SystemTime::now().duration_since(modified).unwrap_or_default());
        if age.is_ok_and(|age| age > ABANDONED) {
            unlinkat(directory, name, AtFlags::empty())?;
        } else {
            left += 1;
        }
    }
    Ok(left)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    fn uploads(limit: Option<u64>) -> (tempfile::TempDir, Uploads) {
        let outer = tempfile::tempdir().unwrap();
        fs::set_permissions(outer.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let directory = PluginDirectory::new(Some(outer.path().to_owned()));
        (outer, Uploads::new(directory, limit))
    }

    fn sha256(content: &[u8]) -> Sha256 {
        Sha256::try_from(ring::digest::digest(&ring::digest::SHA256, content).as_ref()).unwrap()
    }

    fn mode(path: &std::path::Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn c9_a_program_arrives_in_pieces_and_has_its_name_only_when_it_is_whole() {
        let (outer, uploads) = uploads(Some(100));
        let sha = sha256(b"a program");
        assert_eq!(uploads.add(sha, 0, &Bytes::from_static(b"a pro")).unwrap(), 5);
        assert!(matches!(uploads.place(sha, "kv"), Err(UploadError::Mismatch { .. })));
        assert!(matches!(uploads.received(sha), Err(UploadError::Missing)), "what is wrong is not kept");
        uploads.add(sha, 0, &Bytes::from_static(b"a pro")).unwrap();
        let again = uploads.add(sha, 0, &Bytes::from_static(b"a pro"));
        assert!(matches!(again, Err(UploadError::Offset { received: 5 })));
        assert_eq!(mode(&outer.path().join(format!("{PREFIX}{sha}"))), 0o600);
        assert_eq!(uploads.add(sha, 5, &Bytes::from_static(b"gram")).unwrap(), 9);
        uploads.place(sha, "kv").unwrap();
        uploads.place(sha, "kv").unwrap();
        assert_eq!(fs::read(outer.path().join("kv")).unwrap(), b"a program");
        assert_eq!(mode(&outer.path().join("kv")), 0o755);
        assert_eq!(fs::read_dir(outer.path()).unwrap().count(), 1);
    }

    #[test]
    fn nothing_that_is_there_is_overwritten() {
        let (outer, uploads) = uploads(Some(100));
        let place = outer.path().join("kv");
        fs::write(&place, "another one").unwrap();
        let sha = sha256(b"new");
        uploads.add(sha, 0, &Bytes::from_static(b"new")).unwrap();
        assert!(matches!(uploads.place(sha, "kv"), Err(UploadError::Taken(_))));
        assert_eq!(fs::read(&place).unwrap(), b"another one");
        for command in ["", ".kv", "../kv", "a/b", "/kv"] {
            assert!(uploads.place(sha, command).is_err(), "{command}");
        }
        uploads.place(sha, "kv-2").unwrap();
    }

    #[test]
    fn what_is_too_large_or_too_much_is_refused_and_off_is_off() {
        let (_outer, uploads) = uploads(Some(4));
        let large = uploads.add(sha256(b"large"), 0, &Bytes::from_static(b"large"));
        assert!(matches!(large, Err(UploadError::TooLarge { limit: 4 })));
        for number in 0..AT_ONCE {
            uploads.add(Sha256::new([number as u8; 32]), 0, &Bytes::from_static(b"x")).unwrap();
        }
        let more = uploads.add(Sha256::new([99; 32]), 0, &Bytes::from_static(b"x"));
        assert!(matches!(more, Err(UploadError::TooMany { .. })));
        uploads.give_up(Sha256::new([0; 32])).unwrap();
        uploads.add(Sha256::new([99; 32]), 0, &Bytes::from_static(b"x")).unwrap();
        let off = Uploads { limit: None, ..uploads };
        assert!(matches!(off.received(Sha256::new([99; 32])), Err(UploadError::Off)));
    }
}
