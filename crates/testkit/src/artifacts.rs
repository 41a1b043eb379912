//! The plugins that stories run, and the other programs they need; each is built when it is missing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ring::digest;

use crate::paths::{built, repository};

/// A plugin's program on disk.
#[derive(Clone, Debug)]
pub struct Plugin {
    /// Where it is.
    pub path: PathBuf,
    /// Its checksum, in hex.
    pub sha256: String,
}

impl Plugin {
    /// The program at `path`.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
        Self { sha256: hex::encode(digest::digest(&digest::SHA256, &bytes)), path }
    }

    /// Its file name, which is how a catalog entry names it.
    pub fn command(&self) -> &str {
        self.path.file_name().and_then(|name| name.to_str()).expect("a plugin has a file name")
    }
}

/// The unmodified Go plugin that `tests/plugins/build` knows by this name.
pub fn go_plugin(name: &str) -> Plugin {
    Plugin::at(script("tests/plugins/build", &[name]))
}

/// Our fixture that misbehaves before and in the handshake, as its arguments say.
pub fn bad_plugin() -> Plugin {
    let path = built("badplugin");
    assert!(path.is_file(), "{} is missing: cargo build -p stories", path.display());
    Plugin::at(path)
}

/// The built-in plugin of this name as a program of its own.
pub fn own_plugin(name: &str) -> Plugin {
    let path = built(&format!("mortise-plugin-{name}"));
    assert!(path.is_file(), "{} is missing: cargo build -p engines --bins", path.display());
    Plugin::at(path)
}

/// A program that `cc` makes of this C text, as the file `name` in `folder`.
pub fn c_program(folder: &Path, name: &str, text: &str, options: &[&str]) -> Plugin {
    let source = folder.join(name).with_extension("c");
    fs::write(&source, text).expect("a source can be written");
    let target = folder.join(name);
    let compiled = Command::new("cc").args(options).arg("-o").arg(&target).arg(&source).status();
    assert!(compiled.is_ok_and(|status| status.success()), "cc cannot compile {}", source.display());
    Plugin::at(target)
}

/// A Python interpreter that has the clients of `tests/clients/requirements.txt`.
pub fn python() -> PathBuf {
    script("tests/clients/prepare", &[])
}

/// Runs a script that prints the path of what it made.
fn script(path: &str, arguments: &[&str]) -> PathBuf {
    let program: &Path = &repository().join(path);
    let run = Command::new(program).args(arguments).output().expect("a script of ours can be run");
    let complaint = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{path} {arguments:?} failed:\n{complaint}");
    PathBuf::from(String::from_utf8_lossy(&run.stdout).trim())
}
