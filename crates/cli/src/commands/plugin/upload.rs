use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::Path,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::Sha256;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::hash::sha256;
use crate::{Error, client::Request, error::Result, session::Session};

/// As much is sent in one request; in base64 it is less than a server takes in one text.
const PIECE: u64 = 512 << 10;
const BAR: &str = "{msg} {bar:40} {bytes}/{total_bytes} {bytes_per_sec}";

/// A program, and what it hashes to.
#[derive(Debug)]
pub(super) struct Program<'p> {
    path: &'p Path,
    file: File,
    pub sha256: Sha256,
}

impl<'p> Program<'p> {
    /// Opens and hashes it.
    pub(super) fn open(path: &'p str) -> Result<Self> {
        let path = Path::new(path);
        let file = File::open(path).map_err(|error| Error::unreadable(path, &error))?;
        let sha256 = sha256(&file).map_err(|error| Error::unreadable(path, &error))?;
        Ok(Self { path, file, sha256 })
    }

    /// What the file is called.
    pub(super) fn name(&self) -> Result<&'p str> {
        let name = self.path.file_name().and_then(|name| name.to_str());
        name.ok_or_else(|| Error::local("give -command: the file has no name"))
    }

    /// Sends what the server does not have yet, and has it put into its place.
    pub(super) fn send(mut self, session: &Session<'_>, command: &str) -> Result<()> {
        let path = format!("sys/plugins/upload/{}", self.sha256);
        let doing = || format!("Error sending {}", self.path.display());
        let known = session
            .find(&Request::get(&*path), doing)?
            .and_then(|secret| secret.data?.get("received")?.as_u64());
        let unreadable = |error| Error::unreadable(self.path, &error);
        let mut offset = self.file.seek(SeekFrom::Start(known.unwrap_or_default())).map_err(unreadable)?;
        let bar = ProgressBar::new(self.file.metadata().map_err(unreadable)?.len());
        bar.set_style(ProgressStyle::with_template(BAR).unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(command.to_owned());
        loop {
            bar.set_position(offset);
            let mut piece = Vec::with_capacity(PIECE as usize);
            (&mut self.file).take(PIECE).read_to_end(&mut piece).map_err(unreadable)?;
            if piece.is_empty() {
                break;
            }
            let body = json!({ "offset": offset, "data": STANDARD.encode(&piece) });
            session.ask(&Request::post(&*path, body), doing)?;
            offset += piece.len() as u64;
        }
        bar.finish_and_clear();
        session.ask(&Request::post(&*path, json!({ "command": command })), doing)?;
        Ok(())
    }
}
