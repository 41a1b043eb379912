use std::{
    os::unix::{
        fs::{PermissionsExt, symlink},
        net::UnixListener,
    },
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use rustix::fs::mkfifoat;
use tempfile::TempDir;

use super::*;

struct Place {
    outer: TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { outer: tempfile::tempdir().unwrap() };
        for folder in ["plugins", "plugins/sub", "elsewhere"] {
            fs::create_dir(place.path(folder)).unwrap();
            chmod(&place.path(folder), 0o755);
        }
        place.file("plugins/kv", "inside", 0o755);
        place.file("plugins/sub/kv", "below", 0o755);
        place.file("elsewhere/kv", "outside", 0o755);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.outer.path().join(name)
    }

    fn file(&self, name: &str, content: &str, mode: u32) {
        fs::write(self.path(name), content).unwrap();
        chmod(&self.path(name), mode);
    }

    fn directory(&self) -> PluginDirectory {
        PluginDirectory::new(Some(self.path("plugins")))
    }

    fn open(&self, command: &str) -> Result<String, ArtifactError> {
        let mut text = String::new();
        self.directory().open(&program(command))?.read_to_string(&mut text).unwrap();
        Ok(text)
    }
}

fn program(command: &str) -> Program {
    Program { release: None, command: command.to_owned() }
}

#[test]
fn c3_a_release_is_a_folder_of_the_directory_and_its_program_lies_in_it() {
    let place = Place::new();
    symlink(place.path("elsewhere"), place.path("plugins/link")).unwrap();
    symlink(place.path("elsewhere/kv"), place.path("plugins/sub/link")).unwrap();
    let open = |release: &str, command: &str| {
        let mut text = String::new();
        let program = Program { release: Some(release.to_owned()), command: command.to_owned() };
        place.directory().open(&program)?.read_to_string(&mut text).unwrap();
        Ok::<_, ArtifactError>(text)
    };
    assert_eq!(open("sub", "kv").unwrap(), "below");
    assert!(matches!(open("none", "kv"), Err(ArtifactError::NoRelease(_))));
    assert!(matches!(open("link", "kv"), Err(ArtifactError::NotADirectory(_))));
    assert!(matches!(open("kv", "kv"), Err(ArtifactError::NotADirectory(_))));
    assert!(matches!(open("sub", "link"), Err(ArtifactError::Outside { .. })));
    assert!(matches!(open("sub", "none"), Err(ArtifactError::Missing(_))));
    for (release, command) in
        [("..", "kv"), ("sub", "../kv"), ("sub", "/bin/ls"), ("sub", "a/b"), ("sub", ""), ("a/b", "kv")]
    {
        assert!(open(release, command).is_err(), "{release} {command}");
    }
    chmod(&place.path("plugins/sub"), 0o777);
    assert!(matches!(open("sub", "kv"), Err(ArtifactError::DirectoryWritable { .. })));
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn files_of_the_directory_and_links_to_them_open() {
    let place = Place::new();
    symlink("kv", place.path("plugins/relative")).unwrap();
    symlink(place.path("plugins/kv"), place.path("plugins/absolute")).unwrap();
    fs::hard_link(place.path("plugins/kv"), place.path("plugins/hard")).unwrap();
    for command in ["kv", "./kv", "relative", "absolute", "hard"] {
        assert_eq!(place.open(command).unwrap(), "inside", "{command}");
    }
}

#[test]
fn c3_nothing_leads_out() {
    let place = Place::new();
    symlink("../elsewhere/kv", place.path("plugins/out")).unwrap();
    symlink(place.path("elsewhere/kv"), place.path("plugins/away")).unwrap();
    symlink(place.path("elsewhere"), place.path("plugins/folder")).unwrap();
    symlink("sub/kv", place.path("plugins/down")).unwrap();
    let dir = place.path("plugins");
    let dir = dir.display();
    for (command, target) in [
        ("out", place.path("elsewhere")),
        ("away", place.path("elsewhere")),
        ("folder/kv", place.path("elsewhere")),
        ("down", place.path("plugins/sub")),
        ("sub/kv", place.path("plugins/sub")),
    ] {
        let expected = format!(
            "cannot execute files outside of configured plugin directory {dir}: expected {dir}, got {}",
            target.display()
        );
        assert_eq!(place.open(command).unwrap_err().to_string(), expected, "{command}");
    }
    assert!(matches!(place.open("../elsewhere/kv"), Err(ArtifactError::Parent)));
    assert!(matches!(place.open("sub/../kv"), Err(ArtifactError::Parent)));
    let absolute = place.path("plugins/kv").display().to_string();
    assert!(matches!(place.open(&absolute), Err(ArtifactError::Absolute)));
}

#[test]
fn a_missing_file_is_said_as_vault_says_it() {
    let place = Place::new();
    symlink("nowhere", place.path("plugins/dangling")).unwrap();
    for command in ["does-not-exist", "dangling", "kv/x", &"long".repeat(100)] {
        let path = place.path("plugins").join(command);
        let expected = format!(
            "error while validating the command path: lstat {}: no such file or directory",
            path.display()
        );
        assert_eq!(place.open(command).unwrap_err().to_string(), expected);
    }
}

#[test]
fn c4_only_regular_executable_files_of_their_owner_open() {
    let place = Place::new();
    mkfifoat(CWD, place.path("plugins/pipe"), Mode::from_raw_mode(0o755)).unwrap();
    let _listener = UnixListener::bind(place.path("plugins/socket")).unwrap();
    place.file("plugins/plain", "", 0o644);
    place.file("plugins/shared", "", 0o775);
    place.file("plugins/open", "", 0o757);
    let sentence = |command: &str| place.open(command).unwrap_err().to_string();
    assert_eq!(sentence("sub"), "\"sub\" in the plugin directory is a directory, not a file");
    assert_eq!(sentence("."), "\".\" in the plugin directory is a directory, not a file");
    assert_eq!(sentence("pipe"), "\"pipe\" in the plugin directory is a pipe, not a file");
    assert_eq!(sentence("socket"), "\"socket\" in the plugin directory is a socket, not a file");
    assert!(matches!(place.open("plain"), Err(ArtifactError::NotExecutable(_))));
    for (command, expected) in [("shared", 0o775), ("open", 0o757)] {
        let refused = place.open(command).unwrap_err();
        assert!(matches!(refused, ArtifactError::FileWritable { mode, .. } if mode == expected), "{refused}");
    }
}

#[test]
fn c4_the_directory_itself_has_to_be_sound() {
    let place = Place::new();
    let open = |path: PathBuf| PluginDirectory::new(Some(path)).open(&program("kv")).unwrap_err();
    assert!(matches!(PluginDirectory::new(None).open(&program("kv")), Err(ArtifactError::NoDirectory)));
    assert!(matches!(open(place.path("missing")), ArtifactError::DirectoryMissing(_)));
    assert!(matches!(open(place.path("plugins/kv")), ArtifactError::NotADirectory(_)));
    symlink(place.path("plugins"), place.path("link")).unwrap();
    for link in [place.path("link"), place.path("link/")] {
        let refused = open(link);
        assert!(
            matches!(&refused, ArtifactError::Outside { target, .. } if *target == place.path("plugins")),
            "{refused}"
        );
    }
    for mode in [0o775, 0o757] {
        chmod(&place.path("plugins"), mode);
        assert!(matches!(open(place.path("plugins")), ArtifactError::DirectoryWritable { .. }));
    }
}

#[test]
fn c5_the_checksum_is_compared_with_the_bytes() {
    let place = Place::new();
    let digest = ring::digest::digest(&SHA256, b"inside");
    let right = Sha256::try_from(digest.as_ref()).unwrap();
    let found = place.directory().hash(&program("kv")).unwrap();
    matching(&program("kv"), right, found).unwrap();
    let wrong = Sha256::new([0; 32]);
    let refused = matching(&program("kv"), wrong, found).unwrap_err().to_string();
    assert_eq!(
        refused,
        format!("\"kv\" in the plugin directory has SHA256 {right}, the given one is {wrong}")
    );
}

/// Exchanges something for as long as it is not told to stop.
fn while_swapping(swap: impl Fn() + Sync, work: impl FnOnce()) {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                swap();
            }
        });
        work();
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn c3_a_file_exchanged_for_a_link_out_never_opens_what_is_outside() {
    let place = Place::new();
    symlink(place.path("elsewhere/kv"), place.path("plugins/other")).unwrap();
    let names = (place.path("plugins/kv"), place.path("plugins/other"));
    let swap = || {
        let flags = rustix::fs::RenameFlags::EXCHANGE;
        rustix::fs::renameat_with(CWD, &names.0, CWD, &names.1, flags).unwrap();
    };
    while_swapping(swap, || {
        for _ in 0..2_000 {
            if let Ok(text) = place.open("kv") {
                assert_eq!(text, "inside");
            }
        }
    });
}

#[test]
fn c3_a_directory_exchanged_for_a_link_never_opens_what_it_leads_to() {
    let place = Place::new();
    symlink(place.path("elsewhere"), place.path("link")).unwrap();
    let names = (place.path("plugins"), place.path("link"));
    let swap = || {
        let flags = rustix::fs::RenameFlags::EXCHANGE;
        rustix::fs::renameat_with(CWD, &names.0, CWD, &names.1, flags).unwrap();
    };
    let opened = std::cell::Cell::new(0);
    while_swapping(swap, || {
        for _ in 0..2_000 {
            if let Ok(text) = place.open("kv") {
                assert_eq!(text, "inside");
                opened.set(opened.get() + 1);
            }
        }
    });
    assert!(opened.get() > 0, "it never opened at all");
}
