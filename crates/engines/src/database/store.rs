//! Where things are kept, in Vault's places: connections, roles, static roles.

use serde::{Serialize, de::DeserializeOwned};
use tenon::{Error, Key, Prefix, Result, Write};

use super::{Databases, config::Config, role::Role, static_role::StaticRole};

pub(super) const CONFIGS: &str = "config/";
pub(super) const ROLES: &str = "role/";
pub(super) const STATIC_ROLES: &str = "static-role/";

pub(super) fn key(folder: &str, name: &str) -> Result<Key> {
    Ok(format!("{folder}{name}").parse()?)
}

pub(super) fn put(folder: &str, name: &str, record: &impl Serialize) -> Result<Write> {
    let value = serde_json::to_vec(record).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(Write::Put(key(folder, name)?, value.into()))
}

impl Databases {
    async fn load<T: DeserializeOwned>(&self, folder: &str, name: &str) -> Result<Option<T>> {
        let Some(stored) = self.host.storage.get(&key(folder, name)?).await? else { return Ok(None) };
        // What serde says of it could show a password.
        let damaged = |_| Error::Internal(format!("the stored record {folder}{name} is damaged"));
        serde_json::from_slice(&stored).map(Some).map_err(damaged)
    }

    pub(super) async fn config(&self, name: &str) -> Result<Option<Config>> {
        self.load(CONFIGS, name).await
    }

    pub(super) async fn role(&self, name: &str) -> Result<Option<Role>> {
        self.load(ROLES, name).await
    }

    pub(super) async fn static_role(&self, name: &str) -> Result<Option<StaticRole>> {
        self.load(STATIC_ROLES, name).await
    }

    pub(super) async fn names(&self, folder: &str) -> Result<Vec<String>> {
        let folder: Prefix = folder.parse()?;
        Ok(self.host.storage.list(&folder).await?)
    }

    pub(super) async fn save(&self, folder: &str, name: &str, record: &impl Serialize) -> Result<()> {
        Ok(self.host.storage.commit(vec![put(folder, name, record)?]).await?)
    }

    pub(super) async fn remove(&self, folder: &str, name: &str) -> Result<()> {
        Ok(self.host.storage.delete(key(folder, name)?).await?)
    }
}
