use async_trait::async_trait;
use bytes::Bytes;
use domain::Kind;
use tonic::Status;
use wire::catalog::v1::{CommitRequest, GetRequest, ListRequest, StorageSeam};

use crate::{Error, Key, Prefix, Result, Storage, Write};

/// The catalog's storage, as its neighbours see it.
#[derive(Clone, Debug)]
pub struct Remote(StorageSeam);

impl Remote {
    /// Storage by this client.
    pub const fn new(client: StorageSeam) -> Self {
        Self(client)
    }
}

#[async_trait]
impl Storage for Remote {
    async fn get(&self, key: &Key) -> Result<Option<Bytes>> {
        let request = GetRequest { key: key.as_str().to_owned() };
        Ok(self.0.get(request).await.map_err(error_of)?.into_inner().value)
    }

    async fn page(&self, prefix: &Prefix, after: &str, limit: usize) -> Result<Vec<String>> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        // On the wire, zero stands for all.
        let limit = u32::try_from(limit).unwrap_or_default();
        let request = ListRequest { prefix: prefix.as_str().to_owned(), after: after.to_owned(), limit };
        Ok(self.0.list(request).await.map_err(error_of)?.into_inner().keys)
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<()> {
        let writes = writes.into_iter().map(wire_of).collect();
        self.0.commit(CommitRequest { writes }).await.map_err(error_of)?;
        Ok(())
    }
}

fn wire_of(write: Write) -> wire::catalog::v1::Write {
    let (key, value) = match write {
        Write::Put(key, value) => (key, Some(value)),
        Write::Delete(key) => (key, None),
    };
    wire::catalog::v1::Write { key: key.into(), value }
}

fn error_of(status: Status) -> Error {
    let failure = wire::failure_of(&status);
    match failure.kind {
        Kind::Sealed => Error::Sealed,
        Kind::ReadOnly => Error::ReadOnly,
        kind => Error::Refused { kind, message: failure.to_string() },
    }
}
