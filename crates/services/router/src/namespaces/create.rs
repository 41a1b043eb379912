use std::{collections::BTreeMap, sync::Arc};

use domain::{MountPath, NamespaceName};
use uuid::Uuid;

use super::{Known, Namespace, NamespaceRefusal, Namespaces, Record, record::key};
use crate::{
    core::{Active, Core},
    error::Result,
    lease::Leases,
    mounts, random,
    store::put,
    token,
};

/// As long as OpenBao's.
const ID_LENGTH: usize = 5;

impl Namespaces {
    /// Makes a namespace in another, or writes the metadata of one that is there.
    pub(crate) async fn put(
        &self,
        core: &Core,
        parent: &Arc<Active>,
        name: &NamespaceName,
        metadata: BTreeMap<String, String>,
    ) -> Result<Record> {
        let _turn = self.turn.lock().await;
        let path = parent.namespace.path.join(name);
        match self.get(&path)? {
            Some(known) => self.write(&known, |record| record.custom_metadata = metadata).await,
            None => {
                let namespace = Namespace { id: self.new_id()?, uuid: Uuid::new_v4(), path };
                self.create(core, parent, Record::new(namespace, metadata)).await
            }
        }
    }

    /// Changes the metadata of a namespace: what is named is put or, with none, taken away.
    pub(crate) async fn patch(
        &self,
        parent: &Namespace,
        name: &NamespaceName,
        patch: Option<BTreeMap<String, Option<String>>>,
    ) -> Result<Record> {
        let _turn = self.turn.lock().await;
        let known = self.get(&parent.path.join(name))?.ok_or(NamespaceRefusal::NotFound)?;
        self.write(&known, |record| match patch {
            None => record.custom_metadata.clear(),
            Some(patch) => {
                for (name, value) in patch {
                    match value {
                        Some(value) => record.custom_metadata.insert(name, value),
                        None => record.custom_metadata.remove(&name),
                    };
                }
            }
        })
        .await
    }

    /// Stores what has changed about a namespace, and lets it count. The caller has its turn.
    pub(super) async fn write(&self, known: &Known, change: impl FnOnce(&mut Record)) -> Result<Record> {
        if known.record.removing {
            return Err(NamespaceRefusal::Removing(known.record.path.clone()).into());
        }
        let mut record = known.record.clone();
        change(&mut record);
        self.store.write(key(record.uuid), &record).await?;
        self.publish(record.clone(), known.clone().opened);
        Ok(record)
    }

    /// All that a namespace begins with is stored in one commit: it is there as a whole, or it is not.
    async fn create(&self, core: &Core, parent: &Arc<Active>, record: Record) -> Result<Record> {
        // No mount gets in the way before it is visible.
        let _turn = parent.mounts.keep_still().await;
        refuse_mounts(parent, &record)?;
        let within = parent.shared.namespaces.store.part_of(&record.uuid.to_string());
        let first = token::first_writes()?.into_iter().chain(mounts::first_writes()?);
        let mut writes = within.outside(first.collect());
        writes.push(put(key(record.uuid), &record));
        self.store.commit(writes).await?;
        match core.open(parent.shared.clone(), record.namespace()).await {
            Ok(active) => {
                let active = Arc::new(active);
                // If it is not, the barrier has closed: it is there when that opens.
                if self.publish(record.clone(), Ok(active.clone())) {
                    Leases::start(&active);
                }
                tracing::info!(namespace = %record.path, "made a namespace");
                Ok(record)
            }
            Err(error) => {
                let record = Record { removing: true, ..record };
                self.publish(record.clone(), Err(error.to_string()));
                if let Err(unstored) = self.store.write(key(record.uuid), &record).await {
                    tracing::warn!(namespace = %record.path, error = &unstored as &dyn std::error::Error,
                        "a namespace that cannot be opened is there again after the next unseal");
                }
                Err(error)
            }
        }
    }

    fn new_id(&self) -> Result<String> {
        loop {
            let id = random::base62(ID_LENGTH)?;
            if self.with_id(&id)?.is_none() {
                return Ok(id);
            }
        }
    }
}

fn refuse_mounts(parent: &Active, record: &Record) -> Result<(), NamespaceRefusal> {
    let name = parent.namespace.path.relative(&record.path).and_then(|name| name.parse::<MountPath>().ok());
    let snapshot = parent.mounts.snapshot();
    match name.as_ref().and_then(|name| snapshot.overlap(name)) {
        Some(mount) => Err(NamespaceRefusal::Mount(mount.clone())),
        None => Ok(()),
    }
}
