use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use domain::Sha256;
use ring::digest::{Context, SHA256};
use rustix::{
    fd::OwnedFd,
    fs::{CWD, FileType, Mode, OFlags, Stat, fstat, openat},
    io::Errno,
};

use super::{ArtifactError, record::Program};

/// Read at a time when hashing.
const BLOCK: usize = 64 << 10;

/// Others than the owner may write.
const OTHERS_WRITE: u32 = 0o022;

/// The directory that all files of external plugins lie in. Its functions block.
#[derive(Clone, Debug)]
pub(super) struct PluginDirectory(Option<PathBuf>);

impl PluginDirectory {
    pub(super) fn new(path: Option<PathBuf>) -> Self {
        // Rebuilt from its components: a slash at the end would make the system follow a link.
        Self(path.map(|path| path.components().collect()))
    }

    pub(super) fn path(&self) -> Result<&Path, ArtifactError> {
        self.0.as_deref().ok_or(ArtifactError::NoDirectory)
    }

    /// The directory itself, opened.
    pub(super) fn handle(&self) -> Result<OwnedFd, ArtifactError> {
        open_directory(self.path()?)
    }

    /// Opens a plugin's file, which lies in the directory itself; a link that leads to such a file will do.
    ///
    /// Where a link leads is only asked to learn the name of the file. That name is then opened in the directory that
    /// was opened before, and no link is followed any more: whatever is exchanged in between, what was opened
    /// is a file of this directory.
    pub(super) fn open(&self, program: &Program) -> Result<File, ArtifactError> {
        let (path, command) = (self.path()?, program.command.as_str());
        let directory = open_directory(path)?;
        match &program.release {
            None => open_file(&directory, path, command, &resolve(path, command)?),
            Some(release) => {
                let (path, folder) = (path.join(release), open_release(&directory, path, release)?);
                // No link leads anywhere here: a release is of one piece.
                open_file(&folder, &path, command, &only_name(command)?)
            }
        }
    }

    /// What a plugin's file hashes to.
    pub(super) fn hash(&self, program: &Program) -> Result<Sha256, ArtifactError> {
        hash(self.open(program)?).map_err(|source| unreadable(&program.command, source))
    }
}

/// Whether a file is the one that was meant.
pub(super) fn matching(program: &Program, expected: Sha256, actual: Sha256) -> Result<(), ArtifactError> {
    if actual == expected {
        return Ok(());
    }
    Err(ArtifactError::Mismatch { command: program.command.clone(), expected, actual })
}

fn open_file(directory: &OwnedFd, path: &Path, command: &str, name: &Path) -> Result<File, ArtifactError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = openat(directory, name, flags, Mode::empty()).map_err(|error| match error {
        Errno::NOENT => ArtifactError::Missing(path.join(command)),
        // It became a link after it was resolved.
        Errno::LOOP => ArtifactError::Outside { directory: path.to_owned(), target: path.join(name) },
        // What a socket says to being opened.
        Errno::NXIO => ArtifactError::NotAFile { command: command.to_owned(), what: "a socket" },
        error => unreadable(command, error.into()),
    })?;
    check_file(command, &fstat(&file).map_err(|error| unreadable(command, error.into()))?)?;
    Ok(file.into())
}

/// The folder of a release, which is in the plugin directory itself and is no link.
fn open_release(directory: &OwnedFd, path: &Path, release: &str) -> Result<OwnedFd, ArtifactError> {
    let release = only_name(release)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = openat(directory, &release, flags, Mode::empty()).map_err(|error| match error {
        Errno::NOENT => ArtifactError::NoRelease(path.join(&release)),
        Errno::NOTDIR | Errno::LOOP => ArtifactError::NotADirectory(path.join(&release)),
        error => unreadable(&release.display().to_string(), error.into()),
    })?;
    check_unwritable(&folder, &path.join(&release))?;
    Ok(folder)
}

/// A name without any way to elsewhere.
pub(super) fn only_name(name: &str) -> Result<PathBuf, ArtifactError> {
    match name {
        "" | "." => Err(ArtifactError::NotAFile { command: name.to_owned(), what: "a directory" }),
        name if name.contains("..") => Err(ArtifactError::Parent),
        name if name.contains('/') => Err(ArtifactError::InRelease(name.to_owned())),
        name => Ok(name.into()),
    }
}

/// Others than the owner could exchange what is in it.
fn check_unwritable(folder: &OwnedFd, path: &Path) -> Result<(), ArtifactError> {
    let stat = fstat(folder).map_err(|error| unreadable(&path.display().to_string(), error.into()))?;
    match stat.st_mode & 0o7777 {
        mode if mode & OTHERS_WRITE != 0 => {
            Err(ArtifactError::DirectoryWritable { directory: path.to_owned(), mode })
        }
        _ => Ok(()),
    }
}

fn unreadable(command: &str, source: io::Error) -> ArtifactError {
    ArtifactError::Read { command: command.to_owned(), source }
}

fn open_directory(path: &Path) -> Result<OwnedFd, ArtifactError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let read = |error: Errno| unreadable(&path.display().to_string(), error.into());
    let directory = openat(CWD, path, flags, Mode::empty()).map_err(|error| match error {
        Errno::NOENT => ArtifactError::DirectoryMissing(path.to_owned()),
        Errno::NOTDIR | Errno::LOOP => not_a_directory(path),
        error => read(error),
    })?;
    check_unwritable(&directory, path)?;
    Ok(directory)
}

fn not_a_directory(path: &Path) -> ArtifactError {
    match fs::read_link(path).and_then(|_| fs::canonicalize(path)) {
        Ok(target) => ArtifactError::Outside { directory: path.to_owned(), target },
        Err(_) => ArtifactError::NotADirectory(path.to_owned()),
    }
}

/// The name, in the directory itself, of the file that a command leads to.
fn resolve(directory: &Path, command: &str) -> Result<PathBuf, ArtifactError> {
    if command.contains("..") {
        return Err(ArtifactError::Parent);
    }
    if command.starts_with('/') {
        return Err(ArtifactError::Absolute);
    }
    let given = directory.join(command);
    let canonical = |path: &Path| {
        fs::canonicalize(path).map_err(|error| match error.kind() {
            // No file is called by a name that is too long.
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename => {
                ArtifactError::Missing(given.clone())
            }
            _ => unreadable(command, error),
        })
    };
    let (file, home) = (canonical(&given)?, canonical(directory)?);
    match (file.parent(), file.file_name()) {
        (Some(parent), Some(name)) if parent == home => Ok(name.into()),
        _ if file == home => {
            Err(ArtifactError::NotAFile { command: command.to_owned(), what: "a directory" })
        }
        (parent, _) => {
            let target = parent.unwrap_or(&file).to_owned();
            Err(ArtifactError::Outside { directory: directory.to_owned(), target })
        }
    }
}

fn check_file(command: &str, stat: &Stat) -> Result<(), ArtifactError> {
    let command = command.to_owned();
    let not_a_file = |what| Err(ArtifactError::NotAFile { command: command.clone(), what });
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => {}
        FileType::Directory => return not_a_file("a directory"),
        FileType::Fifo => return not_a_file("a pipe"),
        FileType::Socket => return not_a_file("a socket"),
        FileType::CharacterDevice | FileType::BlockDevice => return not_a_file("a device"),
        FileType::Symlink | FileType::Unknown => return not_a_file("something else"),
    }
    let mode = stat.st_mode & 0o7777;
    if mode & OTHERS_WRITE != 0 {
        return Err(ArtifactError::FileWritable { command, mode });
    }
    if mode & 0o111 == 0 {
        return Err(ArtifactError::NotExecutable(command));
    }
    Ok(())
}

pub(super) fn hash(mut file: File) -> io::Result<Sha256> {
    let mut context = Context::new(&SHA256);
    let mut block = vec![0; BLOCK];
    loop {
        match file.read(&mut block)? {
            0 => break,
            read => context.update(block.get(..read).unwrap_or_default()),
        }
    }
    Sha256::try_from(context.finish().as_ref()).map_err(io::Error::other)
}

#[cfg(test)]
mod tests;
