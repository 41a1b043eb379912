use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};

use bytes::Bytes;

use crate::{error::Unfit, output::Output, place};

/// A file that records are added to. It is opened when it is needed, and again after an error.
pub(crate) struct AppendedFile {
    path: PathBuf,
    mode: Option<u32>,
    plugins: Option<PathBuf>,
    file: Option<File>,
    /// A record was cut off in the middle: the next one begins on a line of its own.
    torn: bool,
}

impl AppendedFile {
    pub(crate) fn new(path: PathBuf, mode: Option<u32>, plugins: Option<&Path>) -> Self {
        Self { path, mode, plugins: plugins.map(Path::to_owned), file: None, torn: false }
    }

    fn append(&mut self, lines: &[u8]) -> Result<(), Unfit> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(place::open(&self.path, self.mode, self.plugins.as_deref())?),
        };
        if self.torn {
            file.write_all(b"\n")?;
            self.torn = false;
        }
        write_all(file, lines, &mut self.torn)?;
        Ok(())
    }
}

impl Output for AppendedFile {
    fn write(&mut self, records: &[Bytes]) -> Result<(), Unfit> {
        let lines = records.concat();
        self.append(&lines).or_else(|_| {
            self.file = None;
            self.append(&lines)
        })
    }

    fn reopen(&mut self) {
        self.file = None;
        self.torn = false;
    }
}

/// As the standard library does it, but says whether something was written before the error.
fn write_all(file: &mut impl Write, mut lines: &[u8], torn: &mut bool) -> io::Result<()> {
    while !lines.is_empty() {
        match file.write(lines) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                lines = lines.get(written..).unwrap_or_default();
                *torn = !lines.is_empty();
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn line(text: &str) -> [Bytes; 1] {
        [Bytes::from(format!("{text}\n"))]
    }

    #[test]
    fn a_file_that_was_moved_away_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (path, old) = (folder.path().join("audit.log"), folder.path().join("audit.log.1"));
        let mut file = AppendedFile::new(path.clone(), None, None);
        file.write(&line("one")).unwrap();
        fs::rename(&path, &old).unwrap();
        file.write(&line("two")).unwrap();
        file.reopen();
        file.write(&line("three")).unwrap();
        assert_eq!(fs::read_to_string(old).unwrap(), "one\ntwo\n");
        assert_eq!(fs::read_to_string(path).unwrap(), "three\n");
    }

    #[test]
    fn a_file_that_could_not_be_opened_is_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        fs::create_dir(&path).unwrap();
        let mut file = AppendedFile::new(path.clone(), Some(0o600), None);
        assert!(file.write(&line("lost")).is_err());
        fs::remove_dir(&path).unwrap();
        file.write(&line("kept")).unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), "kept\n");
    }

    /// Takes a few bytes, then fails.
    struct Full(Vec<u8>);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let room = bytes.len().min(8 - self.0.len());
            self.0.extend_from_slice(&bytes[..room]);
            if room == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(room) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_record_that_was_cut_off_is_noticed() {
        let (mut full, mut torn) = (Full(Vec::new()), false);
        write_all(&mut full, b"whole\n", &mut torn).unwrap();
        assert!(!torn);
        assert!(write_all(&mut full, b"too long\n", &mut torn).is_err());
        assert!(torn);
        assert_eq!(full.0, b"whole\nto");
    }
}
