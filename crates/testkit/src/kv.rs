//! The kv engine, which most stories write to.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{Api, eventually};

impl Api {
    /// Enables a kv engine of version 1 or 2 at `path` and waits until it serves.
    pub async fn enable_kv(&self, path: &str, version: u8) {
        let mount = json!({"type": "kv", "options": {"version": version.to_string()}});
        self.post(&format!("sys/mounts/{path}"), mount).await.ok();
        self.kv_serves(path, version).await;
    }

    /// Makes an external kv engine, which is one of version 1 at first, one of version 2.
    pub async fn upgrade_kv(&self, path: &str) {
        let tune = json!({"options": {"version": "2"}});
        self.post(&format!("sys/mounts/{path}/tune"), tune).await.ok();
        self.kv_serves(path, 2).await;
    }

    /// Waits until a kv engine has finished to prepare its storage, as every client of it has to.
    pub async fn kv_serves(&self, path: &str, version: u8) {
        let probe = if version == 2 { format!("{path}/config") } else { format!("{path}/probe") };
        eventually(Duration::from_secs(20), &format!("{path} serves"), async || {
            matches!(self.get(&probe).await.status, 200 | 404)
        })
        .await;
    }

    /// Writes a secret to a kv engine of version 2, and returns its version.
    pub async fn put_secret(&self, mount: &str, key: &str, data: Value) -> u64 {
        let written = self.post(&format!("{mount}/data/{key}"), json!({"data": data})).await.data();
        written["version"].as_u64().expect("a write has a version")
    }

    /// The newest version of a secret in a kv engine of version 2.
    pub async fn secret(&self, mount: &str, key: &str) -> Value {
        self.get(&format!("{mount}/data/{key}")).await.data()["data"].take()
    }
}
