use std::sync::Arc;

use ::storage::{Barrier, Error as StorageError, Key, Prefix, Storage as _};
use domain::{PluginName, PluginType, PluginVersion};

use super::{
    PluginError,
    record::{Id, Record},
};
use crate::Error;

/// Everything of the catalog lies below this: `TYPE/NAME/VERSION`.
const ROOT: &str = "core/plugin-catalog";

/// Stands for no version, which as a segment of a key would be empty.
const UNVERSIONED: &str = "unversioned";

/// The stored entries. A record that is damaged is an error of its own entry, and of nothing else.
pub(super) struct Records(Arc<Barrier>);

/// An entry, or the mere knowledge that it was one.
#[derive(Debug)]
pub(super) enum Found {
    /// As it was registered.
    Whole(Record),
    /// It does not open, or says nothing of use.
    Damaged(Id),
}

impl Found {
    pub(super) const fn id(&self) -> &Id {
        match self {
            Self::Whole(record) => &record.id,
            Self::Damaged(id) => id,
        }
    }

    pub(super) fn whole(self) -> Result<Record, PluginError> {
        match self {
            Self::Whole(record) => Ok(record),
            Self::Damaged(Id { plugin_type, name, version }) => {
                Err(PluginError::Damaged { name, plugin_type, version })
            }
        }
    }
}

impl Records {
    pub(super) const fn new(barrier: Arc<Barrier>) -> Self {
        Self(barrier)
    }

    pub(super) async fn put(&self, record: Record) -> Result<(), Error> {
        let key = key_of(&record.id)?;
        let bytes = record.encode().map_err(StorageError::backend)?;
        Ok(self.0.put(key, bytes).await?)
    }

    pub(super) async fn delete(&self, id: &Id) -> Result<(), Error> {
        Ok(self.0.delete(key_of(id)?).await?)
    }

    pub(super) async fn get(&self, id: Id) -> Result<Option<Found>, Error> {
        let stored = match self.0.get(&key_of(&id)?).await {
            Ok(None) => return Ok(None),
            Ok(Some(bytes)) => Record::decode(&id, &bytes),
            Err(StorageError::Damaged(_)) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(Some(stored.map_or(Found::Damaged(id), Found::Whole)))
    }

    /// The versions of one plugin, the lowest first; no version is lower than any.
    pub(super) async fn versions(
        &self,
        plugin_type: PluginType,
        name: &PluginName,
    ) -> Result<Vec<PluginVersion>, Error> {
        let children = self.0.list(&format!("{ROOT}/{plugin_type}/{name}/").parse()?).await?;
        let mut versions: Vec<_> = children.iter().filter_map(|child| version_of(child)).collect();
        versions.sort_unstable();
        Ok(versions)
    }

    /// Every entry of a type, by name and version.
    pub(super) async fn list(&self, plugin_type: PluginType) -> Result<Vec<Found>, Error> {
        let mut found = Vec::new();
        for (name, leaf) in named_leaves(&self.0, format!("{ROOT}/{plugin_type}/").parse()?).await? {
            let Some(version) = version_of(&leaf) else { continue };
            found.extend(self.get(Id { plugin_type, name, version }).await?);
        }
        found.sort_unstable_by(|a, b| a.id().cmp(b.id()));
        Ok(found)
    }
}

/// What lies below a prefix in folders that are called after plugins. Names may contain slashes, so each folder can be in
/// another plugin's.
pub(super) async fn named_leaves(
    barrier: &Barrier,
    root: Prefix,
) -> Result<Vec<(PluginName, String)>, Error> {
    let mut leaves = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let name = folder.strip_suffix('/').and_then(|name| name.parse::<PluginName>().ok());
        for child in barrier.list(&root.join_prefix(&folder.parse()?)).await? {
            if child.ends_with('/') {
                folders.push(format!("{folder}{child}"));
            } else if let Some(name) = &name {
                leaves.push((name.clone(), child));
            }
        }
    }
    Ok(leaves)
}

fn key_of(id: &Id) -> Result<Key, ::storage::InvalidKey> {
    let Id { plugin_type, name, version } = id;
    match version.is_none() {
        true => format!("{ROOT}/{plugin_type}/{name}/{UNVERSIONED}").parse(),
        false => format!("{ROOT}/{plugin_type}/{name}/{version}").parse(),
    }
}

fn version_of(segment: &str) -> Option<PluginVersion> {
    match segment {
        UNVERSIONED => Some(PluginVersion::NONE),
        segment => segment.parse().ok().filter(|version: &PluginVersion| version.to_string() == segment),
    }
}

#[cfg(test)]
mod tests {
    use ::storage::{InMemory, barrier::SealConfig};
    use domain::Sha256;

    use super::*;
    use crate::plugins::record::Program;

    async fn records() -> (Arc<InMemory>, Records) {
        let below = Arc::new(InMemory::new());
        let barrier = Barrier::new(below.clone());
        let shares = barrier.init(SealConfig::new(1, 1).unwrap(), Vec::new()).await.unwrap();
        barrier.unseal(&shares).await.unwrap();
        (below, Records::new(Arc::new(barrier)))
    }

    fn record(name: &str, version: &str) -> Record {
        Record {
            id: Id {
                plugin_type: PluginType::Secret,
                name: name.parse().unwrap(),
                version: version.parse().unwrap(),
            },
            sha256: Sha256::new([7; 32]),
            program: Program { release: None, command: "kv".to_owned() },
            args: Vec::new(),
            env: Vec::new(),
            runtime: None,
            declared: false,
        }
    }

    #[tokio::test]
    async fn c1_a_record_that_does_not_open_or_was_moved_harms_only_its_entry() {
        let (below, records) = records().await;
        for name in ["cut", "moved", "whole"] {
            records.put(record(name, "")).await.unwrap();
        }
        let at = |name: &str| {
            format!("data/core/plugin-catalog/secret/{name}/unversioned").parse::<Key>().unwrap()
        };
        let whole = below.get(&at("whole")).await.unwrap().unwrap();
        below.put(at("cut"), whole.slice(..20)).await.unwrap();
        below.put(at("moved"), whole).await.unwrap();
        let listed = records.list(PluginType::Secret).await.unwrap();
        let damaged: Vec<_> = listed.iter().map(|found| matches!(found, Found::Damaged(_))).collect();
        assert_eq!(damaged, [true, true, false]);
        records.put(record("cut", "")).await.unwrap();
        assert!(matches!(records.get(record("cut", "").id).await.unwrap(), Some(Found::Whole(_))));
    }

    #[tokio::test]
    async fn names_with_slashes_and_versions_do_not_mix() {
        let (_, records) = records().await;
        let all = [record("a", ""), record("a", "1"), record("a/b", "2"), record("a/v1.0.0", "")];
        for record in &all {
            records.put(record.clone()).await.unwrap();
        }
        let listed = records.list(PluginType::Secret).await.unwrap();
        assert_eq!(listed.into_iter().map(|found| found.whole().unwrap()).collect::<Vec<_>>(), all);
        let versions = records.versions(PluginType::Secret, &"a".parse().unwrap()).await.unwrap();
        assert_eq!(versions, [PluginVersion::NONE, "1.0.0".parse().unwrap()]);
    }
}
