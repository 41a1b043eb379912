use std::{
    fs::File,
    io::{self, Read},
};

use bytes::Bytes;
use tokio::sync::mpsc::{self, Sender};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use wire::catalog::v1::Chunk;

use super::{ArtifactError, PluginError, directory::PluginDirectory, record::Record};
use crate::Error;

/// Bytes that are sent at a time.
const CHUNK: usize = 512 << 10;

/// Chunks that wait for a slow reader.
const AHEAD: usize = 2;

/// The bytes of a plugin's file, all from one open descriptor.
pub(super) async fn stream(
    directory: PluginDirectory,
    record: Record,
) -> Result<ReceiverStream<Result<Chunk, Status>>, Error> {
    let (sender, chunks) = mpsc::channel(AHEAD);
    let command = record.command.clone();
    let opened = tokio::task::spawn_blocking(move || directory.open(&command))
        .await
        .map_err(::storage::Error::backend)?;
    let name = record.id.name.clone();
    let file = opened.map_err(|source| PluginError::Broken { name, source })?;
    tokio::task::spawn_blocking(move || send(file, &record, &sender));
    Ok(ReceiverStream::new(chunks))
}

fn send(mut file: File, record: &Record, sender: &Sender<Result<Chunk, Status>>) {
    loop {
        let item = match read(&mut file) {
            Ok(data) if data.is_empty() => return,
            Ok(data) => Ok(Chunk { data }),
            Err(source) => Err(broken(record, source)),
        };
        let failed = item.is_err();
        // An error ends the stream, and so does a reader that has gone away.
        if sender.blocking_send(item).is_err() || failed {
            return;
        }
    }
}

fn broken(record: &Record, source: io::Error) -> Status {
    let source = ArtifactError::Read { command: record.command.clone(), source };
    Error::from(PluginError::Broken { name: record.id.name.clone(), source }).into()
}

fn read(file: &mut File) -> io::Result<Bytes> {
    let mut chunk = Vec::with_capacity(CHUNK);
    file.take(CHUNK as u64).read_to_end(&mut chunk)?;
    Ok(chunk.into())
}
