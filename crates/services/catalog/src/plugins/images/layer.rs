use std::io::{self, Read};

use domain::{Sha256, path_in_image};
use flate2::read::MultiGzDecoder;
use tar::{Archive, EntryType};

use super::{DownloadError, candidate::Candidate};
use crate::plugins::directory::PluginDirectory;

/// How a layer removes a file of those below it.
const WHITEOUT: &str = ".wh.";
/// How it removes all that a folder has in those below it.
const OPAQUE: &str = ".wh..wh..opq";

/// What is looked for.
#[derive(Debug)]
pub(super) struct Wanted {
    /// Its path in the image.
    pub(super) path: String,
    pub(super) sha256: Sha256,
    /// In bytes.
    pub(super) largest: u64,
}

/// What a layer says about it.
#[derive(Debug)]
pub(super) enum Seen {
    /// Here it is.
    Taken(Candidate),
    /// It is not in the image, even if layers below have it.
    Removed,
    /// Nothing.
    Nothing,
}

/// How a layer's archive is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Plain,
    Gzip,
}

impl Packing {
    /// As its media type says, in the words of OCI or of Docker.
    pub(super) fn of(media_type: &str) -> Result<Self, DownloadError> {
        match media_type.rsplit_once("tar") {
            Some((_, "")) => Ok(Self::Plain),
            Some((_, "+gzip" | ".gzip")) => Ok(Self::Gzip),
            _ => Err(DownloadError::Packing(media_type.to_owned())),
        }
    }
}

/// How many bytes of unpacked layers may still be looked through.
#[derive(Debug)]
pub(super) struct Budget {
    whole: u64,
    left: u64,
}

impl Budget {
    pub(super) const fn of(bytes: u64) -> Self {
        Self { whole: bytes, left: bytes }
    }

    pub(super) const fn left(&self) -> u64 {
        self.left
    }
}

/// A reader that spends a budget.
struct Spending<'b, R> {
    from: R,
    budget: &'b mut Budget,
}

impl<R: Read> Read for Spending<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(into)?;
        self.budget.left = self.budget.left.saturating_sub(read as u64);
        if self.budget.left == 0 { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(read) }
    }
}

/// Looks through a layer, and takes out the file that is wanted.
pub(super) fn search(
    layer: impl Read,
    packing: Packing,
    wanted: &Wanted,
    budget: &mut Budget,
    directory: &PluginDirectory,
) -> Result<Seen, DownloadError> {
    let unpacked: Box<dyn Read + '_> = match packing {
        Packing::Plain => Box::new(layer),
        Packing::Gzip => Box::new(MultiGzDecoder::new(layer)),
    };
    let searched = walk(Spending { from: unpacked, budget }, wanted, directory);
    match searched {
        Err(DownloadError::Archive(_)) if budget.left == 0 => Err(DownloadError::TooMuch(budget.whole)),
        searched => searched,
    }
}

fn walk(layer: impl Read, wanted: &Wanted, directory: &PluginDirectory) -> Result<Seen, DownloadError> {
    let mut removed = false;
    let mut archive = Archive::new(layer);
    // Raw: the bytes of long names and other extras are passed over, not kept in memory.
    for entry in archive.entries().map_err(DownloadError::Archive)?.raw(true) {
        let entry = entry.map_err(DownloadError::Archive)?;
        let kind = entry.header().entry_type();
        if is_extra(kind) {
            continue;
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if path.split('/').any(|part| part == "..") {
            return Err(DownloadError::Outside(path));
        }
        let Some(path) = path_in_image(&path) else { continue };
        if path == wanted.path {
            let mut candidate = taken(kind, entry.size(), wanted, directory)?;
            candidate.fill(entry, wanted.sha256)?;
            return Ok(Seen::Taken(candidate));
        }
        // A file or a link where a folder of its path was.
        removed |=
            removes(&path, &wanted.path) || (kind != EntryType::Directory && lies_below(&wanted.path, &path));
    }
    Ok(if removed { Seen::Removed } else { Seen::Nothing })
}

/// Says more about the entry that follows.
fn is_extra(kind: EntryType) -> bool {
    kind.is_pax_global_extensions()
        || kind.is_pax_local_extensions()
        || kind.is_gnu_longname()
        || kind.is_gnu_longlink()
}

fn taken(
    kind: EntryType,
    size: u64,
    wanted: &Wanted,
    directory: &PluginDirectory,
) -> Result<Candidate, DownloadError> {
    let what = match kind {
        EntryType::Regular if size <= wanted.largest => return Candidate::new(directory, wanted.sha256),
        EntryType::Regular => return Err(DownloadError::TooLarge { size, largest: wanted.largest }),
        EntryType::Directory => "a directory",
        EntryType::Link | EntryType::Symlink => "a link",
        EntryType::Char | EntryType::Block => "a device",
        EntryType::Fifo => "a pipe",
        _ => "something else",
    };
    Err(DownloadError::NotAFile { path: wanted.path.clone(), what })
}

/// Whether the file at `path` says that layers below have nothing at `wanted`.
fn removes(path: &str, wanted: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    if name == OPAQUE {
        return folder.is_empty() || lies_below(wanted, folder);
    }
    let Some(name) = name.strip_prefix(WHITEOUT) else { return false };
    let gone = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    wanted == gone || lies_below(wanted, &gone)
}

fn lies_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests;
