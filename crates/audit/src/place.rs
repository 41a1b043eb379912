//! Where a file of records may be. Records hold what clients sent: a file that could be run, or that somebody else could
//! exchange, is refused whatever its path says.

use std::{
    fs::{DirBuilder, File},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use rustix::{
    fs::{CWD, FileType, Mode, OFlags, Stat, fchmod, fstat, openat, stat},
    io::Errno,
    process::geteuid,
};

use crate::error::Unfit;

const EVERYBODY_WRITES: u32 = 0o002;
const STICKY: u32 = 0o1000;
/// Executable by anybody, or run as somebody else.
const RUNS: u32 = 0o6111;

/// Opens a file to add records to, and makes it if it is not there. It blocks.
///
/// The folder is opened once; what is checked is that folder, and the file is opened in it without following a link.
pub(crate) fn open(path: &Path, mode: Option<u32>, plugins: Option<&Path>) -> Result<File, Unfit> {
    let name = path.file_name().ok_or(Unfit::NoName)?;
    let home = folder(path, plugins)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = openat(CWD, &home, flags, Mode::empty())?;
    let shared = check_folder(&home, &fstat(&directory)?, plugins)?;
    let flags = OFlags::WRONLY
        | OFlags::APPEND
        | OFlags::CREATE
        | OFlags::NOFOLLOW
        | OFlags::NONBLOCK
        | OFlags::NOCTTY
        | OFlags::CLOEXEC;
    let file = openat(&directory, name, flags, Mode::from_raw_mode(0o600)).map_err(|errno| match errno {
        Errno::LOOP => Unfit::Link,
        Errno::NXIO | Errno::ISDIR => Unfit::Irregular,
        errno => errno.into(),
    })?;
    check_file(&fstat(&file)?, shared)?;
    match mode {
        Some(mode) => fchmod(&file, Mode::from_raw_mode(mode))?,
        None if fstat(&file)?.st_mode & RUNS != 0 => return Err(Unfit::Executable),
        None => {}
    }
    Ok(file.into())
}

/// The folder of a file, by its true path; made if it is not there.
fn folder(path: &Path, plugins: Option<&Path>) -> Result<PathBuf, Unfit> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if let Some(there) = folder.ancestors().find(|above| above.exists())
        && is_inside(&there.canonicalize()?, plugins)
    {
        return Err(Unfit::PluginDirectory);
    }
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    Ok(folder.canonicalize()?)
}

fn is_inside(path: &Path, plugins: Option<&Path>) -> bool {
    let home = plugins.and_then(|plugins| plugins.canonicalize().ok());
    home.is_some_and(|home| path.starts_with(home))
}

/// Says whether everybody may make files in it.
fn check_folder(home: &Path, found: &Stat, plugins: Option<&Path>) -> Result<bool, Unfit> {
    // The same folder may be mounted in a second place: its number tells.
    let same = plugins
        .and_then(|plugins| stat(plugins).ok())
        .is_some_and(|plugins| (plugins.st_dev, plugins.st_ino) == (found.st_dev, found.st_ino));
    if same || is_inside(home, plugins) {
        return Err(Unfit::PluginDirectory);
    }
    for above in home.ancestors() {
        let mode = stat(above)?.st_mode;
        if mode & EVERYBODY_WRITES != 0 && mode & STICKY == 0 {
            return Err(Unfit::Open(above.to_owned()));
        }
    }
    Ok(found.st_mode & EVERYBODY_WRITES != 0)
}

fn check_file(found: &Stat, shared: bool) -> Result<(), Unfit> {
    if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
        return Err(Unfit::Irregular);
    }
    if found.st_nlink != 1 {
        return Err(Unfit::Names);
    }
    // In a folder for everybody the file may have been put there by anybody.
    if shared && found.st_uid != geteuid().as_raw() {
        return Err(Unfit::Owner);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, Permissions},
        os::unix::fs::{PermissionsExt, symlink},
    };

    use super::*;

    struct Room {
        folder: tempfile::TempDir,
    }

    impl Room {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            fs::create_dir(folder.path().join("plugins")).unwrap();
            fs::create_dir(folder.path().join("logs")).unwrap();
            Self { folder }
        }

        fn at(&self, path: &str) -> PathBuf {
            self.folder.path().join(path)
        }

        fn open(&self, path: &str) -> Result<File, Unfit> {
            open(&self.at(path), Some(0o600), Some(&self.at("plugins")))
        }

        fn mode(&self, path: &str) -> u32 {
            fs::metadata(self.at(path)).unwrap().permissions().mode() & 0o7777
        }
    }

    #[test]
    fn c7_a_file_is_made_for_its_owner_only_and_added_to() {
        use std::io::Write;
        let room = Room::new();
        for line in ["one\n", "two\n"] {
            room.open("logs/new/audit.log").unwrap().write_all(line.as_bytes()).unwrap();
        }
        assert_eq!(fs::read_to_string(room.at("logs/new/audit.log")).unwrap(), "one\ntwo\n");
        assert_eq!((room.mode("logs/new/audit.log"), room.mode("logs/new")), (0o600, 0o700));
        open(&room.at("logs/other"), Some(0o640), None).unwrap();
        assert_eq!(room.mode("logs/other"), 0o640);
    }

    #[test]
    fn a1_no_way_leads_into_the_plugin_directory() {
        let room = Room::new();
        symlink(room.at("plugins"), room.at("link")).unwrap();
        symlink(room.at("link"), room.at("logs/link-to-link")).unwrap();
        for path in [
            "plugins/x",
            "plugins/sub/x",
            "plugins/new/sub/x",
            "logs/../plugins/x",
            "link/x",
            "logs/link-to-link/x",
            "link/sub/x",
        ] {
            assert!(matches!(room.open(path), Err(Unfit::PluginDirectory)), "{path}");
        }
        assert_eq!(fs::read_dir(room.at("plugins")).unwrap().count(), 0);
        assert!(matches!(
            open(&room.at("plugins/x"), None, Some(&room.at("link"))),
            Err(Unfit::PluginDirectory)
        ));
    }

    #[test]
    fn a1_only_regular_files_with_one_name_take_records() {
        let room = Room::new();
        fs::write(room.at("plugins/tool"), "").unwrap();
        fs::hard_link(room.at("plugins/tool"), room.at("logs/tool")).unwrap();
        assert!(matches!(room.open("logs/tool"), Err(Unfit::Names)));
        symlink(room.at("plugins/tool"), room.at("logs/link")).unwrap();
        assert!(matches!(room.open("logs/link"), Err(Unfit::Link)));
        assert!(matches!(room.open("logs"), Err(Unfit::Irregular)));
        rustix::fs::mknodat(CWD, room.at("logs/pipe"), FileType::Fifo, Mode::RWXU, 0).unwrap();
        assert!(matches!(room.open("logs/pipe"), Err(Unfit::Irregular)));
        assert!(matches!(open(Path::new("/dev/null"), None, None), Err(Unfit::Irregular)));
        assert!(matches!(open(Path::new("/"), None, None), Err(Unfit::NoName)));
    }

    #[test]
    fn a1_a_file_that_runs_is_refused_when_its_mode_shall_stay() {
        let room = Room::new();
        for mode in [0o700, 0o4600, 0o2600, 0o601] {
            fs::write(room.at("logs/tool"), "").unwrap();
            fs::set_permissions(room.at("logs/tool"), Permissions::from_mode(mode)).unwrap();
            assert!(matches!(open(&room.at("logs/tool"), None, None), Err(Unfit::Executable)), "{mode:o}");
        }
        room.open("logs/tool").unwrap();
        assert_eq!(room.mode("logs/tool"), 0o600);
        open(&room.at("logs/tool"), None, None).unwrap();
    }

    #[test]
    fn a1_a_folder_that_everybody_can_change_is_refused() {
        let room = Room::new();
        fs::set_permissions(room.at("logs"), Permissions::from_mode(0o777)).unwrap();
        fs::create_dir(room.at("logs/sub")).unwrap();
        for path in ["logs/audit.log", "logs/sub/audit.log"] {
            assert!(matches!(room.open(path), Err(Unfit::Open(_))), "{path}");
        }
        fs::set_permissions(room.at("logs"), Permissions::from_mode(0o1777)).unwrap();
        room.open("logs/audit.log").unwrap();
    }
}
