use std::collections::{BTreeMap, BTreeSet};

use domain::identity::{Alias, Change, Directory, Entity, Group};
use futures::{StreamExt, TryStreamExt, stream};
use serde::de::DeserializeOwned;

use super::record::{ALIASES, ENTITIES, GROUPS, alias_key};
use crate::{Error, core::is_passing, error::Result, store::Store};

/// How many records are read at the same time.
const AT_ONCE: usize = 64;

/// All that is stored about identity.
pub(super) struct Loaded {
    pub(super) directory: Directory,
    /// The keys of the aliases whose records cannot be read.
    pub(super) unreadable: BTreeSet<String>,
}

/// Reads all records. A damaged one concerns one entity or one group, and is not an error.
pub(super) async fn load(store: &Store) -> Result<Loaded> {
    let (mut entities, _) = all(store, ENTITIES, |id, entity: &Entity| entity.id == id).await?;
    for (id, entity) in &mut entities {
        entity.get_or_insert_with(|| Entity::unreadable(id.clone()));
    }
    let (mut groups, _) = all(store, GROUPS, |id, group: &Group| group.id == id).await?;
    for (id, group) in &mut groups {
        group.get_or_insert_with(|| Group::unreadable(id.clone()));
    }
    let mut unreadable = BTreeSet::new();
    for mount in store.list(ALIASES).await? {
        let folder = format!("{ALIASES}{mount}");
        let belongs = |name: &str, alias: &Alias| alias_key(&alias.factors()) == format!("{folder}{name}");
        let (aliases, damaged) = all(store, &folder, belongs).await?;
        unreadable.extend(damaged);
        for alias in aliases.into_values().flatten() {
            attach(&mut entities, alias);
        }
    }
    let directory = Directory::default().with(Change { entities, groups });
    Ok(Loaded { directory, unreadable })
}

/// An alias whose entity has no record is one of somebody of whom nothing is known any more.
fn attach(entities: &mut BTreeMap<String, Option<Entity>>, alias: Alias) {
    let id = alias.entity.clone();
    let owner = entities.entry(id.clone()).or_default();
    owner.get_or_insert_with(|| Entity::unreadable(id)).aliases.push(alias);
}

type Found<T> = (BTreeMap<String, Option<T>>, Vec<String>);

/// What is stored directly below a prefix, none standing for what cannot be read, and the keys of those.
async fn all<T: DeserializeOwned>(
    store: &Store,
    prefix: &str,
    belongs: impl Fn(&str, &T) -> bool,
) -> Result<Found<T>> {
    let names = store.list(prefix).await?;
    let reads = names.into_iter().map(|name| async {
        let read = read(store, &format!("{prefix}{name}")).await?;
        Ok::<_, Error>((name, read))
    });
    let read: BTreeMap<String, Option<T>> =
        stream::iter(reads).buffer_unordered(AT_ONCE).try_collect().await?;
    let mut damaged = Vec::new();
    let mut found = BTreeMap::new();
    for (name, value) in read {
        let value = value.filter(|value| belongs(&name, value));
        if value.is_none() {
            let key = format!("{prefix}{name}");
            tracing::error!(
                key,
                "a record of identity is damaged; who it concerns may do nothing until it is written anew"
            );
            damaged.push(key);
        }
        found.insert(name, value);
    }
    Ok((found, damaged))
}

async fn read<T: DeserializeOwned>(store: &Store, key: &str) -> Result<Option<T>> {
    match store.read(key).await {
        Ok(found) => Ok(found),
        Err(Error::Damaged { .. }) => Ok(None),
        Err(Error::Below(failure)) if !is_passing(failure.kind) => Ok(None),
        Err(error) => Err(error),
    }
}
