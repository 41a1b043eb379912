//! A router over a real catalog in memory and a real launcher with built-in plugins only.

pub mod issuer;
mod plugins;
mod said;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{StreamExt, stream::BoxStream};

use catalog::{BuiltinInfo, Catalog, StorageConfig};
use launcher::Launcher;
use router::{Clients, Config, Loggers, Router, UnknownLevel};
use serde_json::{Value, json};
use tonic::Request;
use wire::{
    Failure,
    catalog::v1::{CommitRequest, GetRequest, ListRequest, Write},
    launcher::v1::LauncherSeam,
    pb,
    router::v1::{self as api, NodeState, StateRequest, response::Body, router_server::Router as _},
};

/// The services, and what opens them.
pub struct Stack {
    pub catalog: Catalog,
    pub router: Router,
    pub root: String,
    pub key: String,
}

/// What came of a request.
pub type Outcome = Result<api::Response, Failure>;

impl Stack {
    /// Initialised and unsealed.
    pub async fn open() -> Self {
        let stack = Self::sealed().await;
        stack.unseal().await;
        stack
    }

    /// Initialised.
    pub async fn sealed() -> Self {
        let mut stack = Self::fresh().await;
        stack.init().await;
        stack
    }

    pub async fn init(&mut self) {
        let body = json!({"secret_shares": 1, "secret_threshold": 1});
        let made = bare(self.ask("", "update", "sys/init", body).await);
        self.root = made["root_token"].as_str().unwrap().to_owned();
        self.key = made["keys"][0].as_str().unwrap().to_owned();
    }

    /// With nothing in it.
    pub async fn fresh() -> Self {
        Self::on(StorageConfig::Inmem).await
    }

    /// With nothing in it, on a certain storage.
    pub async fn on(storage: StorageConfig) -> Self {
        let builtins = plugins::builtins();
        let infos = builtins.iter().map(|builtin| BuiltinInfo {
            plugin_type: builtin.plugin_type,
            name: builtin.name.clone(),
            version: builtin.version.clone(),
        });
        let config = catalog::Config { storage, builtins: infos.collect(), ..catalog::Config::default() };
        let catalog = Catalog::open(config).await.unwrap();
        let router = over(&catalog);
        Self { catalog, router, root: String::new(), key: String::new() }
    }

    /// The launcher and the router are started anew over what is stored.
    pub fn restart(&mut self) {
        self.router = over(&self.catalog);
    }

    pub async fn unseal(&self) {
        let status = bare(self.ask("", "update", "sys/unseal", json!({"key": self.key})).await);
        assert_eq!(status["sealed"], json!(false));
    }

    pub async fn state(&self) -> NodeState {
        self.router.state(Request::new(StateRequest {})).await.unwrap().into_inner()
    }

    /// Any request, by anybody.
    pub async fn ask(&self, token: &str, operation: &str, path: &str, body: Value) -> Outcome {
        self.send(api::Request { token: token.to_owned(), ..request(operation, path, &body) }).await
    }

    pub async fn send(&self, request: api::Request) -> Outcome {
        self.router
            .handle(Request::new(request))
            .await
            .map(tonic::Response::into_inner)
            .map_err(Failure::from)
    }

    pub async fn read(&self, path: &str) -> Outcome {
        self.ask(&self.root, "read", path, Value::Null).await
    }

    pub async fn list(&self, path: &str) -> Outcome {
        self.ask(&self.root, "list", path, Value::Null).await
    }

    pub async fn write(&self, path: &str, body: Value) -> Outcome {
        self.ask(&self.root, "update", path, body).await
    }

    pub async fn delete(&self, path: &str) -> Outcome {
        self.ask(&self.root, "delete", path, Value::Null).await
    }

    pub async fn mount(&self, path: &str, kind: &str) {
        done(self.write(&format!("sys/mounts/{path}"), json!({"type": kind})).await);
    }

    /// The token of somebody who logs in at `auth/people`.
    pub async fn log_in(&self, name: &str) -> String {
        let outcome = self.ask("", "update", &format!("auth/people/login/{name}"), json!({})).await;
        auth(outcome)["client_token"].as_str().unwrap().to_owned()
    }

    /// What is stored, past everything.
    pub async fn stored(&self, key: &str) -> Option<Value> {
        let request = GetRequest { key: key.to_owned() };
        let value = self.catalog.storage_client().get(request).await.unwrap().into_inner().value;
        value.map(|bytes| serde_json::from_slice(&bytes).unwrap())
    }

    /// The names of what is stored below a prefix.
    pub async fn stored_below(&self, prefix: &str) -> Vec<String> {
        let request = ListRequest { prefix: prefix.to_owned(), ..ListRequest::default() };
        self.catalog.storage_client().list(request).await.unwrap().into_inner().keys
    }

    /// Every key that is stored below a prefix, however deep, in order.
    pub async fn all_stored_below(&self, prefix: &str) -> Vec<String> {
        let (mut keys, mut folders) = (Vec::new(), vec![prefix.to_owned()]);
        while let Some(folder) = folders.pop() {
            for name in self.stored_below(&folder).await {
                let whole = format!("{folder}{name}");
                if whole.ends_with('/') { folders.push(whole) } else { keys.push(whole) }
            }
        }
        keys.sort_unstable();
        keys
    }

    /// Removes what is stored, past everything.
    pub async fn unstore(&self, key: &str) {
        let write = Write { key: key.to_owned(), value: None };
        self.catalog.storage_client().commit(CommitRequest { writes: vec![write] }).await.unwrap();
    }

    /// Stores something, past everything.
    pub async fn store(&self, key: &str, value: &[u8]) {
        let write = Write { key: key.to_owned(), value: Some(value.to_vec().into()) };
        self.catalog.storage_client().commit(CommitRequest { writes: vec![write] }).await.unwrap();
    }
}

fn over(catalog: &Catalog) -> Router {
    let clients = launcher::Catalog {
        barrier: catalog.barrier_client(),
        storage: catalog.storage_client(),
        plugins: catalog.plugins_client(),
    };
    let launcher = Launcher::new(launcher::Config::default(), clients, plugins::builtins()).unwrap();
    let clients = Clients {
        barrier: catalog.barrier_client(),
        storage: catalog.storage_client(),
        plugins: catalog.plugins_client(),
        launcher: LauncherSeam::local(Arc::new(launcher)),
    };
    let lease_retry = Duration::from_millis(5);
    let loggers = Arc::new(OneLogger);
    let raw_storage = true;
    Router::new(
        clients,
        Config { version: "1.2.3".to_owned(), lease_retry, loggers, raw_storage, ..Config::default() },
    )
}

/// A process that logs by one part, and knows two levels.
#[derive(Debug)]
struct OneLogger;

impl Loggers for OneLogger {
    fn levels(&self) -> BTreeMap<&'static str, &'static str> {
        BTreeMap::from([("router", "info")])
    }

    fn set(&self, _: Option<&str>, level: &str) -> Result<(), UnknownLevel> {
        if matches!(level, "info" | "debug") { Ok(()) } else { Err(UnknownLevel) }
    }

    fn watch(&self, level: &str, _: &str) -> Result<BoxStream<'static, Bytes>, UnknownLevel> {
        let line = Bytes::from(format!("one line at {level}\n"));
        Ok(futures::stream::once(async { line }).boxed())
    }

    fn reset(&self, _: Option<&str>) {}
}

/// Waits until something is so.
pub async fn eventually(what: &str, is_so: impl AsyncFn() -> bool) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect(what);
}

/// A request without token.
pub fn request(operation: &str, path: &str, body: &Value) -> api::Request {
    let data = if body.is_null() { Vec::new() } else { serde_json::to_vec(body).unwrap() };
    api::Request {
        id: "request-id".to_owned(),
        operation: operation.to_owned(),
        path: path.to_owned(),
        data: data.into(),
        connection: Some(pb::Connection { remote_addr: "127.0.0.1".to_owned(), ..pb::Connection::default() }),
        ..api::Request::default()
    }
}

/// One line of a request's head.
pub fn header(name: &'static str, value: &'static str) -> api::HeaderLine {
    api::HeaderLine { name: name.into(), value: value.into() }
}

/// The answer had nothing to say.
pub fn done(outcome: Outcome) {
    let body = outcome.unwrap().body;
    assert!(matches!(body, Some(Body::Nothing(_))), "{body:?}");
}

/// The answer's envelope.
pub fn envelope(outcome: Outcome) -> api::Envelope {
    match outcome.unwrap().body {
        Some(Body::Envelope(envelope)) => envelope,
        other => panic!("no envelope: {other:?}"),
    }
}

/// The auth in the answer's envelope: what a login or a new token says about itself.
pub fn auth(outcome: Outcome) -> Value {
    serde_json::from_slice(&envelope(outcome).auth).unwrap()
}

/// The data in the answer's envelope.
pub fn data(outcome: Outcome) -> Value {
    serde_json::from_slice(&envelope(outcome).data).unwrap()
}

/// The answer's document.
pub fn bare(outcome: Outcome) -> Value {
    match outcome.unwrap().body {
        Some(Body::Bare(document)) => serde_json::from_slice(&document).unwrap(),
        other => panic!("no document: {other:?}"),
    }
}

/// The word and the sentence of a refusal.
pub fn refused(outcome: Outcome) -> (&'static str, String) {
    let failure = outcome.unwrap_err();
    (failure.kind.word(), failure.messages.join("; "))
}

/// A refusal of a request that can't be right.
pub fn invalid(sentence: &str) -> (&'static str, String) {
    ("invalid", sentence.to_owned())
}

/// A refusal because nothing is there.
pub fn not_found(sentence: &str) -> (&'static str, String) {
    ("not-found", sentence.to_owned())
}
