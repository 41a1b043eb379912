//! A mounted auth method over storage in memory.

use std::sync::Arc;

use serde_json::Value;
use storage::InMemory;
use tenon::{
    Auth, Backend, Config, Connection, Error, Factory, Host, Operation, Request, Response, Result, Storage,
};

use crate::kv::testing::Plain;
pub(crate) use crate::kv::testing::{data, refusal};

pub(crate) struct Mount {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) storage: Arc<dyn Storage>,
}

impl Mount {
    pub(crate) async fn new(factory: impl Factory) -> Self {
        let storage: Arc<dyn Storage> = Arc::new(InMemory::new());
        let host = Host { storage: storage.clone(), system: Arc::new(Plain) };
        let backend = factory.create(Config::default(), host).await.unwrap();
        backend.initialize().await.unwrap();
        Self { backend, storage }
    }

    pub(crate) async fn ask(
        &self,
        operation: Operation,
        path: &str,
        body: Value,
    ) -> Result<Option<Response>> {
        self.ask_from("192.0.2.1", operation, path, body).await
    }

    pub(crate) async fn ask_from(
        &self,
        address: &str,
        operation: Operation,
        path: &str,
        body: Value,
    ) -> Result<Option<Response>> {
        let connection = Connection { remote_addr: address.to_owned(), ..Connection::default() };
        let data = if body.is_null() { String::new() } else { body.to_string() };
        let request =
            Request { data: data.into(), connection: Some(connection), ..Request::new(operation, path) };
        self.backend.handle(request).await
    }

    pub(crate) async fn write(&self, path: &str, body: Value) -> Result<Option<Response>> {
        self.ask(Operation::Update, path, body).await
    }

    pub(crate) async fn read(&self, path: &str) -> Value {
        data(&self.ask(Operation::Read, path, Value::Null).await.unwrap().unwrap())
    }

    pub(crate) async fn log_in(&self, path: &str, body: Value) -> Result<Auth> {
        let response = self.write(path, body).await?;
        response.and_then(|response| response.auth).ok_or(Error::InvalidRequest)
    }

    pub(crate) async fn renew(&self, auth: Auth) -> Result<Option<Response>> {
        let request = Request { auth: Some(auth), ..Request::new(Operation::Renew, "login") };
        self.backend.handle(request).await
    }
}
