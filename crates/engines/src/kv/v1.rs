//! Version 1: a value is the JSON text that was written, at the path it was written to.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
    time::Duration,
};

use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json};
use tenon::{
    Backend, BackendKind, Config, Error, Host, Key, LeaseOptions, Prefix, Request, Response, Result, Secret,
    framework::{Engine, NoInput, Outcome, Path, loosely},
};

use super::announce::announce;
use crate::VERSION;

/// The kind of the leases that are given out when the mount asks for leases.
const LEASE: &str = "kv";

struct Kv {
    host: Host,
    /// Whether answers are leased, so that they can be renewed.
    leased: bool,
}

/// The two names that a secret's duration of use goes by.
#[derive(Deserialize)]
struct Lifetime {
    ttl: Option<Value>,
    lease: Option<Value>,
}

/// One table for all mounts.
static ENGINE: LazyLock<Arc<Engine<Kv>>> = LazyLock::new(|| Arc::new(engine()));

pub(super) fn create(config: &Config, host: Host) -> Arc<dyn Backend> {
    let leased = config.options.get("leased_passthrough").is_some_and(|option| option == "true");
    ENGINE.mounted(Kv { host, leased })
}

fn engine() -> Engine<Kv> {
    let everything = Path::new("{*}")
        .help(
            "Stores secrets as they are written.",
            "Any JSON object can be written to any path, and is read as it was written. A `ttl` in it is a hint to \
             readers for how long to use it.",
        )
        .any_input()
        .read(Kv::read)
        .write(Kv::write)
        .delete(Kv::delete)
        .list(Kv::list)
        .exists(Kv::exists);
    Engine::new(BackendKind::Secret)
        .version(VERSION)
        .help("Stores secrets as they are written, encrypted, and gives them back.")
        .lease(LEASE, Kv::renew, Kv::revoke)
        .path(everything)
}

impl Kv {
    async fn read(self: Arc<Self>, request: Request, _: NoInput) -> Outcome {
        self.renew(request).await
    }

    /// A renewal reads again what was read.
    async fn renew(self: Arc<Self>, request: Request) -> Outcome {
        let key = key("read failed: ", &request.path)?;
        let Some(data) = self.host.storage.get(&key).await? else { return Ok(None) };
        let lifetime = lifetime(&data);
        let lease = LeaseOptions {
            ttl: lifetime.unwrap_or_else(|| self.host.system.default_lease_ttl()),
            renewable: self.leased && lifetime.is_some(),
            ..LeaseOptions::default()
        };
        let internal_data = match self.leased {
            true => json!({ "secret_type": LEASE }).to_string().into(),
            false => Default::default(),
        };
        let secret = Some(Secret { lease, internal_data, ..Secret::default() });
        Ok(Some(Response { data, secret, ..Response::default() }))
    }

    async fn revoke(self: Arc<Self>, _: Request) -> Outcome {
        Ok(None)
    }

    async fn write(self: Arc<Self>, request: Request, fields: HashMap<String, IgnoredAny>) -> Outcome {
        if request.path.is_empty() {
            return Err(Error::refused("missing path"));
        }
        if fields.is_empty() {
            return Err(Error::refused("missing data fields"));
        }
        let key = key("failed to write: ", &request.path)?;
        self.host.storage.put(key, request.data).await?;
        let path = request.path;
        announce(&*self.host.system, (1, "write"), path.clone(), Some(path), None);
        Ok(None)
    }

    async fn delete(self: Arc<Self>, request: Request, _: NoInput) -> Outcome {
        self.host.storage.delete(key("", &request.path)?).await?;
        announce(&*self.host.system, (1, "delete"), request.path, None, None);
        Ok(None)
    }

    async fn list(self: Arc<Self>, request: Request, _: NoInput) -> Outcome {
        let folder: Prefix = request.path.parse()?;
        Ok(Some(Response::keys(&self.host.storage.list(&folder).await?)))
    }

    async fn exists(self: Arc<Self>, request: Request, _: NoInput) -> Result<bool> {
        let key = key("existence check failed: ", &request.path)?;
        Ok(self.host.storage.get(&key).await?.is_some())
    }
}

fn key(doing: &str, path: &str) -> Result<Key> {
    path.parse().map_err(|error| Error::BadRequest(format!("{doing}{error}")))
}

/// How long the secret itself says that it may be used.
fn lifetime(data: &[u8]) -> Option<Duration> {
    let lifetime: Lifetime = serde_json::from_slice(data).ok()?;
    let seconds = loosely::seconds(&lifetime.ttl.or(lifetime.lease)?).ok()?;
    u64::try_from(seconds).ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kv::testing::{Mount, refusal};

    async fn mount() -> Mount {
        Mount::new(&[("version", "1")]).await
    }

    #[tokio::test]
    async fn what_is_read_is_what_was_written() {
        let kv = mount().await;
        let body = r#"{"a":"b","big":12345678901234567890,"f":1.50,"o":{"x":[1,2]},"nul":null}"#;
        assert!(!kv.exists("app/one").await);
        assert_eq!(kv.write("app/one", body).await, Ok(None));
        assert!(kv.exists("app/one").await);
        let read = kv.read("app/one").await.unwrap().unwrap();
        assert_eq!(read.data, body);
        assert_eq!(read.secret.unwrap().lease.ttl, Duration::from_secs(2_764_800));
        assert_eq!(kv.list("app/").await, ["one"]);
        assert_eq!(kv.delete("app/one").await, Ok(None));
        assert_eq!(kv.read("app/one").await, Ok(None));
        assert_eq!(kv.delete("app/one").await, Ok(None));
    }

    #[tokio::test]
    async fn a_secret_may_say_how_long_it_is_good_for() {
        let kv = mount().await;
        for (body, seconds) in [
            (r#"{"ttl":"1h"}"#, 3600),
            (r#"{"lease":60}"#, 60),
            (r#"{"ttl":"soon"}"#, 2_764_800),
            (r#"{"ttl":30,"lease":60}"#, 30),
        ] {
            kv.write("x", body).await.unwrap();
            let lease = kv.read("x").await.unwrap().unwrap().secret.unwrap().lease;
            assert_eq!((lease.ttl.as_secs(), lease.renewable), (seconds, false), "{body}");
        }
    }

    #[tokio::test]
    async fn leased_answers_can_be_renewed() {
        let kv = Mount::new(&[("leased_passthrough", "true")]).await;
        kv.write("x", r#"{"ttl":60}"#).await.unwrap();
        let secret = kv.read("x").await.unwrap().unwrap().secret.unwrap();
        assert!(secret.lease.renewable);
        let renewal = Request { secret: Some(secret.clone()), ..Request::new(tenon::Operation::Renew, "x") };
        assert_eq!(kv.ask(renewal).await.unwrap().unwrap().secret, Some(secret));
    }

    #[tokio::test]
    async fn senseless_writes_are_refused() {
        let kv = mount().await;
        assert_eq!(refusal(kv.write("x", "{}").await), "missing data fields");
        assert_eq!(refusal(kv.write("", r#"{"a":1}"#).await), "missing path");
        let climbing = Err(Error::BadRequest("read failed: relative paths not supported".to_owned()));
        assert_eq!(kv.read("a/../b").await, climbing);
    }

    #[tokio::test]
    async fn parameters_of_any_name_are_fine() {
        let kv = mount().await;
        kv.write("x", r#"{"path":"mine","*":1}"#).await.unwrap();
        let read = kv.read("x").await.unwrap().unwrap();
        assert_eq!((read.data, read.warnings), (r#"{"path":"mine","*":1}"#.into(), vec![]));
        let patch = Request::new(tenon::Operation::Patch, "x");
        assert_eq!(kv.ask(patch).await, Err(Error::UnsupportedOperation));
    }
}
