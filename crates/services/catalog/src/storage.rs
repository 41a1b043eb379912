use std::{
    sync::{Arc, LazyLock},
    time::Instant,
};

use ::storage::{Barrier, Key, Prefix, Storage as _, Write};
use metrics::{Histogram, histogram};
use spans::{Attribute, Failed, Span, Stored, Work, note};
use tonic::{Request, Response, Status};
use wire::catalog::v1::{
    self, CommitReply, CommitRequest, GetReply, GetRequest, ListReply, ListRequest, storage_server,
};

use crate::Error;

/// The most writes of one commit.
const WRITES: usize = 65_536;

/// The most bytes of one commit.
const BYTES: usize = 64 << 20;

// How long callers wait, under Vault's names. Looked up once: every request comes here.
static GETS: LazyLock<Histogram> = LazyLock::new(|| histogram!("vault.barrier.get"));
static LISTS: LazyLock<Histogram> = LazyLock::new(|| histogram!("vault.barrier.list"));
static COMMITS: LazyLock<Histogram> = LazyLock::new(|| histogram!("vault.barrier.put"));

fn millis(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1000.0
}

/// Everything stored, behind the barrier.
pub struct StorageService(Arc<Barrier>);

impl StorageService {
    pub(crate) fn new(barrier: Arc<Barrier>) -> Self {
        Self(barrier)
    }

    async fn read(&self, request: GetRequest) -> Result<GetReply, Error> {
        let (begun, key) = (Instant::now(), Key::try_from(request.key)?);
        let value = self.0.get(&key).await?;
        GETS.record(millis(begun));
        Ok(GetReply { value })
    }

    async fn children(&self, request: ListRequest) -> Result<ListReply, Error> {
        let (begun, prefix) = (Instant::now(), Prefix::try_from(request.prefix)?);
        let limit = match request.limit {
            0 => usize::MAX,
            limit => usize::try_from(limit).unwrap_or(usize::MAX),
        };
        let keys = self.0.page(&prefix, &request.after, limit).await?;
        LISTS.record(millis(begun));
        Ok(ListReply { keys })
    }

    async fn write(&self, request: CommitRequest) -> Result<CommitReply, Error> {
        let begun = Instant::now();
        self.0.commit(writes_of(request.writes)?).await?;
        COMMITS.record(millis(begun));
        Ok(CommitReply {})
    }
}

/// Checks the writes of a request.
pub(crate) fn writes_of(writes: Vec<v1::Write>) -> Result<Vec<Write>, Error> {
    let bytes =
        writes.iter().map(|write| write.key.len() + write.value.as_ref().map_or(0, bytes::Bytes::len)).sum();
    for (what, actual, limit) in [("writes", writes.len(), WRITES), ("bytes", bytes, BYTES)] {
        if actual > limit {
            return Err(Error::CommitTooLarge { what, limit, actual });
        }
    }
    writes.into_iter().map(write_of).collect()
}

fn write_of(write: v1::Write) -> Result<Write, Error> {
    let key = Key::try_from(write.key)?;
    Ok(match write.value {
        Some(value) => Write::Put(key, value),
        None => Write::Delete(key),
    })
}

/// A span of the trace of whoever asks.
async fn traced<T>(stored: Stored, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let span = Span::begin(&Work::Catalog(stored));
    let outcome = span.around(work).await;
    if let Err(error) = &outcome {
        span.fail(Failed::Kind(error.kind()));
    }
    outcome
}

#[tonic::async_trait]
impl storage_server::Storage for StorageService {
    async fn get(&self, request: Request<GetRequest>) -> Result<Response<GetReply>, Status> {
        Ok(Response::new(traced(Stored::Get, self.read(request.into_inner())).await?))
    }

    async fn list(&self, request: Request<ListRequest>) -> Result<Response<ListReply>, Status> {
        Ok(Response::new(traced(Stored::List, self.children(request.into_inner())).await?))
    }

    async fn commit(&self, request: Request<CommitRequest>) -> Result<Response<CommitReply>, Status> {
        let request = request.into_inner();
        let writes = request.writes.len();
        let writing = async {
            note(Attribute::Writes(writes));
            self.write(request).await
        };
        Ok(Response::new(traced(Stored::Commit, writing).await?))
    }
}
