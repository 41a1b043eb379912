use std::collections::BTreeMap;

use ::storage::{Error as StorageError, Key, Prefix, Storage, Write};
use futures::{StreamExt, TryStreamExt, stream};

use super::{Migrated, MigrationError, mark::MARK};

/// Writes of one commit at most.
const WRITES: usize = 256;

/// A commit takes up no further write once it has so many bytes.
const BYTES: usize = 4 << 20;

/// Makes the destination like the source, folder by folder. What is alike is left alone, so that it goes on where it was
/// broken off; and what the source has lost since then goes.
pub(super) struct Copy<'s> {
    pub(super) source: &'s dyn Storage,
    pub(super) destination: &'s dyn Storage,
    /// What sorts before this is left alone when it is there.
    pub(super) start: &'s str,
    /// Entries that are looked at at the same time.
    pub(super) parallel: usize,
}

/// Where a name is.
#[derive(Clone, Copy, Default)]
struct Sides {
    source: bool,
    destination: bool,
}

impl Copy<'_> {
    pub(super) async fn run(&self) -> Result<Migrated, MigrationError> {
        let mut done = Migrated::default();
        let mut folders = vec![Prefix::ALL];
        while let Some(folder) = folders.pop() {
            let names = self.names(&folder).await?;
            let (below, entries): (Vec<_>, Vec<_>) =
                names.into_iter().partition(|(name, _)| name.ends_with('/'));
            for (name, _) in below.into_iter().rev() {
                folders.push(folder.join_prefix(&name.try_into().map_err(invalid)?));
            }
            self.entries(&folder, entries, &mut done).await?;
        }
        Ok(done)
    }

    /// The children of a folder on both sides.
    async fn names(&self, folder: &Prefix) -> Result<BTreeMap<String, Sides>, MigrationError> {
        let mut names = BTreeMap::<_, Sides>::new();
        for name in self.source.list(folder).await.map_err(MigrationError::Source)? {
            names.entry(name).or_default().source = true;
        }
        for name in self.destination.list(folder).await.map_err(MigrationError::Destination)? {
            names.entry(name).or_default().destination = true;
        }
        Ok(names)
    }

    async fn entries(
        &self,
        folder: &Prefix,
        names: Vec<(String, Sides)>,
        done: &mut Migrated,
    ) -> Result<(), MigrationError> {
        let keys = names.into_iter().map(|(name, sides)| {
            let key = name.try_into().map(|name: Key| folder.join(&name)).map_err(invalid)?;
            Ok((key, sides))
        });
        let keys = keys.collect::<Result<Vec<_>, _>>()?.into_iter().filter(|(key, _)| key.as_str() != MARK);
        let keys: Vec<_> = keys.collect();
        done.entries += keys.iter().filter(|(_, sides)| sides.source).count() as u64;
        let changes = stream::iter(keys).map(|(key, sides)| self.change(key, sides));
        let mut changes = changes.buffered(self.parallel.max(1));
        let (mut writes, mut bytes) = (Vec::new(), 0);
        while let Some(change) = changes.try_next().await? {
            let Some(write) = change else { continue };
            if let Write::Put(_, value) = &write {
                bytes += value.len();
                done.copied += 1;
            }
            writes.push(write);
            if writes.len() >= WRITES || bytes >= BYTES {
                self.commit(std::mem::take(&mut writes)).await?;
                tracing::info!(copied = done.copied, "copied so far");
                bytes = 0;
            }
        }
        self.commit(writes).await
    }

    /// What makes an entry of the destination like that of the source.
    async fn change(&self, key: Key, sides: Sides) -> Result<Option<Write>, MigrationError> {
        if !sides.source {
            return Ok(Some(Write::Delete(key)));
        }
        if sides.destination && key.as_str() < self.start {
            return Ok(None);
        }
        let value = self.source.get(&key).await.map_err(MigrationError::Source)?;
        let value = value.ok_or(MigrationError::SourceOpened)?;
        if sides.destination {
            let found = self.destination.get(&key).await.map_err(MigrationError::Destination)?;
            if found.as_ref() == Some(&value) {
                return Ok(None);
            }
        }
        Ok(Some(Write::Put(key, value)))
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), MigrationError> {
        if writes.is_empty() {
            return Ok(());
        }
        self.destination.commit(writes).await.map_err(MigrationError::at_destination)
    }
}

fn invalid(error: ::storage::InvalidKey) -> MigrationError {
    MigrationError::Source(StorageError::from(error))
}
