use std::{
    fs,
    io::{Cursor, Write},
    os::unix::fs::PermissionsExt,
};

use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;
use tar::{Builder, Header};
use tempfile::TempDir;

use super::*;

const PROGRAM: &[u8] = b"a program";

/// An archive of these entries: path, kind, content.
fn archive(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (path, kind, content) in entries {
        let mut header = Header::new_ustar();
        // Written as it is: no tool makes an archive with a path that leads out.
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o4755);
        header.set_cksum();
        builder.append(&header, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

fn file<'a>(path: &'a str, content: &'a [u8]) -> (&'a str, EntryType, &'a [u8]) {
    (path, EntryType::Regular, content)
}

struct Place {
    outer: TempDir,
    directory: PluginDirectory,
}

impl Place {
    fn new() -> Self {
        let outer = tempfile::tempdir().unwrap();
        fs::set_permissions(outer.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let directory = PluginDirectory::new(Some(outer.path().to_owned()));
        Self { outer, directory }
    }

    fn search(&self, layer: &[u8], packing: Packing, largest: u64) -> Result<Seen, DownloadError> {
        let sha256 = Sha256::try_from(ring::digest::digest(&ring::digest::SHA256, PROGRAM).as_ref()).unwrap();
        let wanted = Wanted { path: "bin/kv".to_owned(), sha256, largest };
        let mut budget = Budget::of(largest * 4 + (8 << 10));
        search(Cursor::new(layer), packing, &wanted, &mut budget, &self.directory)
    }

    fn plain(&self, entries: &[(&str, EntryType, &[u8])]) -> Result<Seen, DownloadError> {
        self.search(&archive(entries), Packing::Plain, 100)
    }

    fn refused(&self, entries: &[(&str, EntryType, &[u8])]) -> String {
        let refused = self.plain(entries).unwrap_err().to_string();
        assert_eq!(self.files(), [""; 0], "{refused}");
        refused
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.outer.path()).unwrap().flatten();
        entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
    }
}

#[test]
fn c9_a_file_of_an_image_has_its_name_only_when_it_is_whole_and_the_one_that_was_meant() {
    let place = Place::new();
    fs::write(place.outer.path().join(".download-of-a-server-that-was-killed"), "half").unwrap();
    fs::write(place.outer.path().join("secret-kv-v1"), "another one").unwrap();
    let Ok(Seen::Taken(candidate)) = place.plain(&[file("etc/x", b"x"), file("./bin/kv", PROGRAM)]) else {
        panic!("it is there");
    };
    let (mut files, path) = (place.files(), place.outer.path().join("secret-kv-v1"));
    files.sort();
    assert!(files[0].starts_with(".download-") && files[1..] == ["secret-kv-v1"], "{files:?}");
    let mode =
        |name: &str| fs::metadata(place.outer.path().join(name)).unwrap().permissions().mode() & 0o7777;
    assert_eq!((fs::read(&path).unwrap(), mode(&files[0])), (b"another one".to_vec(), 0o600));
    candidate.place("secret-kv-v1").unwrap();
    assert_eq!((fs::read(&path).unwrap(), mode("secret-kv-v1")), (PROGRAM.to_vec(), 0o755));
    assert_eq!(place.files(), ["secret-kv-v1"]);
}

#[test]
fn c9_what_is_no_file_or_another_one_or_leads_out_leaves_nothing() {
    let place = Place::new();
    for (kind, what) in [
        (EntryType::Symlink, "a link"),
        (EntryType::Link, "a link"),
        (EntryType::Char, "a device"),
        (EntryType::Fifo, "a pipe"),
        (EntryType::Directory, "a directory"),
    ] {
        let said = format!("\"bin/kv\" in the image is {what}, not a file");
        assert_eq!(place.refused(&[("bin/kv", kind, b"")]), said);
    }
    for path in ["../secret-kv", "bin/../../x", "/../x", ".."] {
        let said = format!("a layer of the image has the path {path:?}, which leads out of the image");
        assert_eq!(place.refused(&[file(path, b"x"), file("bin/kv", PROGRAM)]), said);
    }
    let other = place.refused(&[file("bin/kv", b"another program")]);
    assert!(other.starts_with("the plugin's program in the image has SHA256 "), "{other}");
}

#[test]
fn c9_sizes_are_limited_before_and_while_unpacking() {
    let place = Place::new();
    let large = place.refused(&[file("bin/kv", &[0; 101])]);
    assert_eq!(large, "the plugin's program has 101 bytes, at most 100 are taken (plugin_download_max_size)");
    // A small packet that is large when it is unpacked.
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&archive(&[file("etc/zeros", &vec![0; 1 << 20]), file("bin/kv", PROGRAM)])).unwrap();
    let packed = packed.finish().unwrap();
    assert!(packed.len() < 4 << 10);
    let bomb = place.search(&packed, Packing::Gzip, 100).unwrap_err();
    assert!(matches!(bomb, DownloadError::TooMuch(_)), "{bomb}");
    assert!(matches!(place.search(&packed, Packing::Gzip, 1 << 20), Ok(Seen::Taken(_))));
    // One that says more than it has.
    let whole = archive(&[file("bin/kv", PROGRAM)]);
    let cut = place.search(&whole[..515], Packing::Plain, 100).unwrap_err();
    assert!(matches!(cut, DownloadError::Mismatch { .. } | DownloadError::Archive(_)), "{cut}");
    assert_eq!(place.files(), [""; 0]);
}

#[test]
fn a_layer_removes_what_those_below_it_have() {
    let place = Place::new();
    for (path, removed) in [
        ("bin/.wh.kv", true),
        (".wh.bin", true),
        ("bin/.wh..wh..opq", true),
        (".wh..wh..opq", true),
        ("bin", true),
        ("bin/.wh.other", false),
        ("etc/.wh..wh..opq", false),
        ("bin/kv2", false),
        ("bi", false),
    ] {
        let seen = place.plain(&[file(path, b"")]).unwrap();
        assert_eq!(matches!(seen, Seen::Removed), removed, "{path}: {seen:?}");
    }
    let both = place.plain(&[file("bin/.wh..wh..opq", b""), file("bin/kv", PROGRAM)]).unwrap();
    assert!(matches!(both, Seen::Taken(_)), "what a layer removes, it may have anew");
}

#[test]
fn layers_are_archives_plain_or_packed_with_gzip() {
    for (media_type, packing) in [
        ("application/vnd.oci.image.layer.v1.tar", Some(Packing::Plain)),
        ("application/vnd.oci.image.layer.v1.tar+gzip", Some(Packing::Gzip)),
        ("application/vnd.docker.image.rootfs.diff.tar.gzip", Some(Packing::Gzip)),
        ("application/vnd.oci.image.layer.v1.tar+zstd", None),
        ("application/octet-stream", None),
    ] {
        assert_eq!(Packing::of(media_type).ok(), packing, "{media_type}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn c9_no_damage_to_a_layer_makes_another_program_of_it(at: prop::sample::Index, byte: u8, packed: bool) {
        let place = Place::new();
        let mut layer = archive(&[file("etc/x", b"x"), file("bin/kv", PROGRAM)]);
        if packed {
            let mut packer = GzEncoder::new(Vec::new(), Compression::best());
            packer.write_all(&layer).unwrap();
            layer = packer.finish().unwrap();
        }
        let (at, packing) = (at.index(layer.len()), if packed { Packing::Gzip } else { Packing::Plain });
        layer[at] = byte;
        for layer in [&layer[..], &layer[..at]] {
            if let Ok(Seen::Taken(candidate)) = place.search(layer, packing, 100) {
                candidate.place("kv").unwrap();
                prop_assert_eq!(fs::read(place.outer.path().join("kv")).unwrap(), PROGRAM);
                fs::remove_file(place.outer.path().join("kv")).unwrap();
            }
            prop_assert_eq!(place.files(), [""; 0]);
        }
    }
}
