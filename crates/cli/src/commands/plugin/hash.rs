use std::{
    fs::File,
    io::{self, Read},
};

use domain::Sha256;
use ring::digest;

/// Hashes without holding the file in memory.
pub(super) fn sha256(mut file: &File) -> io::Result<Sha256> {
    let mut hash = digest::Context::new(&digest::SHA256);
    let mut piece = vec![0; 64 << 10];
    loop {
        match file.read(&mut piece)? {
            0 => return Sha256::try_from(hash.finish().as_ref()).map_err(io::Error::other),
            read => hash.update(&piece[..read]),
        }
    }
}
