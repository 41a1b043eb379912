//! A mounted engine in a world of its own.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde_json::{Value, json};
use tenon::{Backend, Host, Operation, Request, Response, Result, Secret};
use tokio::time::Instant;

use super::fake::{Around, Stored, World};
use crate::{
    database::{Databases, ENGINE, plugins::Compiled},
    kv::testing::data,
};

pub(super) struct Mount {
    pub(super) backend: Arc<dyn Backend>,
    pub(super) world: Arc<World>,
}

impl Mount {
    /// A mount in a world that may know it already. Its clock is tokio's, so that stories can pause it.
    pub(super) async fn in_world(world: &Arc<World>) -> Self {
        let (began, at) = (Instant::now(), Timestamp::now());
        let clock = Box::new(move || at.saturating_add(began.elapsed()).unwrap());
        let host = Host {
            storage: Arc::new(Stored(Arc::clone(world))),
            system: Arc::new(Around(Arc::clone(world))),
        };
        let backend = ENGINE.mounted(Databases { clock, ..Databases::new(host, Compiled::none()) });
        backend.initialize().await.unwrap();
        Self { backend, world: Arc::clone(world) }
    }

    /// A mount with a connection and a role.
    pub(super) async fn with_connection() -> Self {
        let mount = Self::in_world(&World::with_user("root", "first")).await;
        mount.write("config/db", connection()).await.unwrap();
        mount.write("roles/dyn", json!({ "db_name": "db", "default_ttl": "1h" })).await.unwrap();
        mount
    }

    pub(super) async fn ask(
        &self,
        operation: Operation,
        path: &str,
        body: Value,
    ) -> Result<Option<Response>> {
        let data = if body.is_null() { String::new() } else { body.to_string() };
        let request =
            Request { data: data.into(), display_name: "token".to_owned(), ..Request::new(operation, path) };
        self.backend.handle(request).await
    }

    pub(super) async fn write(&self, path: &str, body: Value) -> Result<Option<Response>> {
        self.ask(Operation::Update, path, body).await
    }

    pub(super) async fn delete(&self, path: &str) {
        self.ask(Operation::Delete, path, Value::Null).await.unwrap();
    }

    pub(super) async fn try_read(&self, path: &str) -> Result<Option<Response>> {
        self.ask(Operation::Read, path, Value::Null).await
    }

    pub(super) async fn read(&self, path: &str) -> Value {
        data(&self.try_read(path).await.unwrap().unwrap())
    }

    pub(super) async fn list(&self, path: &str) -> Value {
        data(&self.ask(Operation::List, path, Value::Null).await.unwrap().unwrap())["keys"].take()
    }

    pub(super) async fn lease(&self, operation: Operation, secret: Secret) -> Result<Option<Response>> {
        self.backend.handle(Request { secret: Some(secret), ..Request::new(operation, "") }).await
    }

    /// Sees to what was cut off, however new it is.
    pub(super) async fn roll_back(&self) -> Result<Option<Response>> {
        self.ask(Operation::Rollback, "", json!({ "immediate": true })).await
    }

    /// How many notes there are about what is under way or was cut off.
    pub(super) async fn notes(&self) -> usize {
        storage::Storage::list(&self.world.stored, &"wal/".parse().unwrap()).await.unwrap().len()
    }
}

pub(super) fn connection() -> Value {
    json!({
        "plugin_name": "fake-database-plugin", "allowed_roles": "*",
        "connection_url": "fake://{{username}}:{{password}}@host", "username": "root", "password": "first",
    })
}

/// Waits for a state, in the time of the story.
pub(super) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..10_000 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}
