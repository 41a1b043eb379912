//! A mounted kv engine over storage in memory.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use storage::InMemory;
use tenon::{Backend, Config, Error, Host, Operation, Request, Response, Result, Storage, System};

pub(crate) const UUID: &str = "0b9f8f3a-0001";

/// A system that says what a plain server says.
pub(crate) struct Plain;

impl System for Plain {
    fn default_lease_ttl(&self) -> Duration {
        Duration::from_secs(2_764_800)
    }

    fn max_lease_ttl(&self) -> Duration {
        Duration::from_secs(2_764_800)
    }

    fn host_version(&self) -> String {
        "1.21.4".to_owned()
    }

    fn cluster_id(&self) -> String {
        String::new()
    }
}

pub(crate) struct Mount {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) storage: Arc<dyn Storage>,
}

impl Mount {
    /// A fresh mount with these options.
    pub(crate) async fn new(options: &[(&str, &str)]) -> Self {
        Self::over(Arc::new(InMemory::new()), options).await
    }

    /// A mount over storage that may hold something.
    pub(crate) async fn over(storage: Arc<dyn Storage>, options: &[(&str, &str)]) -> Self {
        let mount = Self::set_up(storage, options).await;
        mount.backend.initialize().await.unwrap();
        mount
    }

    /// A mount that is not initialised yet.
    pub(crate) async fn set_up(storage: Arc<dyn Storage>, options: &[(&str, &str)]) -> Self {
        let options = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let host = Host { storage: Arc::clone(&storage), system: Arc::new(Plain) };
        let config = Config { options, backend_uuid: UUID.to_owned() };
        Self { backend: crate::kv::create(config, host).await.unwrap(), storage }
    }

    pub(crate) async fn ask(&self, request: Request) -> Result<Option<Response>> {
        self.backend.handle(request).await
    }

    pub(crate) async fn send(
        &self,
        operation: Operation,
        path: &str,
        body: &str,
    ) -> Result<Option<Response>> {
        let request = Request {
            id: "request-1".to_owned(),
            data: body.to_owned().into(),
            display_name: "root".to_owned(),
            client_token: "salted".to_owned(),
            ..Request::new(operation, path)
        };
        self.ask(request).await
    }

    pub(crate) async fn write(&self, path: &str, body: &str) -> Result<Option<Response>> {
        self.send(Operation::Update, path, body).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &str) -> Result<Option<Response>> {
        self.send(Operation::Patch, path, body).await
    }

    pub(crate) async fn read(&self, path: &str) -> Result<Option<Response>> {
        self.send(Operation::Read, path, "").await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<Option<Response>> {
        self.send(Operation::Delete, path, "").await
    }

    pub(crate) async fn list(&self, path: &str) -> Vec<String> {
        let response = self.send(Operation::List, path, "").await.unwrap().unwrap();
        let keys = data(&response)["keys"].take();
        serde_json::from_value(keys).unwrap_or_default()
    }

    pub(crate) async fn exists(&self, path: &str) -> bool {
        self.backend.exists(Request::new(Operation::Update, path)).await.unwrap().unwrap()
    }
}

/// The data of a response.
pub(crate) fn data(response: &Response) -> Value {
    serde_json::from_slice(&response.data).unwrap()
}

/// The sentence of a 400.
pub(crate) fn sentence(error: &Error) -> String {
    match error {
        Error::WithResponse { response, .. } => data(response)["error"].as_str().unwrap().to_owned(),
        other => other.to_string(),
    }
}

/// The sentence of a 400.
pub(crate) fn refusal(outcome: Result<Option<Response>>) -> String {
    sentence(&outcome.unwrap_err())
}
