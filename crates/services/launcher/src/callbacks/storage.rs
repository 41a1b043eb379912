use std::{error::Error as _, sync::Arc};

use ::storage::{Error, Key, Storage, Write};
use tonic::{Request, Response, Status};
use wire::pb::{self, storage_server};

use super::Gate;

/// A mount's storage as its plugin sees it. Failures are texts in the answer, as Vault gives them.
pub struct MountStorage {
    pub view: Arc<dyn Storage>,
    pub gate: Gate,
}

impl MountStorage {
    async fn commit(&self, write: Result<Write, Error>) -> Result<(), Error> {
        let write = write?;
        if !self.gate.is_open() {
            return Err(Error::Setup);
        }
        self.view.commit(vec![write]).await
    }
}

fn key(text: String) -> Result<Key, Error> {
    Ok(text.try_into()?)
}

/// The sentence of an error, with its cause.
fn text(error: &Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

fn text_of(outcome: Result<(), Error>) -> String {
    outcome.err().map(|error| text(&error)).unwrap_or_default()
}

#[tonic::async_trait]
impl storage_server::Storage for MountStorage {
    async fn list(
        &self,
        request: Request<pb::StorageListArgs>,
    ) -> Result<Response<pb::StorageListReply>, Status> {
        let listed = match request.into_inner().prefix.try_into() {
            Ok(prefix) => self.view.list(&prefix).await,
            Err(invalid) => Err(Error::Key(invalid)),
        };
        Ok(Response::new(match listed {
            Ok(keys) => pb::StorageListReply { keys, err: String::new() },
            Err(error) => pb::StorageListReply { keys: Vec::new(), err: text(&error) },
        }))
    }

    async fn get(
        &self,
        request: Request<pb::StorageGetArgs>,
    ) -> Result<Response<pb::StorageGetReply>, Status> {
        let name = request.into_inner().key;
        let got = match key(name.clone()) {
            Ok(key) => self.view.get(&key).await,
            Err(error) => Err(error),
        };
        Ok(Response::new(match got {
            Ok(value) => pb::StorageGetReply {
                entry: value.map(|value| pb::StorageEntry { key: name, value, seal_wrap: false }),
                err: String::new(),
            },
            Err(error) => pb::StorageGetReply { entry: None, err: text(&error) },
        }))
    }

    async fn put(
        &self,
        request: Request<pb::StoragePutArgs>,
    ) -> Result<Response<pb::StoragePutReply>, Status> {
        let Some(entry) = request.into_inner().entry else {
            return Ok(Response::new(pb::StoragePutReply { err: "cannot write nil entry".to_owned() }));
        };
        let write = key(entry.key).map(|key| Write::Put(key, entry.value));
        Ok(Response::new(pb::StoragePutReply { err: text_of(self.commit(write).await) }))
    }

    async fn delete(
        &self,
        request: Request<pb::StorageDeleteArgs>,
    ) -> Result<Response<pb::StorageDeleteReply>, Status> {
        let write = key(request.into_inner().key).map(Write::Delete);
        Ok(Response::new(pb::StorageDeleteReply { err: text_of(self.commit(write).await) }))
    }
}

#[cfg(test)]
mod tests {
    use ::storage::{InMemory, View};
    use bytes::Bytes;
    use http::uri::PathAndQuery;
    use pb::storage_server::Storage as _;
    use tonic::{Code, client::Grpc, metadata::MetadataValue, service::Routes};
    use tonic_prost::ProstCodec;

    use super::*;

    fn mounts() -> (Arc<dyn Storage>, MountStorage) {
        let whole: Arc<dyn Storage> = Arc::new(InMemory::default());
        let view = Arc::new(View::new(Arc::clone(&whole), "logical/one/".parse().unwrap()));
        (whole, MountStorage { view, gate: Gate::default() })
    }

    fn entry(key: &str) -> Request<pb::StoragePutArgs> {
        let value = Bytes::from_static(b"v");
        let entry = pb::StorageEntry { key: key.to_owned(), value, seal_wrap: false };
        Request::new(pb::StoragePutArgs { entry: Some(entry) })
    }

    async fn put(storage: &MountStorage, request: Request<pb::StoragePutArgs>) -> String {
        storage.put(request).await.unwrap().into_inner().err
    }

    #[tokio::test]
    async fn nothing_is_written_during_setup() {
        let (_, storage) = mounts();
        assert_eq!(put(&storage, entry("a")).await, "cannot write to storage during setup");
        storage.gate.open();
        assert_eq!(put(&storage, entry("a")).await, "");
    }

    #[tokio::test]
    async fn l9_no_key_leads_out_of_the_mount() {
        let (whole, storage) = mounts();
        storage.gate.open();
        for bad in ["../two/a", "a/../../b", ".."] {
            assert_eq!(put(&storage, entry(bad)).await, "relative paths not supported");
        }
        for odd in ["/a", "logical/two/a", "", "a//b"] {
            assert_eq!(put(&storage, entry(odd)).await, "");
        }
        let outside = whole.list(&"logical/".parse().unwrap()).await.unwrap();
        assert_eq!(outside, ["one/"]);
    }

    /// A call as it comes in from a plugin.
    async fn call(storage: MountStorage, path: &'static str, id: &'static str) -> Result<Bytes, Status> {
        let mut request = Request::new(pb::StorageGetArgs { key: "a".to_owned() });
        request.metadata_mut().insert("multiplex_id", MetadataValue::from_static(id));
        let routes = Routes::new(storage_server::StorageServer::new(storage));
        let mut client = Grpc::new(routes.prepare());
        client.ready().await.map_err(|error| Status::unknown(error.to_string()))?;
        let codec = ProstCodec::<pb::StorageGetArgs, pb::StorageGetReply>::default();
        let reply = client.unary(request, PathAndQuery::from_static(path), codec).await?;
        Ok(reply.into_inner().entry.unwrap().value)
    }

    #[tokio::test]
    async fn l8_only_known_methods_are_served_and_a_foreign_id_opens_no_other_mount() {
        for path in
            ["/pb.Storage/Burn", "/pb.Backend/HandleRequest", "//pb.Storage/Get", "/pb.Storage/Get/", "/"]
        {
            let (_, storage) = mounts();
            let status = call(storage, path, "0123456789").await.unwrap_err();
            assert_eq!(status.code(), Code::Unimplemented, "{path}");
        }
        let (whole, storage) = mounts();
        for mount in ["one", "two"] {
            let key = format!("logical/{mount}/a").parse().unwrap();
            whole.commit(vec![Write::Put(key, Bytes::from(mount))]).await.unwrap();
        }
        assert_eq!(call(storage, "/pb.Storage/Get", "two").await.unwrap(), "one");
    }

    #[tokio::test]
    async fn what_is_missing_from_a_message_is_told() {
        let (_, storage) = mounts();
        let empty = Request::new(pb::StoragePutArgs { entry: None });
        assert_eq!(put(&storage, empty).await, "cannot write nil entry");
    }
}
