use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::Context;
use ring::digest::{Context as Digest, SHA256};
use serde_json::json;

use super::api::Api;

/// Registers every program in a folder, as whatever type of plugin it turns out to be.
/// One that is none is passed over, with a warning.
pub async fn register(api: &mut Api, folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut registered = Vec::new();
    for program in programs(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let Some(name) = program.file_name().and_then(|name| name.to_str()) else { continue };
        let sha256 = digest(&program).with_context(|| format!("cannot read {}", program.display()))?;
        let entry = json!({"command": name, "sha256": sha256});
        match api.write(&format!("sys/plugins/catalog/{name}"), entry).await {
            Ok(_) => registered.push(name.to_owned()),
            Err(error) => tracing::warn!("{name} is not registered as a plugin: {error:#}"),
        }
    }
    Ok(registered)
}

/// The programs directly in a folder, by name.
fn programs(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut programs = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let data = fs::metadata(&path)?;
        if data.is_file() && data.permissions().mode() & 0o111 != 0 {
            programs.push(path);
        }
    }
    programs.sort();
    Ok(programs)
}

fn digest(path: &Path) -> io::Result<String> {
    let mut digest = Digest::new(&SHA256);
    io::copy(&mut fs::File::open(path)?, &mut Writer(&mut digest))?;
    Ok(hex::encode(digest.finish()))
}

struct Writer<'d>(&'d mut Digest);

impl io::Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_programs_are_taken_and_they_are_hashed_whole() {
        let folder = tempfile::tempdir().unwrap();
        for (name, mode) in [("b", 0o700), ("a", 0o755), ("notes.txt", 0o600)] {
            let path = folder.path().join(name);
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }
        fs::create_dir(folder.path().join("c")).unwrap();
        let found = programs(folder.path()).unwrap();
        assert_eq!(found, [folder.path().join("a"), folder.path().join("b")]);
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(digest(&found[0]).unwrap(), empty);
    }
}
