use ::storage::{Barrier, Error, InvalidKey, Key, Storage as _};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What the cluster is called; given once, when the barrier is initialised.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Cluster {
    pub(super) name: String,
    pub(super) id: String,
}

/// Where it is kept.
pub(super) fn key() -> Result<Key, InvalidKey> {
    "core/cluster".parse()
}

impl Cluster {
    pub(super) fn fresh(name: Option<String>) -> Self {
        let [a, b, c, d, ..] = Uuid::new_v4().into_bytes();
        let name = name.unwrap_or_else(|| format!("vault-cluster-{}", hex::encode([a, b, c, d])));
        Self { name, id: Uuid::new_v4().to_string() }
    }

    pub(super) fn encode(&self) -> Result<Bytes, Error> {
        serde_json::to_vec(self).map(Bytes::from).map_err(Error::backend)
    }

    pub(super) async fn load(barrier: &Barrier) -> Result<Option<Self>, Error> {
        let key = key()?;
        let stored = barrier.get(&key).await?;
        stored.map(|bytes| serde_json::from_slice(&bytes).map_err(|_| Error::Damaged(key))).transpose()
    }
}
