//! What the host serves in these tests.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tokio_stream::Stream;
use tonic::{Request, Response, Status};
use wire::health::health_check_response::ServingStatus;
use wire::health::health_server::Health;
use wire::health::{HealthCheckRequest, HealthCheckResponse};
use wire::pb;
use wire::pb::storage_server::Storage;

/// Storage in memory.
#[derive(Clone, Default)]
pub struct Memory(pub Arc<Mutex<HashMap<String, Bytes>>>);

#[tonic::async_trait]
impl Storage for Memory {
    async fn list(&self, _: Request<pb::StorageListArgs>) -> Result<Response<pb::StorageListReply>, Status> {
        let keys = self.0.lock().unwrap().keys().cloned().collect();
        Ok(Response::new(pb::StorageListReply { keys, err: String::new() }))
    }

    async fn get(
        &self,
        request: Request<pb::StorageGetArgs>,
    ) -> Result<Response<pb::StorageGetReply>, Status> {
        let key = request.into_inner().key;
        let value = self.0.lock().unwrap().get(&key).cloned();
        let entry = value.map(|value| pb::StorageEntry { key, value, seal_wrap: false });
        Ok(Response::new(pb::StorageGetReply { entry, err: String::new() }))
    }

    async fn put(
        &self,
        request: Request<pb::StoragePutArgs>,
    ) -> Result<Response<pb::StoragePutReply>, Status> {
        let entry = request.into_inner().entry.unwrap_or_default();
        self.0.lock().unwrap().insert(entry.key, entry.value);
        Ok(Response::new(Default::default()))
    }

    async fn delete(
        &self,
        request: Request<pb::StorageDeleteArgs>,
    ) -> Result<Response<pb::StorageDeleteReply>, Status> {
        self.0.lock().unwrap().remove(&request.into_inner().key);
        Ok(Response::new(Default::default()))
    }
}

/// Answers the greeter, and remembers that it was there.
#[derive(Clone, Default)]
pub struct Greeted(pub Arc<Mutex<Vec<String>>>);

#[tonic::async_trait]
impl Health for Greeted {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        self.0.lock().unwrap().push(request.into_inner().service);
        Ok(Response::new(HealthCheckResponse { status: ServingStatus::Serving.into() }))
    }

    async fn watch(&self, _: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("nobody watches"))
    }
}
