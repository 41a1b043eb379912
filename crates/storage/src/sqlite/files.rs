use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// For the owner only.
const FILE_MODE: u32 = 0o600;
const DIRECTORY_MODE: u32 = 0o700;

/// Sees to it that the database's file and its directory exist, whatever the umask, for the owner only.
///
/// SQLite gives its `-wal` and `-shm` files the mode of the database's.
pub(super) fn prepare(path: &Path) -> io::Result<()> {
    let directory = directory_of(path);
    make_directory(&directory)?;
    let file = OpenOptions::new().create(true).append(true).mode(FILE_MODE).open(path)?;
    file.set_permissions(Permissions::from_mode(FILE_MODE))?;
    file.sync_all()?;
    // The name of a new file is durable only when its directory is.
    File::open(directory)?.sync_all()
}

fn directory_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn make_directory(directory: &Path) -> io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    let above = directory_of(directory);
    make_directory(&above)?;
    DirBuilder::new().mode(DIRECTORY_MODE).create(directory)?;
    fs::set_permissions(directory, Permissions::from_mode(DIRECTORY_MODE))?;
    File::open(above)?.sync_all()
}
