use std::{collections::BTreeMap, fmt};

use domain::NamespacePath;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::Namespace;

/// Where the records of namespaces are.
pub(super) const RECORDS: &str = "core/namespaces/";

/// What is stored about one namespace, beside what is stored in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) uuid: Uuid,
    pub(crate) id: String,
    pub(crate) path: NamespacePath,
    #[serde(default)]
    pub(crate) custom_metadata: BTreeMap<String, String>,
    /// What opens it, if it is locked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) lock: Option<Lock>,
    /// It is on its way out; interrupted, its removal goes on.
    #[serde(default)]
    pub(crate) removing: bool,
}

/// What is kept of the key that unlocks a namespace: enough to know it again.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Lock {
    sha256: String,
}

/// Where the record of a namespace is.
pub(super) fn key(uuid: Uuid) -> String {
    format!("{RECORDS}{uuid}")
}

impl Record {
    /// That of a namespace that is always there.
    pub(super) fn root() -> Self {
        Self::new(Namespace::root(), BTreeMap::new())
    }

    pub(super) fn new(namespace: Namespace, custom_metadata: BTreeMap<String, String>) -> Self {
        let Namespace { id, uuid, path } = namespace;
        Self { uuid, id, path, custom_metadata, lock: None, removing: false }
    }

    pub(super) fn namespace(&self) -> Namespace {
        Namespace { id: self.id.clone(), uuid: self.uuid, path: self.path.clone() }
    }

    pub(crate) const fn is_locked(&self) -> bool {
        self.lock.is_some()
    }
}

impl Lock {
    pub(super) fn of(key: &str) -> Self {
        Self { sha256: hash(key) }
    }

    pub(super) fn opens(&self, key: &str) -> bool {
        self.sha256.as_bytes().ct_eq(hash(key).as_bytes()).into()
    }
}

fn hash(key: &str) -> String {
    hex::encode(digest(&SHA256, key.as_bytes()))
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_and_its_lock_knows_its_key() {
        let namespace = Namespace {
            id: "x4Yz1".to_owned(),
            path: "a/b/".to_owned().try_into().unwrap(),
            ..Namespace::root()
        };
        let record = Record { lock: Some(Lock::of("key")), ..Record::new(namespace, BTreeMap::new()) };
        let stored = serde_json::to_string(&record).unwrap();
        assert!(!stored.contains("\"key\""));
        let read: Record = serde_json::from_str(&stored).unwrap();
        assert_eq!(read.namespace(), record.namespace());
        let lock = read.lock.unwrap();
        assert!(lock.opens("key") && !lock.opens("Key") && !lock.opens(""));
        assert!(!format!("{lock:?}").contains(&lock.sha256));
    }
}
