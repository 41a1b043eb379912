use std::sync::Arc;

use domain::{MountFacts, MountTable};
use futures::{StreamExt, TryStreamExt, stream};

use super::{
    Launch, Mount, Mounts, defaults,
    record::{RECORDS, Record, key, refuge, unreadable},
};
use crate::{
    Error,
    core::{Active, is_passing},
    error::Result,
    identity::Identity,
    namespaces::Namespaces,
    store::Store,
};

/// How many records are read at the same time.
const AT_ONCE: usize = 64;

impl Mounts {
    /// Reads all records. Starts no plugin and waits for none; a damaged record is a degraded mount, not an error.
    pub(crate) async fn open(
        store: Store,
        launch: Launch,
        identity: Arc<Identity>,
        namespaces: Arc<Namespaces>,
    ) -> Result<Self> {
        let uuids = store.list(RECORDS).await?;
        let reads = uuids.into_iter().map(|uuid| read(&store, uuid));
        let mut found: Vec<Mount> = stream::iter(reads).buffer_unordered(AT_ONCE).try_collect().await?;
        // The good ones first: a damaged record cannot push another mount from its path.
        found.sort_by_cached_key(|mount| (mount.damage.is_some(), mount.entry.uuid.clone()));
        let mut table = MountTable::default();
        for mount in found {
            place(&mut table, mount);
        }
        let mounts = Self::with(store, launch, identity, namespaces, table);
        mounts.add_defaults().await?;
        Ok(mounts)
    }

    /// Finishes what a kill has left half done.
    pub(crate) fn finish_in_background(active: Arc<Active>) {
        let snapshot = active.mounts.snapshot();
        let unfinished: Vec<_> =
            snapshot.iter().filter(|(_, mount)| !mount.serves()).map(|(_, m)| m.clone()).collect();
        if unfinished.is_empty() {
            return;
        }
        tokio::spawn(async move {
            for mount in unfinished {
                if let Err(error) = active.mounts.end(&active, &mount).await {
                    tracing::warn!(mount = %mount.entry.path, error = %error, "a mount could not be removed yet");
                }
            }
        });
    }

    async fn add_defaults(&self) -> Result<()> {
        for entry in defaults::entries()? {
            if self.get(&entry.path).is_none() {
                let mount = Mount::new(entry, MountFacts::default());
                self.persist(&mount).await?;
                self.publish(|table| place(table, mount));
            }
        }
        Ok(())
    }
}

async fn read(store: &Store, uuid: String) -> Result<Mount> {
    match store.get(&key(&uuid)).await {
        Ok(Some(bytes)) => Ok(Record::decode(&uuid, &bytes)),
        Ok(None) => Ok(unreadable(&uuid, "it is empty")),
        Err(Error::Below(failure)) if !is_passing(failure.kind) => {
            Ok(unreadable(&uuid, &failure.to_string()))
        }
        Err(error) => Err(error),
    }
}

/// Puts a mount where it belongs, or, when another is there already, where it can be seen and dealt with.
fn place(table: &mut MountTable<Arc<Mount>>, mut mount: Mount) {
    if let Some(reason) = &mount.damage {
        tracing::error!(mount = %mount.entry.path, uuid = mount.entry.uuid, reason, "a mount is degraded");
    }
    if let Some(taken) = table.overlap(&mount.entry.path) {
        let reason = format!("its path {} is in use at {taken}; move or delete it", mount.entry.path);
        tracing::error!(uuid = mount.entry.uuid, reason, "a mount is degraded");
        mount.damage = Some(reason);
        mount.entry.path = refuge(&mount.entry.uuid, mount.entry.kind);
    }
    let path = mount.entry.path.clone();
    if table.insert(path, Arc::new(mount)).is_err() {
        tracing::error!("two mounts have no place in the table");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_records_with_one_path_are_both_listed() {
        let mut table = MountTable::default();
        for uuid in ["a", "b"] {
            let mut mount = unreadable(uuid, "test");
            mount.damage = None;
            mount.entry.path = "secret/".parse().unwrap();
            place(&mut table, mount);
        }
        let listed: Vec<_> =
            table.iter().map(|(at, mount)| (at.as_str(), mount.trouble().is_some())).collect();
        assert_eq!(listed, [("damaged-b/", true), ("secret/", false)]);
    }
}
