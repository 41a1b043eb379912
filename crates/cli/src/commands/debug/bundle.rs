//! The files of what was looked at: in a folder, or in an archive that unpacks to it.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};
use serde_json::Value;
use tar::{Builder, Header};

use crate::{Error, error::Result};

/// How archives end.
const ENDS: [&str; 2] = [".tar.gz", ".tgz"];

/// Where everything goes, begun before anything is looked at, so that nobody waits for what cannot be kept.
pub(super) enum Bundle {
    /// A folder.
    Folder(PathBuf),
    /// An archive, whose files are in a folder of this name.
    Archive { path: PathBuf, folder: String, file: File },
}

impl Bundle {
    /// A new one; what is there already is nobody's to overwrite.
    pub(super) fn create(output: &str, compress: bool) -> Result<Self> {
        let stem = ENDS.iter().find_map(|end| output.strip_suffix(end));
        let folder = PathBuf::from(stem.unwrap_or(output));
        let created = if compress {
            let path =
                PathBuf::from(if stem.is_some() { output.to_owned() } else { format!("{output}.tar.gz") });
            let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or("debug").to_owned();
            File::create_new(&path).map_err(|error| (path.clone(), error)).map(|file| Self::Archive {
                path,
                folder: name,
                file,
            })
        } else {
            fs::create_dir(&folder).map_err(|error| (folder.clone(), error)).map(|()| Self::Folder(folder))
        };
        created.map_err(|(path, error)| unwritable(&path, &error))
    }

    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Folder(path) | Self::Archive { path, .. } => path,
        }
    }

    /// Writes all files, by their names.
    pub(super) fn write(self, files: &[(String, Value)], seconds: u64) -> Result<()> {
        let path = self.path().to_owned();
        self.try_write(files, seconds).map_err(|error| unwritable(&path, &error))
    }

    fn try_write(self, files: &[(String, Value)], seconds: u64) -> io::Result<()> {
        match self {
            Self::Folder(folder) => {
                files.iter().try_for_each(|(name, value)| fs::write(folder.join(name), pretty(value)?))
            }
            Self::Archive { folder, file, .. } => {
                let mut archive = Builder::new(GzEncoder::new(file, Compression::default()));
                for (name, value) in files {
                    let text = pretty(value)?;
                    let mut header = Header::new_gnu();
                    header.set_size(text.len() as u64);
                    header.set_mode(0o600);
                    header.set_mtime(seconds);
                    archive.append_data(&mut header, format!("{folder}/{name}"), text.as_bytes())?;
                }
                archive.into_inner()?.finish()?.sync_all()
            }
        }
    }
}

fn pretty(value: &Value) -> io::Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

fn unwritable(path: &Path, error: &io::Error) -> Error {
    Error::local(format!("cannot write {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use flate2::read::GzDecoder;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_archive_unpacks_to_a_folder_of_its_name() {
        let home = tempfile::tempdir().unwrap();
        let output = home.path().join("told");
        let bundle = Bundle::create(output.to_str().unwrap(), true).unwrap();
        assert!(bundle.path().ends_with("told.tar.gz"));
        bundle.write(&[("config.json".to_owned(), json!([{"a": 1}]))], 7).unwrap();
        let packed = File::open(home.path().join("told.tar.gz")).unwrap();
        let mut archive = tar::Archive::new(GzDecoder::new(packed));
        let names: Vec<_> =
            archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().into_owned()).collect();
        assert_eq!(names, [PathBuf::from("told/config.json")]);
    }

    #[test]
    fn what_is_there_is_not_overwritten() {
        let home = tempfile::tempdir().unwrap();
        let output = home.path().join("told.tgz");
        fs::write(&output, "mine").unwrap();
        assert!(Bundle::create(output.to_str().unwrap(), true).is_err());
        assert_eq!(fs::read_to_string(&output).unwrap(), "mine");
        assert!(matches!(Bundle::create(output.to_str().unwrap(), false), Ok(Bundle::Folder(_))));
        assert!(home.path().join("told").is_dir());
    }
}
