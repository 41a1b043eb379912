use async_trait::async_trait;
use bytes::Bytes;
use goplugin::Channel;
use storage::{Error, Key, Prefix, Result, Storage, Write};
use tonic::Status;
use wire::{
    PLUGIN_MESSAGE_LIMIT,
    pb::{self, storage_client::StorageClient},
};

/// The texts by which hosts say that this node takes no writes. OpenBao and Vault Enterprise look for the first one in
/// our answer, and then send the request on to the node that does.
const READ_ONLY: [&str; 4] = [
    "cannot write to readonly storage",
    "please forward to the active node",
    "node is not the leader",
    "Vault is in standby mode",
];

/// The mount's storage, at the host.
///
/// The plugin protocol knows no transactions: the writes of one commit are done one after the other, in order, and a
/// failure leaves those done that came before. An engine that orders its writes so that each beginning of them is
/// harmless (data first, then what points to it) is safe on every host.
pub(super) struct RemoteStorage(StorageClient<Channel>);

impl RemoteStorage {
    pub(super) fn new(channel: Channel) -> Self {
        let client = StorageClient::new(channel)
            .max_decoding_message_size(PLUGIN_MESSAGE_LIMIT)
            .max_encoding_message_size(PLUGIN_MESSAGE_LIMIT);
        Self(client)
    }

    async fn write(&self, write: Write) -> Result<()> {
        let mut client = self.0.clone();
        let err = match write {
            Write::Put(key, value) => {
                let entry = pb::StorageEntry { key: key.into(), value, seal_wrap: false };
                let args = pb::StoragePutArgs { entry: Some(entry) };
                client.put(args).await.map_err(lost)?.into_inner().err
            }
            Write::Delete(key) => {
                let args = pb::StorageDeleteArgs { key: key.into() };
                client.delete(args).await.map_err(lost)?.into_inner().err
            }
        };
        check(err)
    }
}

#[async_trait]
impl Storage for RemoteStorage {
    async fn get(&self, key: &Key) -> Result<Option<Bytes>> {
        let args = pb::StorageGetArgs { key: key.as_str().to_owned() };
        let reply = self.0.clone().get(args).await.map_err(lost)?.into_inner();
        check(reply.err)?;
        Ok(reply.entry.map(|entry| entry.value))
    }

    async fn page(&self, prefix: &Prefix, after: &str, limit: usize) -> Result<Vec<String>> {
        let args = pb::StorageListArgs { prefix: prefix.as_str().to_owned() };
        let reply = self.0.clone().list(args).await.map_err(lost)?.into_inner();
        check(reply.err)?;
        let mut keys = reply.keys;
        keys.sort_unstable();
        keys.dedup();
        Ok(keys.into_iter().filter(|key| key.as_str() > after).take(limit).collect())
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<()> {
        for write in writes {
            self.write(write).await?;
        }
        Ok(())
    }
}

fn lost(status: Status) -> Error {
    Error::backend(status.message().to_owned())
}

/// The error that a host's text stands for: the wire carries nothing else.
fn check(err: String) -> Result<()> {
    if err.is_empty() {
        return Ok(());
    }
    Err(if READ_ONLY.iter().any(|text| err.contains(text)) {
        Error::ReadOnly
    } else if err.contains("cannot write to storage during setup") {
        Error::Setup
    } else if err.contains("Vault is sealed") {
        Error::Sealed
    } else {
        Error::backend(err)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_errors_keep_their_meaning() {
        assert!(matches!(check("failed: cannot write to readonly storage".to_owned()), Err(Error::ReadOnly)));
        assert!(matches!(check("please forward to the active node".to_owned()), Err(Error::ReadOnly)));
        assert!(matches!(check("cannot write to storage during setup".to_owned()), Err(Error::Setup)));
        assert!(matches!(check("disk full".to_owned()), Err(Error::Backend(_))));
        assert!(check(String::new()).is_ok());
    }
}
