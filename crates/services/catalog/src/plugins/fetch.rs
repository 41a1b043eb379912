use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
};

use bytes::Bytes;
use tokio::sync::mpsc::{self, Sender};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use wire::catalog::v1::Chunk;

use super::{
    ArtifactError, PluginError,
    directory::PluginDirectory,
    record::{Program, Record},
};
use crate::Error;

/// Bytes that are sent at a time.
const CHUNK: usize = 512 << 10;

/// Chunks that wait for a slow reader.
const AHEAD: usize = 2;

/// A plugin's file and how long it is.
struct Source {
    file: File,
    size: u64,
}

/// The bytes of a plugin's file from an offset on, all from one open descriptor.
pub(super) async fn stream(
    directory: PluginDirectory,
    record: Record,
    offset: u64,
) -> Result<ReceiverStream<Result<Chunk, Status>>, Error> {
    let (sender, chunks) = mpsc::channel(AHEAD);
    let program = record.program.clone();
    let opened = tokio::task::spawn_blocking(move || open(&directory, &program, offset))
        .await
        .map_err(::storage::Error::backend)?;
    let name = record.id.name.clone();
    let source = opened.map_err(|source| PluginError::Broken { name, source })?;
    tokio::task::spawn_blocking(move || send(source, &record, &sender));
    Ok(ReceiverStream::new(chunks))
}

fn open(directory: &PluginDirectory, program: &Program, offset: u64) -> Result<Source, ArtifactError> {
    let unreadable = |source| ArtifactError::Read { command: program.command.clone(), source };
    let mut file = directory.open(program)?;
    let size = file.metadata().map_err(unreadable)?.len();
    file.seek(SeekFrom::Start(offset)).map_err(unreadable)?;
    Ok(Source { file, size })
}

fn send(mut source: Source, record: &Record, sender: &Sender<Result<Chunk, Status>>) {
    loop {
        let item = match read(&mut source.file) {
            Ok(data) if data.is_empty() => return,
            Ok(data) => Ok(Chunk { data, size: source.size }),
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
    let source = ArtifactError::Read { command: record.program.command.clone(), source };
    Error::from(PluginError::Broken { name: record.id.name.clone(), source }).into()
}

fn read(file: &mut File) -> io::Result<Bytes> {
    let mut chunk = Vec::with_capacity(CHUNK);
    file.take(CHUNK as u64).read_to_end(&mut chunk)?;
    Ok(chunk.into())
}
