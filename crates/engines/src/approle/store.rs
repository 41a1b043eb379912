//! Where things are kept: roles by name, names by role id, secret ids by a digest, and digests by accessor.

use ring::digest::{SHA256, digest};
use serde::{Serialize, de::DeserializeOwned};
use tenon::{Error, Key, Prefix, Result, Write};

use super::{Approle, role::Role, secret_id::SecretId};

pub(super) const ROLES: &str = "role/";
const ROLE_IDS: &str = "role_id/";
pub(super) const SECRET_IDS: &str = "secret_id/";
const ACCESSORS: &str = "accessor/";

/// Names of roles are the same however they are written.
pub(super) fn role_key(name: &str) -> Result<Key> {
    Ok(format!("{ROLES}{}", name.to_lowercase()).parse()?)
}

/// Where it is told which role a role id is of. Ids may hold what a key may not, so a digest stands for them.
pub(super) fn role_id_key(role_id: &str) -> Result<Key> {
    Ok(format!("{ROLE_IDS}{}", hash(role_id)).parse()?)
}

pub(super) fn secret_ids_of(role: &Role) -> Result<Prefix> {
    Ok(format!("{SECRET_IDS}{}/", role.uuid).parse()?)
}

/// A secret id has so many bits that its digest tells nothing about it.
pub(super) fn secret_id_key(role: &Role, secret_id: &str) -> Result<Key> {
    stored_secret_id_key(role, &hash(secret_id))
}

pub(super) fn stored_secret_id_key(role: &Role, hash: &str) -> Result<Key> {
    Ok(format!("{SECRET_IDS}{}/{hash}", role.uuid).parse()?)
}

pub(super) fn accessor_key(accessor: &str) -> Result<Key> {
    Ok(format!("{ACCESSORS}{}", hash(accessor)).parse()?)
}

pub(super) fn hash(text: &str) -> String {
    hex::encode(digest(&SHA256, text.as_bytes()))
}

pub(super) fn put(key: Key, record: &impl Serialize) -> Result<Write> {
    let value = serde_json::to_vec(record).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(Write::Put(key, value.into()))
}

impl Approle {
    pub(super) async fn load<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>> {
        let Some(stored) = self.host.storage.get(key).await? else { return Ok(None) };
        let record = serde_json::from_slice(&stored);
        record.map(Some).map_err(|error| Error::Internal(format!("a stored record is damaged: {error}")))
    }

    pub(super) async fn role(&self, name: &str) -> Result<Option<Role>> {
        self.load(&role_key(name)?).await
    }

    /// The role of a role id.
    pub(super) async fn role_of(&self, role_id: &str) -> Result<Option<Role>> {
        let Some(name) = self.load::<String>(&role_id_key(role_id)?).await? else { return Ok(None) };
        Ok(self.role(&name).await?.filter(|role| role.role_id == role_id))
    }

    /// What removes a secret id, and the way to it.
    pub(super) fn removal(&self, role: &Role, hash: &str, secret: &SecretId) -> Result<Vec<Write>> {
        Ok(vec![
            Write::Delete(stored_secret_id_key(role, hash)?),
            Write::Delete(accessor_key(&secret.secret_id_accessor)?),
        ])
    }
}
