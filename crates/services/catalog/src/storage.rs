use std::sync::Arc;

use ::storage::{Barrier, Key, Prefix, Storage as _, Write};
use tonic::{Request, Response, Status};
use wire::catalog::v1::{
    self, CommitReply, CommitRequest, GetReply, GetRequest, ListReply, ListRequest, storage_server,
};

use crate::Error;

/// The most writes of one commit.
const WRITES: usize = 65_536;

/// The most bytes of one commit.
const BYTES: usize = 64 << 20;

/// Everything stored, behind the barrier.
pub struct StorageService(Arc<Barrier>);

impl StorageService {
    pub(crate) fn new(barrier: Arc<Barrier>) -> Self {
        Self(barrier)
    }

    async fn read(&self, request: GetRequest) -> Result<GetReply, Error> {
        let key = Key::try_from(request.key)?;
        Ok(GetReply { value: self.0.get(&key).await? })
    }

    async fn children(&self, request: ListRequest) -> Result<ListReply, Error> {
        let prefix = Prefix::try_from(request.prefix)?;
        let limit = match request.limit {
            0 => usize::MAX,
            limit => usize::try_from(limit).unwrap_or(usize::MAX),
        };
        Ok(ListReply { keys: self.0.page(&prefix, &request.after, limit).await? })
    }

    async fn write(&self, request: CommitRequest) -> Result<CommitReply, Error> {
        self.0.commit(writes_of(request.writes)?).await?;
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

#[tonic::async_trait]
impl storage_server::Storage for StorageService {
    async fn get(&self, request: Request<GetRequest>) -> Result<Response<GetReply>, Status> {
        Ok(Response::new(self.read(request.into_inner()).await?))
    }

    async fn list(&self, request: Request<ListRequest>) -> Result<Response<ListReply>, Status> {
        Ok(Response::new(self.children(request.into_inner()).await?))
    }

    async fn commit(&self, request: Request<CommitRequest>) -> Result<Response<CommitReply>, Status> {
        Ok(Response::new(self.write(request.into_inner()).await?))
    }
}
